"""Sessions of customers' roles: each for its own tenant, replaced before it ends, and no more than needed."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.shared.buckets.contract import BucketRefusedError
from functions.shared.byoc.buckets import ByocBuckets, NoDestinationError
from functions.shared.byoc.destination import AccessKey, CustomerRole, Destination
from functions.shared.byoc.destination_store import DestinationCache
from functions.shared.byoc.role_sessions import (
    LEAST_SECONDS,
    MIN_AGE_SECONDS,
    REFUSED_SECONDS,
    RENEW_SECONDS,
    SESSION_SECONDS,
    RoleClient,
    RoleRefusedError,
    RoleServiceUnavailableError,
    RoleSession,
    RoleSessions,
)
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from tests.unit.shared.fake_kms import full_report

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
ROLE_ARN = "arn:aws:iam::111122223333:role/byoc-astralog"
EXTERNAL_IDS = {ACME: "id-of-acme", GLOBEX: "id-of-globex"}
CANARY = "canary-secret-of-a-session"


def destination(tenant: TenantId = ACME, **changes: Any) -> Destination:
    address = ClickHouseAddress("ch.example", 8443, True, "u", SecretText("p"), "logs")
    role = CustomerRole(ROLE_ARN, EXTERNAL_IDS[tenant])
    made = Destination(tenant, 1, f"{tenant}-logs", "us-east-1", None, role, address, "exactly_once", 30)
    return replace(made, **changes)


def role_of(chosen: Destination) -> CustomerRole:
    assert isinstance(chosen.access, CustomerRole)
    return chosen.access


@dataclass
class FakeSts:
    """STS with one role, that of acme, which requires acme's external id. `fault`: what is raised instead."""

    now: float = 1_800_000_000.0
    fault: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.fault:
            raise self.fault
        if request["ExternalId"] != EXTERNAL_IDS[ACME]:
            raise refusal("AccessDenied")
        number = len(self.asked)
        ends_at = datetime.fromtimestamp(self.now + request["DurationSeconds"], UTC)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{number}",
                "SecretAccessKey": CANARY,
                "SessionToken": f"token-{number}",
                "Expiration": ends_at,
            }
        }

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Arn": "arn:aws-us-gov:sts::444455556666:assumed-role/ingest/x"}


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "AssumeRole")


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts()


@pytest.fixture
def sessions(sts: FakeSts) -> RoleSessions:
    return RoleSessions(sts, lambda: sts.now)


def current(sessions: RoleSessions, chosen: Destination | None = None) -> RoleSession:
    chosen = chosen or destination()
    return sessions.current(chosen, role_of(chosen))


def test_another_tenants_role_is_asked_for_with_the_own_external_id(
    sts: FakeSts, sessions: RoleSessions
) -> None:
    """Globex sends acme's role: STS gets globex's external id, which acme's role does not trust."""
    assert current(sessions).access_key.key_id == SecretText("ASIA1")

    with pytest.raises(RoleRefusedError):
        current(sessions, destination(GLOBEX))

    assert [(each["RoleArn"], each["ExternalId"]) for each in sts.asked] == [
        (ROLE_ARN, "id-of-acme"),
        (ROLE_ARN, "id-of-globex"),
    ]


def test_a_session_names_its_tenant_and_reaches_its_bucket_only(sts: FakeSts, sessions: RoleSessions) -> None:
    current(sessions)
    with pytest.raises(RoleRefusedError):
        current(sessions, destination(GLOBEX))

    for asked, tenant in zip(sts.asked, (ACME, GLOBEX), strict=True):
        assert asked["RoleSessionName"] == f"astralog-{tenant}"
        assert asked["DurationSeconds"] == SESSION_SECONDS
        resources = json.dumps([each["Resource"] for each in json.loads(asked["Policy"])["Statement"][:2]])
        assert f"arn:aws:s3:::{tenant}-logs/staged/v1/tenant={tenant}/*" in resources


