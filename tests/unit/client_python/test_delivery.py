"""Whatever becomes of requests and responses: each record has one result, and is stored at most once."""

import gzip
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astralog._buffer import Buffer, Limits
from astralog._delivery import Backoff, Delivery
from astralog._errors import DeliveryError
from astralog._transport import Response, seconds_of
from tests.examples import examples

LONG = 60.0
QUICK = Backoff(1e-6, 1e-5)


class ScriptedService:
    """Answers each request by the next of `script`, and stores bodies as the service documents."""

    def __init__(self, script: list[str], max_lines: int) -> None:
        self._script = script
        self._max_lines = max_lines
        self._bodies: dict[str, bytes] = {}
        self.stored: list[bytes] = []

    def post(self, body: bytes, encoding: str | None, idempotency_key: str) -> Response:
        lines = (gzip.decompress(body) if encoding else body).splitlines()
        step = self._script.pop(0) if self._script else "stored"
        if step == "no connection":
            raise ConnectionRefusedError
        if step.isdigit():
            return Response(int(step))
        if len(lines) > self._max_lines:
            return Response(413)
        rejected = [line for line in lines if line.startswith(b"bad")]
        if idempotency_key not in self._bodies:
            self._bodies[idempotency_key] = body
            self.stored += [line for line in lines if line not in rejected]
        if self._bodies[idempotency_key] != body:
            return Response(409)
        if step == "response lost":
            raise TimeoutError
        return Response(202, document={"rejected": len(rejected)})

    def close(self) -> None:
        """Nothing is open."""


def delivery_of(
    lines: list[bytes],
    service: ScriptedService,
    report: Callable[[DeliveryError], None],
    *,
    batch: int = 3,
    compress: bool = True,
    retry_seconds: float = LONG,
    close_seconds: float = LONG,
    backoff: Backoff = QUICK,
) -> Buffer:
    """The buffer, after all that it held was delivered as far as the service let it."""
    buffer = Buffer(Limits(batch, 1000, LONG, 10_000, 1_000_000))
    for line in lines:
        buffer.put(line)
    buffer.begin_close(close_seconds)
    Delivery(buffer, service, report, compress=compress, retry_seconds=retry_seconds, backoff=backoff).run()
    return buffer


STEPS = ("stored", "response lost", "no connection", "429", "402", "500", "503")
FINAL = ("400", "401", "301", "404")


@examples(300)
@given(
    kinds=st.lists(st.sampled_from(("good", "bad")), max_size=12),
    script=st.lists(st.sampled_from(STEPS), max_size=30),
    batch=st.integers(1, 6),
    max_lines=st.integers(1, 6),
    compress=st.booleans(),
)
def test_nothing_is_lost_or_doubled_while_the_service_recovers(
    kinds: list[str], script: list[str], batch: int, max_lines: int, compress: bool
) -> None:
    lines = [f"{kind} {number}".encode() for number, kind in enumerate(kinds)]
    service = ScriptedService(script, max_lines)
    buffer = delivery_of(lines, service, lambda _: None, batch=batch, compress=compress)
    assert service.stored == [line for line in lines if line.startswith(b"good")]
    counts = buffer.statistics()
    assert (counts.sent, counts.rejected) == (kinds.count("good"), kinds.count("bad"))
    assert (counts.dropped, counts.buffered) == (0, 0)


@examples(300)
@given(
    count=st.integers(0, 12),
    script=st.lists(st.sampled_from(STEPS + FINAL), max_size=30),
    batch=st.integers(1, 6),
    retry_seconds=st.sampled_from([1e-6, LONG]),
)
def test_every_record_has_one_result_that_is_true(
    count: int, script: list[str], batch: int, retry_seconds: float
) -> None:
    """A record counted as sent is stored; nothing is stored twice; what is lost is reported."""
    lines = [f"good {number}".encode() for number in range(count)]
    service = ScriptedService(script, 100)
    errors: list[DeliveryError] = []
    buffer = delivery_of(lines, service, errors.append, batch=batch, retry_seconds=retry_seconds)
    counts = buffer.statistics()
    assert counts.sent + counts.rejected + counts.dropped == count
    assert counts.buffered == 0
    assert counts.sent <= len(service.stored)
    assert max(Counter(service.stored).values(), default=1) == 1
    assert sum(error.lost for error in errors) == counts.rejected + counts.dropped


def test_a_failure_of_the_client_itself_is_counted_and_the_next_batch_is_sent() -> None:
    class Failing(ScriptedService):
        def post(self, body: bytes, encoding: str | None, idempotency_key: str) -> Response:
            if b"1" in gzip.decompress(body):
                raise AssertionError
            return super().post(body, encoding, idempotency_key)

    service, errors = Failing([], 100), list[DeliveryError]()
    buffer = delivery_of([b"good 1", b"good 2"], service, errors.append, batch=1)
    assert service.stored == [b"good 2"]
    assert buffer.statistics() == (1, 0, 1, 0, 0)
    assert [(error.lost, str(error)) for error in errors] == [(1, "Sending failed: AssertionError.")]


@pytest.mark.parametrize(("status", "least"), [("401", 0.3), ("404", 0.3), ("301", 0.3), ("400", 0.0)])
def test_sending_pauses_while_every_request_is_rejected(status: str, least: float) -> None:
    service = ScriptedService([status] * 3, 100)
    started = time.monotonic()
    buffer = delivery_of([b"good"] * 3, service, lambda _: None, batch=1, backoff=Backoff(0.2, 0.2))
    assert time.monotonic() - started >= least
    assert buffer.statistics() == (0, 3, 0, 0, 0)


def test_after_the_deadline_of_close_nothing_is_sent() -> None:
    service = ScriptedService([], 100)
    buffer = delivery_of([b"good 1"], service, lambda _: None, close_seconds=0)
    assert buffer.end() == 1
    assert service.stored == []
    assert buffer.statistics() == (0, 0, 1, 0, 0)


def test_waits_double_up_to_a_bound_and_differ() -> None:
    backoff = Backoff(0.5, 30.0)
    for failures, longest in ((1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (10_000, 30.0)):
        waits = {backoff.seconds(failures) for _ in range(50)}
        assert longest / 2 <= min(waits) < max(waits) <= longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 50, None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
    ],
)
def test_a_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header) == seconds


def test_a_date_in_the_future_is_waited_for() -> None:
    found = seconds_of("Fri, 01 Jan 2100 00:00:00 GMT")
    assert found is not None
    assert found > 10**9
