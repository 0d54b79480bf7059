"""The authorizer's own DynamoDB client signs as botocore does, and reads what pynamodb reads."""

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import mock_aws

from functions.accounts import keys
from functions.accounts.account import Account
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.directory import Directory
from functions.accounts.item_lookups import ItemLookups, SignedCounter
from functions.accounts.people import People
from functions.accounts.person import Person
from functions.accounts.stored_key import Key
from functions.shared import signed_json_client
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.retention_terms import RetentionStep, RetentionTerms
from functions.shared.aws_signature import endpoint
from functions.shared.errors import SettingsError
from functions.shared.signed_json_client import MAX_ANSWER_BYTES, TRIES, JsonService, signed_headers
from functions.shared.signed_secrets import SECRETS_MANAGER
from functions.shared.tables.accounts import AccountItem, set_terms
from functions.shared.tables.signed_client import DYNAMODB, SignedClient
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId
from tests.aws_in_memory import create_tables
from tests.signed_connection import SignedResponse, connecting_to

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = 1_800_000_000
MOMENT = datetime.fromtimestamp(NOW, UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": "session+token/==",
}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        monkeypatch.setattr(signed_json_client, "connect", connecting_to(client))
        yield client


@pytest.fixture
def lookups(dynamodb: Any) -> ItemLookups:
    assert "keys" in dynamodb.list_tables()["TableNames"]
    return ItemLookups(SignedClient(), "accounts", "keys", "people")


@pytest.fixture
def directory(dynamodb: Any) -> Directory:
    return Directory("accounts", "keys", "key-lists", dynamodb)


@pytest.mark.parametrize("token", ["", "session+token/=="])
@pytest.mark.parametrize("service", [DYNAMODB, SECRETS_MANAGER])
def test_a_signature_is_that_of_botocore(
    service: JsonService, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {**ENVIRONMENT, "AWS_SESSION_TOKEN": token}
    body = json.dumps({"TableName": "keys", "Key": {"key_hash": {"S": "ä"}}}).encode()
    host = f"{service.name}.eu-central-1.amazonaws.com"
    ours = signed_headers(service, "GetItem", body, host, environ, MOMENT)

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: MOMENT)
    theirs = AWSRequest(
        "POST",
        f"https://{host}/",
        headers={name: ours[name] for name in ("content-type", "x-amz-target")},
        data=body,
    )
    credentials = Credentials("AKIDEXAMPLE", SECRET, token or None)
    botocore.auth.SigV4Auth(credentials, service.name, "eu-central-1").add_auth(theirs)

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]


