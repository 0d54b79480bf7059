"""A tenant over its rate has to wait; its neighbour has not. What counts is the work that was caused."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import (
    BURST_SECONDS,
    BYTES_PER_CPU_SECOND,
    MAX_CPU_SHARE,
    RateLimit,
    RequestWork,
)
from functions.ingest.staging_writer import StagingWriter
from functions.shared.access import Principal
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from tests.integration.http_events import drain_event

RATE = 1000


def caller(name: str) -> Principal:
    return Principal(
        tenant=TenantId(name),
        key_id="k",
        project_id="default",
        scopes=frozenset({"ingest"}),
        retention_days=30,
        bytes_per_second=RATE,
        refusal="",
        actor="key:k",
        plan="managed_30",
    )


def test_a_tenant_in_debt_waits_until_it_is_paid() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    limit.admit(caller("acme"))
    limit.charge(caller("acme"), RATE * (BURST_SECONDS + 3))
    with pytest.raises(HttpError) as caught:
        limit.admit(caller("acme"))
    assert (caught.value.status, caught.value.code) == (429, "backpressure_saturated")
    assert caught.value.retry_after_seconds is not None
    assert caught.value.retry_after_seconds <= 2
    limit.admit(caller("globex"))
    now[0] = 3.1
    limit.admit(caller("acme"))


def test_a_tenant_within_its_rate_never_waits() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    for _ in range(1000):
        limit.admit(caller("acme"))
        limit.charge(caller("acme"), RATE // 10)
        now[0] += 0.1


GZIP = {"content-encoding": "gzip"}
LINES = {"content-type": "application/x-ndjson"}
PLENTY = 4_000_000
RATE_OF_PLENTY = PLENTY // BURST_SECONDS // 2


def drained(ingest: Ingest, body: bytes, headers: dict[str, str], tenant: str = "acme") -> int:
    """The status of POST /v1/drain for a tenant of RATE_OF_PLENTY."""
    event = drain_event(body, headers, tenant)
    event["requestContext"]["authorizer"]["lambda"]["bytes_per_second"] = str(RATE_OF_PLENTY)
    try:
        return int(answer_to(event, ingest)["statusCode"])
    except HttpError as refusal:
        return refusal.status


def fail(*_: Any) -> Any:
    raise BucketUnavailableError("SlowDown")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (202, b'{"message":"%b"}\n' % (b"x" * 1000) * 4000, LINES),
        (400, b"5\n" * 100_000 + b" " * PLENTY, LINES),
        (400, b"[" + b" " * PLENTY, {}),
        (400, b" " * PLENTY, {}),
        (400, b"\xff" * PLENTY, LINES),
        (413, b"[%b1]" % (b"1," * (PLENTY // 2)), {}),
        (413, b'[{"message":"%b"}]' % (b"x" * 9_000_000), {}),
        (409, b'{"message":"%b"}\n' % (b"y" * 1000) * 4000, {**LINES, "idempotency-key": "used"}),
        (503, b'{"message":"%b"}\n' % (b"x" * 1000) * 4000, LINES),
    ],
    ids=["accepted", "all-rejected", "cut-off", "empty", "not-utf8", "too-many", "too-large", "reused", "s3"],
)
def test_a_request_is_charged_for_what_it_decoded_to_whatever_its_end(
    status: int, body: bytes, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = PlatformBucket(MemoryStore())
    ingest = Ingest(StagingWriter(bucket), RateLimit(lambda: 0.0, lambda: 0.0))
    assert drained(ingest, b'{"message":"a"}', {"idempotency-key": "used"}) == 202
    if status == 503:
        monkeypatch.setattr(bucket, "create", fail)
    assert drained(ingest, gzip.compress(body), {**GZIP, **headers}) == status
    assert drained(ingest, b'{"message":"a"}', {}) == 429
    monkeypatch.undo()
    assert drained(ingest, b'{"message":"a"}', {}, "globex") == 202


def test_a_broken_body_is_charged_for_what_came_of_it_before_it_broke() -> None:
    ingest = Ingest(StagingWriter(PlatformBucket(MemoryStore())), RateLimit(lambda: 0.0, lambda: 0.0))
    body = gzip.compress(b'{"message":"%b"}\n' % (b"x" * 1000) * 9000)
    assert drained(ingest, body[:-100], {**GZIP, **LINES}) == 400
    assert drained(ingest, b'{"message":"a"}', {}) == 429


def ticking(seconds: float) -> Callable[[], float]:
    """A CPU clock by which whatever is measured takes so long."""
    now = [0.0]

    def read() -> float:
        now[0] += seconds
        return now[0]

    return read


@pytest.mark.parametrize("body", [b"", b"[NaN]", b'{"message":"a"}'])
def test_a_small_body_that_took_long_is_charged_by_its_cpu_time(body: bytes) -> None:
    seconds = 2 * BURST_SECONDS * RATE_OF_PLENTY / BYTES_PER_CPU_SECOND
    now = [0.0]
    ingest = Ingest(StagingWriter(PlatformBucket(MemoryStore())), RateLimit(lambda: now[0], ticking(seconds)))
    assert drained(ingest, body, {}) in (202, 400)
    assert drained(ingest, b"", {}) == 429
    assert drained(ingest, b"", {}, "globex") == 400
    now[0] = BURST_SECONDS + 0.1
    assert drained(ingest, b"", {}) == 400


def test_no_rate_buys_more_than_its_share_of_an_environments_cpu() -> None:
    """By the clocks of a tenant that sends whenever it may, what takes a second each time."""
    for rate in (BYTES_PER_CPU_SECOND // 8, BYTES_PER_CPU_SECOND, 8 * BYTES_PER_CPU_SECOND):
        now, worked = [0.0], 0
        limit = RateLimit(lambda now=now: now[0], ticking(1.0))  # type: ignore[misc]
        sender = caller("acme")._replace(bytes_per_second=rate)
        while now[0] < 1000:
            try:
                with limit.charging(sender, RequestWork()):
                    worked += 1
                now[0] += 1
            except HttpError:
                now[0] += 0.1
        assert worked / now[0] <= min(MAX_CPU_SHARE, rate / BYTES_PER_CPU_SECOND) + 0.01


def test_who_sends_no_key_or_may_not_send_is_neither_judged_nor_charged() -> None:
    limit = RateLimit(lambda: 0.0, ticking(10**9))
    ingest = Ingest(StagingWriter(PlatformBucket(MemoryStore())), limit)
    event = drain_event(b'{"message":"a"}')
    event["requestContext"]["authorizer"]["lambda"]["refusal"] = "trial_ended"
    for _ in range(2):
        with pytest.raises(HttpError) as refusal:
            answer_to(event, ingest)
        assert refusal.value.status == 402
    event["requestContext"]["authorizer"]["lambda"] = {"verdict": "unknown_key"}
    with pytest.raises(HttpError) as refusal:
        answer_to(event, ingest)
    assert refusal.value.status == 401
    assert drained(ingest, b'{"message":"a"}', {}) == 202