def test_a_session_of_the_longest_tenant_id_has_a_name_that_sts_accepts(sts: FakeSts) -> None:
    long = TenantId("t" * 63)
    made = replace(destination(), tenant=long)
    RoleSessions(sts, lambda: sts.now).current(made, role_of(made))

    assert len(sts.asked[0]["RoleSessionName"]) == 64


def test_a_session_is_kept_until_it_is_about_to_end(sts: FakeSts, sessions: RoleSessions) -> None:
    first = current(sessions)
    sts.now += SESSION_SECONDS - RENEW_SECONDS - 1
    assert current(sessions) is first
    sts.now += 1
    assert current(sessions) is not first
    assert len(sts.asked) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"bucket": "other-logs"},
        {"region": "eu-central-1"},
        {"access": CustomerRole(f"{ROLE_ARN}-2", "id-of-acme")},
    ],
)
def test_a_changed_destination_gets_a_session_of_its_own(
    sts: FakeSts, sessions: RoleSessions, changes: dict[str, Any]
) -> None:
    first = current(sessions)
    assert current(sessions, destination(**changes)) is not first
    assert len(sts.asked) == 2


def test_a_refusal_is_remembered_for_some_seconds(sts: FakeSts, sessions: RoleSessions) -> None:
    """STS's quota is shared: a customer whose role is broken must not use it up with each request."""
    sts.fault = refusal("AccessDenied")
    for _ in range(100):
        with pytest.raises(RoleRefusedError):
            current(sessions)
    assert len(sts.asked) == 1
    sts.fault = None
    sts.now += REFUSED_SECONDS
    assert current(sessions).access_key.session_token == SecretText("token-2")


def test_a_repaired_role_with_another_arn_is_tried_at_once(sts: FakeSts, sessions: RoleSessions) -> None:
    sts.fault = refusal("AccessDenied")
    with pytest.raises(RoleRefusedError):
        current(sessions)
    sts.fault = None
    assert current(sessions, destination(access=CustomerRole(f"{ROLE_ARN}-2", "id-of-acme")))


def test_a_rejected_session_is_replaced_unless_it_is_new(sts: FakeSts, sessions: RoleSessions) -> None:
    first = current(sessions)
    sessions.evict(ACME)
    assert current(sessions) is first
    sts.now += MIN_AGE_SECONDS
    sessions.evict(GLOBEX)
    assert current(sessions) is first
    sessions.evict(ACME)
    assert current(sessions) is not first


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refusal("AccessDenied"), RoleRefusedError),
        (refusal("ValidationError"), RoleRefusedError),
        (refusal("RegionDisabledException"), RoleRefusedError),
        (
            refusal("AccessDenied", "… because no identity-based policy allows the sts:AssumeRole action"),
            RoleServiceUnavailableError,
        ),
        (refusal("Throttling"), RoleServiceUnavailableError),
        (refusal("ExpiredTokenException"), RoleServiceUnavailableError),
        (refusal("PackedPolicyTooLarge"), RoleServiceUnavailableError),
        (EndpointConnectionError(endpoint_url=f"https://{CANARY}"), RoleServiceUnavailableError),
    ],
)
def test_what_the_customer_can_change_is_distinguished_from_our_own_faults(
    sts: FakeSts, sessions: RoleSessions, fault: Exception, kind: type[Exception]
) -> None:
    sts.fault = fault
    with pytest.raises(kind) as caught:
        current(sessions)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert CANARY not in str(caught.value)


def test_while_sts_is_away_a_session_is_used_to_its_end(sts: FakeSts, sessions: RoleSessions) -> None:
    first = current(sessions)
    sts.fault = refusal("ServiceUnavailable")
    sts.now += SESSION_SECONDS - LEAST_SECONDS - 1
    assert current(sessions) is first
    sts.now += 1
    with pytest.raises(RoleServiceUnavailableError):
        current(sessions)