def test_a_request_is_signed_with_the_time_of_datetime_as_botocores_are(
    serve: Callable[..., "Server"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal moves the clocks of `time` by hours, and AWS rejects signatures of another hour."""
    monkeypatch.setattr(signed_json_client.time, "time", lambda: 0.0)
    server = serve(GOOD)
    SignedClient().call("GetItem", {})

    assert server.headers["x-amz-date"][:8] == datetime.now(UTC).strftime("%Y%m%d")


def test_a_key_is_the_one_that_pynamodb_reads(directory: Directory, lookups: ItemLookups) -> None:
    stored = {
        keys.generate(): Key(ACME, "key_a", frozenset({"ingest", "read"}), "default"),
        keys.generate(): Key(
            GLOBEX, "key_g", frozenset({"admin"}), "web", NOW, "Ada's", 1, NOW + 1, "key_h", last_used_hour=3
        ),
    }
    for text, key in stored.items():
        directory.put_key(text, key)
        found = lookups.key(keys.hash_of(text))
        assert found == directory.key(keys.hash_of(text))
        assert found is not None
        assert found.tenant == key.tenant
    assert lookups.key(keys.hash_of(keys.generate())) is None


def test_an_account_is_the_one_that_pynamodb_reads(
    directory: Directory, lookups: ItemLookups, dynamodb: Any
) -> None:
    plain = AccountStatus("managed_30", 30, 1_000_000)
    moved = AccountStatus("byoc", 0, 5, 7, "trial_ended", NOW, 9, 10, "trial_quota_exceeded")
    directory.put_account(Account(ACME, plain))
    directory.put_account(Account(GLOBEX, moved, owner="s-1", created_at=NOW))
    accounts = Table(AccountItem, "accounts", dynamodb)
    steps = (RetentionStep(0, 30), RetentionStep(NOW, 0))
    accounts.update(str(GLOBEX), set_terms(RetentionTerms(0, steps)), AccountItem.closes_at.set(NOW))

    for tenant, managed_until in ((ACME, 0), (GLOBEX, NOW)):
        found = lookups.account(tenant)
        assert found == directory.account(tenant)
        assert found is not None
        assert (found.tenant, found.managed_until) == (tenant, managed_until)
    accounts.update(str(ACME), AccountItem.closed.set(True))
    assert lookups.account(ACME) is directory.account(ACME) is None
    assert lookups.account(TenantId("unknown")) is None


def test_a_person_is_the_one_that_pynamodb_reads(lookups: ItemLookups, dynamodb: Any) -> None:
    people = People("people", dynamodb)
    ada = Person("s-a", ACME, "Ada", "ada@example.com", "1", "2026-11-30T00:00:00Z", True, forget_at=NOW)
    bob = Person(
        "s-b", GLOBEX, "Bob", "bob@example.com", "1", "2026-11-30T00:00:00Z", False, "confirmed",
        open_resets=frozenset({"1-a", "2-b"}), sessions_ended_at=5, ended_sessions=frozenset({"9-x"}),
    )  # fmt: skip
    for person in (ada, bob):
        people.put(person)
        assert lookups.get(person.subject, NOW - 1) == people.get(person.subject, NOW - 1) == person
    assert lookups.get("s-a", NOW) is people.get("s-a", NOW) is None
    assert lookups.get("s-c", NOW) is None


def test_a_use_is_noted_of_a_key_that_exists_and_makes_none(
    directory: Directory, lookups: ItemLookups
) -> None:
    text, other = keys.generate(), keys.generate()
    directory.put_key(text, Key(ACME, "key_a", frozenset({"ingest"}), "default"))
    for each in (text, other):
        lookups.note_use(keys.hash_of(each), 7_200)

    noted = directory.key(keys.hash_of(text))
    assert noted is not None
    assert noted.last_used_hour == 2
    assert directory.key(keys.hash_of(other)) is None


def test_failures_are_counted_together_with_those_that_pynamodb_counts(dynamodb: Any) -> None:
    ours, theirs = SignedCounter("attempts"), TableCounter("attempts", dynamodb)

    assert [each.add("a", NOW) for each in (ours, theirs, ours)] == [1, 2, 3]
    assert ours.add("b", NOW) == 1
    assert ours.add("a", NOW + 1) == 4
    item = dynamodb.get_item(TableName="attempts", Key={"counter": {"S": "a"}})["Item"]
    assert item["forget_at"] == {"N": str(NOW + 1)}


Answers = Callable[[], SignedResponse]


class Server:
    """Answers requests in order, and counts connections and requests."""

    def __init__(self, *answers: Answers) -> None:
        self.answers = list(answers)
        self.connections = self.requests = 0
        self.headers: dict[str, str] = {}

    def connect(self, _scheme: str, _host: str, _seconds: float) -> "Server":
        self.connections += 1
        return self

    def request(self, *_: Any, headers: dict[str, str], **__: Any) -> None:
        self.requests += 1
        self.headers = headers

    def getresponse(self) -> SignedResponse:
        return self.answers.pop(0)()

    def close(self) -> None:
        """The next request connects anew."""


def answers(status: int, body: Any) -> Answers:
    return lambda: SignedResponse(status, json.dumps(body).encode())


def fails(fault: Exception) -> Answers:
    def raises() -> SignedResponse:
        raise fault

    return raises


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(signed_json_client.time, "sleep", lambda _seconds: None)

    def serving(*each: Answers) -> Server:
        server = Server(*each)
        monkeypatch.setattr(signed_json_client, "connect", server.connect)
        return server

    return serving


GOOD = answers(200, {"Item": {"a": {"S": "1"}}})
THROTTLED = answers(400, {"__type": "com.amazonaws.dynamodb#ProvisionedThroughputExceededException"})


@pytest.mark.parametrize(
    "first", [THROTTLED, answers(500, {}), fails(TimeoutError()), fails(http.client.IncompleteRead(b""))]
)
def test_what_may_pass_is_tried_again(serve: Callable[..., Server], first: Answers) -> None:
    server = serve(first, GOOD)

    assert SignedClient().call("GetItem", {}) == {"Item": {"a": {"S": "1"}}}
    assert server.requests == 2


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_costs_no_try(
    serve: Callable[..., Server],
) -> None:
    server = serve(GOOD, GOOD, fails(http.client.RemoteDisconnected("")), GOOD)
    client = SignedClient(tries=1)
    for _ in range(3):
        client.call("GetItem", {})

    assert (server.connections, server.requests) == (2, 4)


@pytest.mark.parametrize(
    "bad",
    [
        THROTTLED,
        answers(503, {}),
        fails(ConnectionRefusedError(SECRET)),
        lambda: SignedResponse(200, b"<html>"),
        answers(200, []),
        lambda: SignedResponse(200, b" " * (MAX_ANSWER_BYTES + 1)),
    ],
)
def test_what_does_not_pass_is_unavailable_after_three_tries_without_a_word_of_the_request(
    serve: Callable[..., Server], bad: Answers
) -> None:
    server = serve(*[bad] * 10)
    with pytest.raises(StoreUnavailableError) as raised:
        SignedClient().call("GetItem", {"TableName": "acme-table"})

    assert server.requests == TRIES
    assert raised.value.__context__ is None
    assert not any(secret in str(raised.value) for secret in (SECRET, "acme-table"))


def test_a_condition_or_an_invalid_request_is_not_tried_again(serve: Callable[..., Server]) -> None:
    unmet = answers(400, {"__type": "com.amazonaws.dynamodb#ConditionalCheckFailedException"})
    denied = answers(400, {"__type": "com.amazon.coral#AccessDeniedException", "message": SECRET})
    server = serve(unmet, denied)
    with pytest.raises(ConditionFailedError):
        SignedClient().call("UpdateItem", {})
    with pytest.raises(StoreUnavailableError, match="AccessDeniedException"):
        SignedClient().call("UpdateItem", {})

    assert server.requests == 2


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_or_region_nothing_is_sent(missing: str) -> None:
    with pytest.raises(SettingsError):
        signed_headers(DYNAMODB, "GetItem", b"{}", "x", {**ENVIRONMENT, missing: ""}, MOMENT)


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({"AWS_REGION": "us-east-1"}, "https://dynamodb.us-east-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4000"}, "http://127.0.0.1:4000"),
    ],
)
def test_the_address_is_the_regions_or_the_environments(
    environ: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert endpoint("dynamodb").geturl() == address


def test_the_address_of_secrets_manager_has_the_variable_that_boto3_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert endpoint("secretsmanager").geturl() == "https://secretsmanager.us-east-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:4000")

    theirs = boto3.client("secretsmanager", "us-east-1").meta.endpoint_url

    assert endpoint("secretsmanager").geturl() == theirs == "http://127.0.0.1:4000"
