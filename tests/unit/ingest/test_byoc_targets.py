"""A BYOC customer's logs go into their own bucket; not a byte of them rests with us, nor without a bucket."""

import base64
import json
from contextlib import nullcontext
from typing import Any

import obstore
import pytest
from backports import zstd
from obstore.store import MemoryStore

from functions.ingest import handler as ingesting
from functions.ingest.byoc_targets import ByocTargets
from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.ingest.wait_places import WaitPlaces
from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.encryption import KeyServiceUnavailableError
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.notifications import NotificationError, QueueNotifier
from functions.shared.tenancy import TenantId
from functions.sync.notifications import read_messages
from tests.integration.http_events import drain_event

CANARY = "canary-4f1d"
RETENTION_DAYS = 365


class Sqs:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        assert QueueUrl == "staged-byoc"
        self.bodies.append(MessageBody)


class Keeper:
    """Buckets in memory; `fault` is raised instead of one."""

    def __init__(self, **buckets: Any) -> None:
        self.buckets = buckets
        self.fault: Exception | None = None
        self.forgotten: list[str] = []

    def destination(self, tenant: TenantId) -> Any:
        if tenant not in self.buckets:
            raise NoDestinationError("none")
        return type("Destination", (), {"retention_days": RETENTION_DAYS})

    def bucket(self, tenant: TenantId) -> Any:
        if self.fault:
            raise self.fault
        return self.buckets[tenant]

    def evict(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


class NoLimits:
    """No bucket here is slow; tests/unit/ingest/test_slow_buckets.py is about those."""

    def admitted(self, _tenant: TenantId) -> Any:
        return nullcontext()

    def charge(self, tenant: TenantId) -> None:
        raise AssertionError(tenant)


class World:
    def __init__(self) -> None:
        self.ours, self.theirs, self.others = MemoryStore(), MemoryStore(), MemoryStore()
        self.places = MemoryStore()
        self.sqs = Sqs()
        self.keeper = Keeper(initech=PlatformBucket(self.theirs), hooli=PlatformBucket(self.others))
        notifier = QueueNotifier("staged-byoc", "ingest", self.sqs)
        places = WaitPlaces(PlatformBucket(self.places), 40).lease
        self.ingest = Ingest(
            StagingWriter(PlatformBucket(self.ours)),
            RateLimit(),
            ByocTargets(self.keeper, notifier, NoLimits()),  # type: ignore[arg-type]
            places,
        )

    def send(self, tenant: str = "initech", plan: str = "byoc", query: Any = None, **headers: str) -> Any:
        body = json.dumps([{"message": CANARY}, {"message": f"{CANARY} too"}]).encode()
        event = drain_event(body, {name.replace("_", "-"): each for name, each in headers.items()}, tenant)
        event["requestContext"]["authorizer"]["lambda"]["plan"] = plan
        event["queryStringParameters"] = query
        response = answer_to(event, self.ingest)
        return response["statusCode"], json.loads(response["body"])

    def notifications(self) -> list[Any]:
        records = [
            {
                "messageId": "m",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for body in self.sqs.bodies
        ]
        return read_messages({"Records": records})


def keys(store: Any) -> list[str]:
    return sorted(each["path"] for some in obstore.list(store) for each in some)


@pytest.fixture
def here() -> World:
    return World()


def test_logs_are_staged_in_the_customers_bucket_and_sync_gets_their_name_alone(here: World) -> None:
    assert here.send()[0] == 202
    assert keys(here.ours) == keys(here.others) == []
    (key,) = keys(here.theirs)
    (message,) = here.notifications()
    assert message.tenant == "initech"
    (notified,) = message.objects
    found = obstore.head(here.theirs, key)
    assert (notified.key, notified.size_bytes) == (key, found["size"])
    assert notified.etag == str(found["e_tag"]).strip('"')
    parsed = StagedKey.parse(key)
    assert (parsed.expires_on - parsed.day).days == RETENTION_DAYS, "the destination's days, not the plan's"
    assert CANARY in zstd.decompress(bytes(obstore.get(here.theirs, key).bytes())).decode()
    assert not any(
        CANARY in body or base64.b64encode(CANARY.encode()).decode() in body for body in here.sqs.bodies
    )


def test_tenants_of_each_kind_use_their_own_bucket(here: World) -> None:
    here.send("initech")
    here.send("hooli")
    here.send("acme", plan="managed_30")
    for store, tenant in ((here.theirs, "initech"), (here.others, "hooli"), (here.ours, "acme")):
        (key,) = keys(store)
        assert StagedKey.parse(key).tenant == tenant
    assert [each.tenant for each in here.notifications()] == ["initech", "hooli"], (
        "S3 itself notifies for our bucket"
    )


def test_without_a_destination_nothing_is_taken_and_the_answer_says_what_to_do(here: World) -> None:
    with pytest.raises(HttpError) as refusal:
        here.send("newcomer")
    assert (refusal.value.status, refusal.value.code) == (403, "no_destination")
    assert "PUT /v1/destination" in refusal.value.message
    assert keys(here.ours) == []


def test_without_byoc_targets_a_byoc_tenant_does_not_get_ours(here: World) -> None:
    here.ingest = Ingest(StagingWriter(PlatformBucket(here.ours)), RateLimit())
    with pytest.raises(HttpError):
        here.send()
    assert keys(here.ours) == []


@pytest.mark.parametrize(
    ("fault", "code", "forgets"),
    [
        (BucketUnavailableError("SlowDown"), "destination_unavailable", False),
        (BucketRefusedError("InvalidAccessKeyId"), "destination_unavailable", True),
        (BucketRefusedError("AddressRefusedError"), "destination_unavailable", True),
        (KeyServiceUnavailableError("KMS"), "staging_unavailable", False),
    ],
)
def test_a_bucket_that_does_not_take_it_is_a_503_and_nothing_is_kept(
    here: World, fault: Exception, code: str, forgets: bool
) -> None:
    def refuse(*_: Any) -> Any:
        raise fault

    if isinstance(fault, KeyServiceUnavailableError):
        here.keeper.fault = fault
    else:
        here.keeper.buckets["initech"].create = refuse
    with pytest.raises(HttpError) as refusal:
        here.send()
    assert (refusal.value.status, refusal.value.code) == (503, code)
    assert (refusal.value.retry_after_seconds or 9) <= 2
    assert keys(here.ours) == keys(here.theirs) == here.sqs.bodies == []
    assert here.keeper.forgotten == (["initech"] if forgets else [])


def test_logs_whose_notification_fails_are_still_accepted(
    here: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise NotificationError("SQS: ServiceUnavailable")

    monkeypatch.setattr(QueueNotifier, "notify", fail)
    assert here.send()[0] == 202
    assert len(keys(here.theirs)) == 1
    assert '"UnpublishedObjects":1' in capsys.readouterr().out


def test_an_idempotency_key_is_stored_in_the_customers_bucket_and_a_repeat_is_published(here: World) -> None:
    for _ in range(2):
        assert here.send(idempotency_key="k1")[0] == 202
    staged = [key for key in keys(here.theirs) if is_staged(key)]
    assert len(staged) == 1
    assert len(keys(here.theirs)) == 2, "the object and its mark"
    assert keys(here.ours) == []
    # If the first died before it published, the second does it.
    assert [each.objects[0].key for each in here.notifications()] == staged * 2


def test_waiting_looks_into_their_bucket(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "WAIT_SECONDS", 0.5)
    assert here.send(query={"wait": "true"})[0] == 202
    real = Sqs.send_message

    def load(sqs: Any, **message: Any) -> None:
        real(sqs, **message)
        obstore.delete(here.theirs, keys(here.theirs))

    monkeypatch.setattr(Sqs, "send_message", load)
    assert here.send(query={"wait": "true"})[0] == 200
    for key in keys(here.places):
        assert b"initech" not in bytes(obstore.get(here.places, key).bytes()), (
            "places hold nothing of a tenant"
        )
