"""The routes of uploads: a URL for one file, its status, and nothing of another account."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.role_sessions import RENEW_SECONDS, RoleClient, RoleRefusedError, RoleSession
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.egress.s3 import filtered_s3_client
from functions.shared.http import answering
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.uploads.counters import OpenUploads, UploadRate
from functions.uploads.files import LATE
from functions.uploads.handler import URL_SECONDS, UploadService, answer_to
from functions.uploads.loading import LoadingFiles
from functions.uploads.managed_drop_bucket import open_drops
from functions.uploads.queue import DropQueue
from tests.unit.uploads.world import ACME, DROP, GLOBEX, World


def ask(
    here: World, route: str, tenant: TenantId = ACME, scopes: str = "ingest", **asked: Any
) -> tuple[int, dict[str, Any]]:
    def refuse(_tenant: TenantId) -> DropBucket:
        raise AssertionError("no customer's bucket is asked for")

    own = asked.pop("own", refuse)
    queue = DropQueue("dropped", "tests", here.sqs)
    service = UploadService(
        here.register,
        OpenUploads(*here.table),
        UploadRate(*here.table),
        queue,
        queue,
        lambda: DropBucket(here.s3, DROP),
        own,
        lambda: asked.get("staging", here.staging),
        asked.pop("loading", None) or LoadingFiles(here.register),
        lambda: here.clock() + here.later,
    )
    context = {
        "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "web", "scopes": scopes,
        "retention_days": "30", "bytes_per_second": "1", "refusal": asked.pop("refusal", ""),
        "actor": "key:k", "plan": asked.pop("plan", "managed_30"),
    }  # fmt: skip
    event = {
        "routeKey": route,
        "requestContext": {"http": {"method": "X"}, "requestId": "r", "authorizer": {"lambda": context}},
        "pathParameters": {"id": asked.get("upload_id", "")},
        "queryStringParameters": asked.get("query"),
        "body": asked["raw"] if "raw" in asked else json.dumps(asked.get("body")),
    }
    answer = answering(lambda each: answer_to(each, service))(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def announce(here: World, tenant: TenantId = ACME, **body: Any) -> dict[str, Any]:
    status, upload = ask(here, "POST /v1/uploads", tenant, body={"filename": "a b.log", "size": 5, **body})
    assert status == 201, upload
    return upload


def look(
    here: World, upload_id: str, tenant: TenantId = ACME, scopes: str = "read"
) -> tuple[int, dict[str, Any]]:
    return ask(here, "GET /v1/uploads/{id}", tenant, scopes, upload_id=upload_id)


def test_an_upload_from_the_url_to_the_verdict(here: World) -> None:
    upload = announce(here)
    assert (upload["state"], upload["rows_stored"], upload["progress"]) == ("waiting", 0, 0.0)

    name = upload["key"].removeprefix(f"dropin/v1/tenant={ACME}/")
    assert here.deliver(here.put(name, b"line\n")) == []
    project_id = here.rows()[0]["project_id"]
    assert look(here, upload["id"])[1]["state"] == "loading"
    here.staging.delete([each.key for each in here.staging.under("staged/")])
    status, seen = look(here, upload["id"])

    assert status == 200
    assert (seen["state"], seen["rows_stored"], seen["filename"]) == ("done", 1, "a b.log")
    assert (seen["format"], seen["compression"], seen["progress"]) == ("lines", "none", 1.0)
    assert project_id == "web", "the key's own project"


def test_a_url_is_for_one_key_of_one_size_where_nothing_is_for_an_hour(here: World) -> None:
    upload = announce(here)
    query = parse_qs(urlsplit(upload["url"]).query)

    assert query["X-Amz-SignedHeaders"] == ["content-length;host;if-none-match"]
    assert query["X-Amz-Expires"] == [str(URL_SECONDS)]
    assert upload["headers"] == {"Content-Length": "5", "If-None-Match": "*"}
    assert upload["key"] == f"dropin/v1/tenant=acme/{upload['id']}/a b.log"


def test_another_tenants_upload_does_not_exist(here: World) -> None:
    upload = announce(here)
    for upload_id in (upload["id"], "0" * 26, "settings", "../x", "ü" * 26):
        status, answer = look(here, upload_id, GLOBEX)
        assert (status, answer["code"]) == (404, "not_found")
    assert ask(here, "GET /v1/uploads", GLOBEX, "read")[1]["uploads"] == []
    assert look(here, upload["id"])[0] == 200


def test_an_announced_upload_is_tied_to_its_own_key_and_tenant_only(here: World) -> None:
    upload = announce(here)
    here.drop(f"{upload['id']}/other.log", b"line\n")
    here.drop(f"{upload['id']}/a b.log", b"line\n", GLOBEX)
    assert look(here, upload["id"])[1]["state"] == "waiting"


def test_no_file_can_be_put_after_the_url_expires(here: World) -> None:
    upload = announce(here)
    here.later = URL_SECONDS + LATE.total_seconds() + 1
    status, seen = look(here, upload["id"])
    assert (status, seen["state"], seen["error"]["code"]) == (200, "failed", "never_put")


@pytest.mark.parametrize(("original", "left"), [("keep", 1), ("delete", 0), (None, 0)])
def test_an_original_is_kept_or_deleted_as_the_upload_says(
    here: World, original: str | None, left: int
) -> None:
    upload = announce(here, original=original)
    here.deliver(here.put(upload["key"].removeprefix("dropin/v1/tenant=acme/"), b"line\n"))
    assert len(here.originals()) == left
    assert look(here, upload["id"])[1]["original"] == (original or "delete")


def test_an_account_chooses_what_becomes_of_originals(here: World) -> None:
    route = "PUT /v1/uploads/settings"
    assert ask(here, route, body={"original": "keep"})[0] == 403
    status, upload = ask(here, route, scopes="admin", body={"original": "keep"})
    assert (status, upload) == (
        200, {"original": "keep", "bucket": "drop", "prefix": "dropin/v1/tenant=acme/"}
    )  # fmt: skip
    assert ask(here, "GET /v1/uploads/settings", GLOBEX, "read")[1]["original"] == "delete"

    here.drop("x", b"line\n")
    here.drop("x", b"line\n", GLOBEX)
    assert here.originals() == ["dropin/v1/tenant=acme/x"]


def test_uploads_are_listed_newest_first_page_by_page(here: World) -> None:
    names = [f"{number}.log" for number in range(5)]
    for name in names:
        announce(here, filename=name)
        announce(here, GLOBEX, filename=f"globex-{name}")
    listed: list[str] = []
    query = {"limit": "2"}
    while True:
        status, page = ask(here, "GET /v1/uploads", scopes="read", query=query)
        assert status == 200
        listed += [each["filename"] for each in page["uploads"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    assert listed == names[::-1]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"filename": "x"}, 400, "invalid_size"),
        ({"filename": "x", "size": 0}, 400, "invalid_size"),
        ({"filename": "x", "size": "1"}, 400, "invalid_size"),
        ({"filename": "x", "size": 6 * 1024**3}, 413, "payload_too_large"),
        ({"filename": "", "size": 1}, 400, "invalid_filename"),
        ({"filename": "../..", "size": 1}, 400, "invalid_filename"),
        ({"filename": "a\nb", "size": 1}, 400, "invalid_filename"),
        ({"filename": "é" * 400, "size": 1}, 400, "invalid_filename"),
        ({"filename": "x", "size": 1, "original": "burn"}, 400, "invalid_original"),
        ({"filename": "x", "size": 1, "key": "y"}, 400, "unknown_field"),
    ],
)
def test_what_is_asked_wrongly_is_refused(here: World, body: dict[str, Any], status: int, code: str) -> None:
    answer = ask(here, "POST /v1/uploads", body=body)
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_what_is_no_json_is_refused(here: World) -> None:
    for raw in ("{", "[" * 100_000):
        status, upload = ask(here, "POST /v1/uploads", raw=raw)
        assert (status, upload["code"]) == (400, "invalid_body")


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "", "9" * 5000])
def test_a_page_of_no_size_is_refused(here: World, limit: str) -> None:
    status, upload = ask(here, "GET /v1/uploads", scopes="read", query={"limit": limit})
    assert (status, upload["code"]) == (400, "invalid_limit")


def test_a_choice_that_is_refused_was_not_made(here: World) -> None:
    """An account with the plan `byoc` that has not said yet where its cloud is."""

    def none(_tenant: TenantId) -> DropBucket:
        raise NoDestinationError("none")

    status, upload = ask(
        here, "PUT /v1/uploads/settings", scopes="admin", body={"original": "delete"}, plan="byoc", own=none
    )
    assert (status, upload["code"]) == (403, "no_destination")
    assert here.register.originals(ACME) is None


def test_a_name_cannot_leave_its_place(here: World) -> None:
    upload = announce(here, filename="/../../tenant=globex//x/./y.log")
    assert upload["key"] == f"dropin/v1/tenant=acme/{upload['id']}/tenant=globex/x/y.log"


def test_scopes(here: World) -> None:
    assert ask(here, "POST /v1/uploads", scopes="read", body={"filename": "x", "size": 1})[0] == 403
    upload = announce(here)
    for scopes in ("read", "ingest", "admin"):
        assert look(here, upload["id"], scopes=scopes)[0] == 200
    assert look(here, upload["id"], scopes="")[0] == 403


def test_a_refused_account_gets_no_url(here: World) -> None:
    status, answer = ask(
        here, "POST /v1/uploads", refusal="quota_exceeded", body={"filename": "x", "size": 1}
    )
    assert (status, answer["code"]) == (402, "quota_exceeded")
    assert here.statuses() == []


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("bucket", ["drop", "with.dots"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "eu-south-1"])
def test_a_url_leads_to_the_buckets_own_region(
    monkeypatch: pytest.MonkeyPatch, region: str, bucket: str
) -> None:
    """The address without a region answers 400 for younger regions, and for a while 307 for young buckets."""
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    keys = SecretText("id"), SecretText("secret")
    theirs = DropBucket(filtered_s3_client(EgressFilter(), region, None, *keys), bucket)
    for drops in (open_drops(bucket), theirs):
        host = urlsplit(drops.url_to_put("dropin/v1/tenant=acme/x", 5, 60)).hostname
        assert host in (f"{bucket}.s3.{region}.amazonaws.com", f"s3.{region}.amazonaws.com")


@pytest.mark.usefixtures("clients")
def test_a_url_of_the_local_stack_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    url = open_drops("drop").url_to_put("dropin/v1/tenant=acme/x", 5, 60)
    assert url.startswith("http://127.0.0.1:9/drop/dropin/")


def test_a_url_into_a_bucket_with_a_role_ends_before_its_session(here: World) -> None:
    """Acme's bucket is opened with a role, globex's with an access key."""
    urls = {}
    for tenant, drops in (
        (ACME, DropBucket(here.s3, DROP, RENEW_SECONDS)),
        (GLOBEX, DropBucket(here.s3, DROP)),
    ):
        status, upload = ask(
            here, "POST /v1/uploads", tenant, body={"filename": "a.log", "size": 5}, plan="byoc",
            own=lambda _tenant, drops=drops: drops,
        )  # fmt: skip
        assert status == 201
        urls[tenant] = upload
        signed = parse_qs(urlsplit(upload["url"]).query)["X-Amz-Expires"]
        assert signed == [str(upload["expires_in"])]
    assert (urls[ACME]["expires_in"], urls[GLOBEX]["expires_in"]) == (RENEW_SECONDS, URL_SECONDS)
    here.later = RENEW_SECONDS + LATE.total_seconds() + 1
    states = {tenant: look(here, upload["id"], tenant)[1]["state"] for tenant, upload in urls.items()}
    assert states == {ACME: "failed", GLOBEX: "waiting"}


def test_a_refused_role_is_the_customers_to_fix(here: World) -> None:
    def refused(_tenant: TenantId) -> DropBucket:
        def session() -> RoleSession:
            raise RoleRefusedError("AccessDenied")

        return DropBucket(RoleClient(session, lambda key: key), DROP)

    for tenant in (ACME, GLOBEX):
        own = refused if tenant == ACME else lambda _tenant: DropBucket(here.s3, DROP)
        body = {"filename": "a.log", "size": 5}
        status, answer = ask(here, "POST /v1/uploads", tenant, body=body, plan="byoc", own=own)
        expected = (503, "destination_unavailable") if tenant == ACME else (201, None)
        assert (status, answer.get("code")) == expected
