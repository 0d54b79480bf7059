"""POST /v1/drain over the wire: each answer of the contract, and each way to send a key."""

import base64
import gzip
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from backports import zstd

from functions.accounts.directory import Account, Directory, Key
from functions.accounts.keys import generate
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tenancy import TenantId
from local.naming import aws_variables, physical
from tests.integration.sending import drain
from tests.integration.stack import RunningStack, bearer

ONE = [{"message": "hello"}]
BODY = json.dumps({"events": ONE}).encode()
AMPLE = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


@pytest.fixture(scope="module")
def directory(stack: RunningStack) -> Iterator[Directory]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_variables(stack.aws_endpoint).items():
            patch.setenv(name, value)
        yield Directory(physical("accounts"), physical("keys"), physical("key-lists"))


def new_key(
    directory: Directory,
    tenant: str,
    *,
    scopes: frozenset[str] = frozenset({"ingest"}),
    expires_at: int | None = None,
    **account: Any,
) -> str:
    """A key of an account of its own."""
    limits = {"retention_days": 30, "bytes_per_second": AMPLE, **account}
    directory.put_account(Account(TenantId(tenant), AccountStatus("managed_30", **limits)))
    key = generate()
    directory.put_key(key, Key(TenantId(tenant), f"key_{tenant}", scopes, "default", expires_at))
    return key


def post(client: httpx.Client, key: str, body: bytes = BODY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return client.post("/v1/drain", content=body, headers={**bearer(key), **named})


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Hold an answer against the one form of all errors."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    error = answer.json()
    assert error["error"]
    assert error["request_id"] == answer.headers["apigw-requestid"]
    assert answer.headers["content-type"] == "application/json"


def test_202_has_the_outcome_of_each_event(stack: RunningStack, client: httpx.Client) -> None:
    answer = drain(client, stack.keys["ingest"], [*ONE, {"message": 5}, {}])
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    body = answer.json()
    assert set(body) == {"status", "accepted", "rejected", "errors"}
    assert (body["status"], body["accepted"], body["rejected"]) == ("accepted", 1, 2)
    assert [(each["index"], each["code"]) for each in body["errors"]] == [
        (1, "message_not_text"),
        (2, "message_missing"),
    ]
    assert all(each["reason"] for each in body["errors"])


def test_200_when_it_was_waited_for(stack: RunningStack, client: httpx.Client) -> None:
    answer = drain(client, stack.keys["ingest"], ONE, wait=True)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"events":[{"message":"a"},{"message":"b"}]}', "application/json"),
        (b'{"logs":[{"message":"a"},{"message":"b"}]}', "application/json; charset=utf-8"),
        (b'[{"message":"a"},{"message":"b"}]', "application/json"),
        (b'{"message":"a"}\n{"message":"b"}\n', "application/x-ndjson"),
    ],
)
def test_every_form_of_body_is_taken(
    stack: RunningStack, client: httpx.Client, body: bytes, content_type: str
) -> None:
    answer = post(client, stack.keys["ingest"], body, content_type=content_type)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("identity", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
)
def test_every_encoding_is_taken(
    stack: RunningStack, client: httpx.Client, encoding: str, encode: Any
) -> None:
    answer = post(client, stack.keys["ingest"], encode(BODY), content_encoding=encoding)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"nonsense", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[]", "no_events"),
        (b'{"events":[]}', "no_events"),
        (b'{"events":{}}', "no_events"),
        (b"[1,{}]", "all_rejected"),
    ],
)
def test_400_for_what_holds_nothing_to_accept(
    stack: RunningStack, client: httpx.Client, body: bytes, code: str
) -> None:
    refused(post(client, stack.keys["ingest"], body), 400, code)


def test_400_for_all_rejected_names_each_event(stack: RunningStack, client: httpx.Client) -> None:
    body = post(client, stack.keys["ingest"], b"[1,{}]").json()
    assert (body["accepted"], body["rejected"], len(body["errors"])) == (0, 2, 2)


def test_400_for_an_idempotency_key_that_is_too_long(stack: RunningStack, client: httpx.Client) -> None:
    refused(post(client, stack.keys["ingest"], idempotency_key="k" * 256), 400, "invalid_idempotency_key")


