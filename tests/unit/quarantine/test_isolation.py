"""Another tenant's quarantined rows are answered as rows that never were: same words, same work."""

import json
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.quarantine import handler
from functions.quarantine.documents import QuarantineStore
from functions.quarantine.handler import answer_to
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey
from functions.shared.http import answering
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.shared.tenancy import TenantId, quarantine_prefix

PAIRS = 1000
TENANTS = 50
NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOBODYS = "f" * 26
ACMES, GLOBEXES = (
    (TenantId(name), date(2026, 11, 22), "a" * 26, 1, 300, date(2026, 12, 22)) for name in ("acme", "globex")
)


class Counting(PlatformBucket):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.operations: list[str] = []

    def get(self, key: str) -> Any:
        self.operations.append("get")
        return super().get(key)

    def create(self, key: str, body: bytes, attributes: Any = None) -> Any:
        self.operations.append("create")
        return super().create(key, body, attributes)

    def delete(self, keys: Any) -> None:
        self.operations.append("delete")
        super().delete(keys)


def put_document(bucket: Counting, tenant: TenantId, document_id: str) -> None:
    source = StagedKey(tenant, date(2026, 11, 22), document_id, 1, 300, date(2026, 12, 22))
    header = QuarantineHeader("refused", 27, str(source), "b", [0], 1, source.expires_on, NOW)
    bucket.create(document_key(tenant, document_id), pack(header, [b'{"message": "row"}']))


def ask(bucket: Counting, tenant: str, route: str, document_id: str = "") -> dict[str, Any]:
    caller = {
        "verdict": "ok",
        "tenant_id": tenant,
        "key_id": "k",
        "actor": "key:k",
        "plan": "managed_30",
        "project_id": "p",
        "scopes": "admin",
        "retention_days": "30",
        "bytes_per_second": "1",
        "refusal": "",
    }
    event = {
        "routeKey": route,
        "pathParameters": {"id": document_id},
        "requestContext": {"requestId": "r", "authorizer": {"lambda": caller}},
    }
    bucket.operations.clear()
    handler = answering(lambda each: answer_to(each, QuarantineStore(bucket), NOW))
    return handler(event, None)


def replay(bucket: Counting, tenant: str, document_id: str) -> tuple[int, str]:
    response = ask(bucket, tenant, "POST /v1/quarantine/{id}/replay", document_id)
    return response["statusCode"], json.dumps([response["headers"], response["body"]])


def test_a_thousand_pairs_of_tenants_replay_nothing_of_each_other() -> None:
    chance, bucket = random.Random(11), Counting()
    tenants = [TenantId(f"tenant-{number}") for number in range(TENANTS)]
    document_ids = {tenant: f"{number:026x}" for number, tenant in enumerate(tenants)}
    for tenant, document_id in document_ids.items():
        put_document(bucket, tenant, document_id)
    nobodys, work = replay(bucket, tenants[0], NOBODYS), list(bucket.operations)
    assert nobodys[0] == 404

    for _ in range(PAIRS):
        mine, theirs = chance.sample(tenants, 2)
        assert replay(bucket, mine, document_ids[theirs]) == nobodys
        assert bucket.operations == work

    assert all(replay(bucket, tenant, document_id)[0] == 202 for tenant, document_id in document_ids.items())


def test_what_is_no_document_is_named_and_hides_none() -> None:
    """In a bucket of their own customers may put anything; they learn nothing of another's."""
    bucket, acme, globex = Counting(), TenantId("acme"), TenantId("globex")
    put_document(bucket, acme, "a" * 26)
    bucket.create(document_key(acme, "b" * 26), b"rubbish")
    strangers = ["a folder/x", "a" * 26, "notes.txt", "x-y.ndjson.zst"]
    for name in strangers:
        bucket.create(f"{quarantine_prefix(acme)}{name}", b"rubbish")
    put_document(bucket, globex, "c" * 26)
    for tenant, ids, unreadable in ((acme, ["a" * 26], [*strangers, "b" * 26]), (globex, ["c" * 26], [])):
        reported = ask(bucket, tenant, "GET /v1/quarantine")
        body = json.loads(reported["body"])
        assert reported["statusCode"] == 200
        assert [each["id"] for each in body["documents"]] == ids
        assert sorted(body["unreadable"]) == sorted(unreadable)
    status, answered = replay(bucket, acme, "b" * 26)
    assert status == 409
    assert "unreadable_document" in answered