def test_a_refusal_ends_the_use_of_an_earlier_session(sts: FakeSts, sessions: RoleSessions) -> None:
    """The customer may have withdrawn its trust."""
    current(sessions)
    sts.now += SESSION_SECONDS - RENEW_SECONDS
    sts.fault = refusal("AccessDenied")
    with pytest.raises(RoleRefusedError):
        current(sessions)


def test_our_own_account_is_that_of_the_calling_function(sessions: RoleSessions) -> None:
    assert sessions.own_account() == ("aws-us-gov", "444455556666")


def test_no_credential_is_shown_or_logged(
    sts: FakeSts, sessions: RoleSessions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = current(sessions)
    sts.fault = refusal("AccessDenied", CANARY)
    with pytest.raises(RoleRefusedError) as caught:
        sessions.assume(destination(), role_of(destination()))

    shown = [repr(session), repr(sessions._kept), full_report(caught.value), caplog.text]
    assert not any(CANARY in each or "token-1" in each for each in shown)


class OneClient:
    """A client that says which session it has."""

    def __init__(self, key: AccessKey) -> None:
        self._key = key

    def which(self) -> str:
        assert self._key.session_token is not None
        return self._key.session_token.reveal()


def test_a_client_in_the_middle_of_a_run_gets_a_new_session(sts: FakeSts, sessions: RoleSessions) -> None:
    made: list[AccessKey] = []

    def make(key: AccessKey) -> OneClient:
        made.append(key)
        return OneClient(key)

    client = RoleClient(lambda: current(sessions), make)
    assert [client.which(), client.which()] == ["token-1", "token-1"]
    sts.now += SESSION_SECONDS - RENEW_SECONDS
    assert [client.which(), client.which()] == ["token-2", "token-2"]
    assert len(made) == 2


class Stored:
    """functions.shared.byoc.destination_store.DestinationStore."""

    def __init__(self, *destinations: Destination) -> None:
        self.items = {each.tenant: each for each in destinations}

    def get(self, tenant: TenantId) -> Destination | None:
        return self.items.get(tenant)


def buckets(sts: FakeSts, *destinations: Destination) -> tuple[ByocBuckets, RoleSessions, Stored]:
    stored, sessions = Stored(*destinations), RoleSessions(sts, lambda: sts.now)
    recent = DestinationCache(stored, clock=lambda: sts.now)  # type: ignore[arg-type]
    return ByocBuckets(recent, clock=lambda: sts.now, roles=sessions), sessions, stored


CALLS: dict[str, Callable[[Any], object]] = {
    "create": lambda bucket: bucket.create("x", b"y"),
    "replace": lambda bucket: bucket.replace("x", b"y", "etag"),
    "get": lambda bucket: bucket.get("x"),
    "etag_of": lambda bucket: bucket.etag_of("x"),
    "delete": lambda bucket: bucket.delete(["x"]),
    "under": lambda bucket: list(bucket.under("x/")),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_refused_role_is_a_bucket_that_refuses_and_an_outage_of_sts_is_not(
    sts: FakeSts, call: Callable[[Any], object]
) -> None:
    """All functions handle a bucket that refuses as the customer's fault; an outage of STS is not theirs."""
    opened, _, _ = buckets(sts, destination(), destination(GLOBEX))
    with pytest.raises(BucketRefusedError) as caught:
        call(opened.bucket(GLOBEX))
    assert caught.value.reason == "RoleRefusedError"
    sts.fault = refusal("Throttling")
    with pytest.raises(RoleServiceUnavailableError):
        call(opened.bucket(ACME))


def test_what_is_kept_goes_with_the_destination(sts: FakeSts) -> None:
    opened, sessions, stored = buckets(sts, destination())
    current(sessions)
    assert ACME in sessions._kept
    stored.items.clear()
    opened.evict(ACME)
    with pytest.raises(NoDestinationError):
        opened.bucket(ACME)
    assert ACME not in sessions._kept