def test_401_without_a_good_key(client: httpx.Client, directory: Directory) -> None:
    refused(client.post("/v1/drain", content=BODY), 401, "unauthorized")
    refused(post(client, generate()), 401, "unauthorized")
    refused(post(client, "ast_sk_live_nonsense"), 401, "unauthorized")
    past = int(time.time()) - 1
    refused(post(client, new_key(directory, "late", expires_at=past)), 401, "key_expired")


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        ({"capped_until": 2**33}, "quota_exceeded"),
        ({"accepts_until": 1, "end_reason": "trial_ended"}, "trial_ended"),
        ({"accepts_until": 1, "end_reason": "payment_overdue"}, "payment_overdue"),
        ({"accepts_until": 1, "end_reason": "subscription_ended"}, "subscription_ended"),
    ],
)
def test_402_says_why_and_searches_still_work(
    client: httpx.Client, directory: Directory, standing: dict[str, Any], code: str
) -> None:
    key = new_key(directory, f"refused-{code}", scopes=frozenset({"ingest", "read"}), **standing)
    refused(post(client, key), 402, code)
    assert client.post("/v1/search", json={}, headers=bearer(key)).status_code == 200


def test_403_for_a_key_of_another_scope(stack: RunningStack, client: httpx.Client) -> None:
    refused(post(client, stack.keys["read"]), 403, "forbidden_scope")
    refused(client.post("/v1/search", json={}, headers=bearer(stack.keys["ingest"])), 403, "forbidden_scope")
    assert post(client, stack.keys["admin"]).status_code == 202


def test_413_for_a_body_that_is_too_large(stack: RunningStack, client: httpx.Client) -> None:
    wide = b'[{"message":"%b"}]' % (b"x" * (4 * 1024 * 1024))
    refused(post(client, stack.keys["ingest"], wide), 413, "payload_too_large")
    bomb = gzip.compress((b'{"message":"%b"}\n' % (b"x" * 1000)) * 68_000, 1)
    form = {"content_encoding": "gzip", "content_type": "application/x-ndjson"}
    refused(post(client, stack.keys["ingest"], bomb, **form), 413, "payload_too_large")


def test_415_for_an_encoding_that_is_not_spoken(stack: RunningStack, client: httpx.Client) -> None:
    refused(post(client, stack.keys["ingest"], content_encoding="br"), 415, "unsupported_encoding")


def test_429_over_the_rate_and_when_to_retry(client: httpx.Client, directory: Directory) -> None:
    key = new_key(directory, "slow", bytes_per_second=10)
    answers = [post(client, key) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {202, 429}
    last = answers[-1]
    refused(last, 429, "backpressure_saturated")
    assert last.json()["error"] == "server saturated"
    assert int(last.headers["retry-after"]) <= 2


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("authorization", "Bearer {key}"),
        ("authorization", "bearer {key}"),
        ("authorization", "{key}"),
        ("authorization", "Splunk {key}"),
        ("authorization", "Basic {user:key}"),
        ("authorization", "Basic {key:}"),
        ("authorization", "Basic {:key}"),
        ("authorization", "ApiKey {user:key}"),
        ("x-api-key", "{key}"),
        ("dd-api-key", "{key}"),
        ("x-amz-firehose-access-key", "{key}"),
    ],
)
def test_a_key_is_found_wherever_its_sender_puts_it(
    stack: RunningStack, client: httpx.Client, header: str, form: str
) -> None:
    for key, status in ((stack.keys["ingest"], 202), (generate(), 401)):
        value = form.replace("{user:key}", _basic(f"user:{key}")).replace("{key}", key)
        value = value.replace("{key:}", _basic(f"{key}:")).replace("{:key}", _basic(f":{key}"))
        assert client.post("/v1/drain", content=BODY, headers={header: value}).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/search"),
        ("POST", "/v1/keys"),
        ("PATCH", "/v1/account"),
        ("PUT", "/v1/destination"),
        ("PATCH", "/v1/billing"),
        ("POST", "/v1/erasures"),
        ("POST", "/v1/uploads"),
        ("POST", "/v1/login"),
        ("POST", "/v1/stripe/webhook"),
    ],
)
def test_a_body_over_the_limit_of_any_other_route_is_413(
    stack: RunningStack, client: httpx.Client, method: str, path: str
) -> None:
    headers = {"authorization": f"Bearer {stack.keys['admin']}", "content-type": "application/json"}
    response = client.request(method, path, headers=headers, content=b'{"x": "' + b"x" * 2**21 + b'"}')
    refused(response, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/drain", "POST"),
        ("DELETE", "/v1/keys", "GET, POST"),
        ("DELETE", "/v1/uploads/settings", "GET, PUT"),
        ("PATCH", "/v1/erasures/era_1", "DELETE, GET"),
        ("POST", "/health", "GET"),
        ("OPTIONS", "/v1/search", "GET, POST"),
    ],
)
def test_405_names_the_methods_of_the_path(client: httpx.Client, method: str, path: str, allow: str) -> None:
    response = client.request(method, path)
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/nothing"), ("GET", "/v1"), ("POST", "/v1/drain/")]
)
def test_404_in_the_same_form_for_what_is_not_there(client: httpx.Client, method: str, path: str) -> None:
    refused(client.request(method, path), 404, "not_found")


def test_health_needs_no_key(client: httpx.Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