def test_one_that_is_replayed_while_they_are_listed_is_in_no_list() -> None:
    class Replayed(Counting):
        def get(self, key: str) -> Any:
            return None if "a" * 26 in key else super().get(key)

    bucket, acme = Replayed(), TenantId("acme")
    for name in "ab":
        put_document(bucket, acme, name * 26)
    reported = ask(bucket, acme, "GET /v1/quarantine")
    body = json.loads(reported["body"])

    assert reported["statusCode"] == 200
    assert ([each["id"] for each in body["documents"]], body["unreadable"]) == (["b" * 26], [])


def test_one_that_cannot_be_read_right_now_is_not_left_out() -> None:
    class Silent(Counting):
        def get(self, _key: str) -> Any:
            raise BucketUnavailableError("silent")

    bucket, acme = Silent(), TenantId("acme")
    put_document(bucket, acme, "a" * 26)

    assert ask(bucket, acme, "GET /v1/quarantine")["statusCode"] == 503


@pytest.mark.parametrize("rows", [[], [b'{"message": "row"}']])
@pytest.mark.parametrize(
    "source", ["", "staged/v1/of-an-older-form", str(StagedKey(*GLOBEXES)), str(StagedKey(*ACMES))]
)
def test_what_says_it_is_of_somewhere_else_is_no_document(source: str, rows: list[bytes]) -> None:
    """As a customer can put one into their own bucket: nothing is staged, and nothing is lost."""
    bucket, acme, good = Counting(), TenantId("acme"), source == str(StagedKey(*ACMES)) and bool(rows)
    key = document_key(acme, "a" * 26)
    bucket.create(
        key, pack(QuarantineHeader("refused", 27, source, "b", [0], 1, date(2026, 12, 22), NOW), rows)
    )
    body = json.loads(ask(bucket, acme, "GET /v1/quarantine")["body"])
    assert body["unreadable"] == ([] if good else ["a" * 26])
    assert replay(bucket, acme, "a" * 26)[0] == (202 if good else 409)
    staged = [each.key for each in bucket.under("")]
    assert (key in staged, len(staged)) == (not good, 1)


@pytest.mark.parametrize("document_id", ["a" * 257, "a" * 5000, "..", "a/b", "é", ""])
def test_an_id_that_is_none_is_not_found_and_s3_is_not_asked(document_id: str) -> None:
    bucket = Counting()
    assert replay(bucket, "acme", document_id)[0] == 404
    assert bucket.operations == []


def test_a_listing_fits_into_an_answer_and_what_is_left_out_comes_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after an hour of rows that are refused: Lambda's answers have 6 MB."""
    bucket, acme = Counting(), TenantId("acme")
    ids = [f"{number:026}" for number in range(200)]
    row = json.dumps({"message": "\N{BUG}" * 500}, ensure_ascii=False).encode()
    for each in ids:
        source = StagedKey(acme, date(2026, 11, 22), each, 10_000, 300, date(2026, 12, 22))
        header = QuarantineHeader(
            "refused", 27, str(source), "b", list(range(10_000)), 10_000, source.expires_on, NOW
        )
        bucket.create(document_key(acme, each), pack(header, [row] * 5))

    def listed() -> list[str]:
        response = ask(bucket, acme, "GET /v1/quarantine")
        assert (response["statusCode"], len(response["body"]) < 5 * 1024 * 1024) == (200, True)
        return [each["id"] for each in json.loads(response["body"])["documents"]]

    first = listed()
    assert first == ids[: len(first)]
    for each in first:
        assert replay(bucket, acme, each)[0] == 202
    assert listed()[0] == ids[len(first)]
    monkeypatch.setattr(handler, "LISTING_SECONDS", -1)
    assert listed() == []
