"""The handler against a service on the loopback address that fails in every way."""

import gc
import io
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

import astralog
from astralog._delivery import Backoff
from tests.unit.client_python.service import KEY, DrainService, drain_service

WAIT_SECONDS = 20.0
"""For what takes milliseconds: the machine may do other work."""


class QuickHandler(astralog.Handler):
    """Retries at once instead of after half a second."""

    _backoff = Backoff(0.001, 0.01)


@pytest.fixture
def service() -> Iterator[DrainService]:
    with drain_service() as running:
        yield running


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger(f"tests.{uuid4().hex}")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made
    for handler in list(made.handlers):
        made.removeHandler(handler)
        handler.close()


def attached(logger: logging.Logger, service: DrainService, **settings: Any) -> astralog.Handler:
    given = {"url": service.url, "key": KEY, "batch_seconds": 0.01, "on_error": lambda _error: None}
    handler = QuickHandler(**{**given, **settings})
    logger.addHandler(handler)
    return handler


def test_records_arrive_in_order_compressed_and_in_batches(
    service: DrainService, logger: logging.Logger
) -> None:
    handler = attached(logger, service, project="web", batch_events=100, batch_seconds=60)
    for number in range(250):
        logger.info("line %d", number)
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == [f"line {number}" for number in range(250)]
    assert [len(body.splitlines()) for body in service.bodies.values()] == [100, 100, 50]
    assert {headers["content-encoding"] for headers in service.headers} == {"gzip"}
    assert {headers["content-type"] for headers in service.headers} == {"application/x-ndjson"}
    assert len(service.connections) == 1
    assert handler.statistics == (250, 0, 0, 0, 0)


def test_a_batch_is_sent_when_it_has_its_bytes_or_its_age(
    service: DrainService, logger: logging.Logger
) -> None:
    handler = attached(logger, service, batch_bytes=2000, batch_seconds=60, compress=False)
    for _ in range(40):
        logger.info("x" * 100)
    wait_until(lambda: len(service.bodies) > 2)
    assert all(len(body) <= 2100 for body in service.bodies.values())
    assert "content-encoding" not in service.headers[0]
    handler.close()
    attached(logger, service, batch_seconds=0.05)
    logger.info("old")
    wait_until(lambda: service.messages[-1] == "old")


@pytest.mark.parametrize("fault", ["reset", "lost", "garbage", 500, 503, 429, 402, 408])
def test_a_batch_survives_a_fault_and_is_stored_once(
    service: DrainService, logger: logging.Logger, fault: object
) -> None:
    errors: list[astralog.DeliveryError] = []
    service.faults = [fault, fault]
    handler = attached(logger, service, on_error=errors.append)
    logger.info("one")
    logger.info("two")
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == ["one", "two"]
    assert handler.statistics._replace(retries=0) == (2, 0, 0, 0, 0)
    assert handler.statistics.retries >= 2
    assert [error.lost for error in errors[:2]] == [0, 0]
    assert errors[0].status == (fault if isinstance(fault, int) else None)
    keys = [headers["idempotency-key"] for headers in service.headers]
    assert keys[0] == keys[1] == keys[2]


def test_a_response_that_is_too_slow_is_a_retry_of_the_same_batch(
    service: DrainService, logger: logging.Logger
) -> None:
    service.faults = ["slow"]
    handler = attached(logger, service, timeout_seconds=0.1)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == ["one"]
    assert handler.statistics.retries >= 1


def test_a_retry_after_is_waited_for(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [(429, "1")]
    handler = attached(logger, service)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert service.times[1] - service.times[0] >= 1


def test_a_retry_after_beyond_the_retries_ends_them(service: DrainService, logger: logging.Logger) -> None:
    errors: list[astralog.DeliveryError] = []
    service.faults = [(429, "86400"), (429, "86400")]
    handler = attached(logger, service, retry_seconds=0.3, on_error=errors.append)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert handler.statistics == (0, 0, 1, 0, 1)
    assert (errors[-1].status, errors[-1].lost) == (429, 1)
    logger.info("two")
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == ["two"]


def test_a_batch_that_is_too_large_is_sent_in_parts(logger: logging.Logger) -> None:
    with drain_service(max_events=3) as service:
        handler = attached(logger, service, batch_events=20, batch_seconds=60)
        for number in range(20):
            logger.info("%d", number)
        assert handler.flush(WAIT_SECONDS)
        assert service.messages == [str(number) for number in range(20)]
        assert handler.statistics.sent == 20


def test_one_event_that_is_too_large_is_rejected(logger: logging.Logger) -> None:
    with drain_service(max_events=0) as service:
        handler = attached(logger, service)
        logger.info("one")
        assert handler.flush(WAIT_SECONDS)
        assert handler.statistics == (0, 1, 0, 0, 0)


def test_rejected_events_are_counted_and_reported(service: DrainService, logger: logging.Logger) -> None:
    errors: list[astralog.DeliveryError] = []
    handler = attached(logger, service, on_error=errors.append, batch_events=3, batch_seconds=60)
    for message in ("good", "bad", "good", "bad", "bad", "bad"):
        logger.info(message)
    assert handler.flush(WAIT_SECONDS)
    assert handler.statistics == (2, 4, 0, 0, 0)
    assert [(error.status, error.code, error.lost) for error in errors] == [
        (202, "message_missing", 1),
        (400, "all_rejected", 3),
    ]


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_not_followed(service: DrainService, logger: logging.Logger, status: int) -> None:
    errors: list[astralog.DeliveryError] = []
    service.faults = [status]
    handler = attached(logger, service, on_error=errors.append)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert handler.statistics.rejected == 1
    assert errors[0].status == status
    assert len(service.headers) == 1


def test_a_wrong_key_is_reported_without_the_key(service: DrainService, logger: logging.Logger) -> None:
    errors: list[astralog.DeliveryError] = []
    handler = attached(logger, service, key="ak_wrong_secret", on_error=errors.append)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert (errors[0].status, errors[0].code, errors[0].lost) == (401, "invalid_key", 1)
    assert "secret" not in repr(errors) + repr(handler) + repr(vars(handler)) + str(errors[0])


def test_a_full_buffer_drops_the_newest_record_and_says_so(
    service: DrainService, logger: logging.Logger
) -> None:
    errors: list[astralog.DeliveryError] = []
    service.faults = [(503, "1")]
    handler = attached(logger, service, buffer_events=10, batch_events=5, on_error=errors.append)
    for number in range(100):
        logger.info("%d", number)
    assert handler.statistics.dropped == 90
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == [str(number) for number in range(10)]
    assert handler.statistics._replace(retries=0) == (10, 0, 90, 0, 0)
    assert sum(error.lost for error in errors) == 90


def test_the_bytes_of_the_buffer_are_bounded(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [(503, "1")]
    handler = attached(logger, service, buffer_bytes=5_000)
    for _ in range(100):
        logger.info("x" * 1000)
    assert handler.statistics.dropped == 96
    assert handler.flush(WAIT_SECONDS)
    assert handler.statistics.sent == 4


def test_a_log_call_does_not_wait_for_the_network(service: DrainService, logger: logging.Logger) -> None:
    service.faults = ["slow"] * 10
    service.slow_seconds = 5
    attached(logger, service, batch_events=1, close_seconds=0.1)
    logger.info("first")
    wait_until(lambda: bool(service.headers))
    started = time.monotonic()
    for number in range(500):
        logger.info("line %d", number)
    assert time.monotonic() - started < 4


def test_a_failing_hook_changes_nothing(service: DrainService, logger: logging.Logger) -> None:
    def fail(_error: astralog.DeliveryError) -> None:
        raise RuntimeError("the application's mistake")

    service.faults = [500, "reset"]
    handler = attached(logger, service, on_error=fail)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == ["one"]


def test_what_the_handlers_own_thread_logs_is_not_sent(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [500, "reset", 500]
    handlers = [
        attached(logger, service, on_error=lambda error: logger.error("failed: %s", error)) for _ in "ab"
    ]
    logger.info("one")
    assert all(handler.flush(WAIT_SECONDS) for handler in handlers)
    assert service.messages == ["one", "one"]


def test_without_a_hook_the_standard_error_gets_one_line(
    service: DrainService, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    service.faults = [500, 500, 500]
    handler = attached(logger, service, on_error=None)
    logger.info("one")
    assert handler.flush(WAIT_SECONDS)
    (line,) = written.getvalue().splitlines()
    assert line == "astralog: The service answered 500 fault: As the test wants."


def test_a_record_that_cannot_be_encoded_is_counted(
    service: DrainService, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = attached(logger, service)
    monkeypatch.setattr(handler, "_encoder", None)
    logger.info("one")
    assert handler.statistics.dropped == 1


def test_close_sends_what_is_there_and_drops_what_comes_later(
    service: DrainService, logger: logging.Logger
) -> None:
    handler = attached(logger, service, batch_seconds=60)
    logger.info("one")
    handler.close()
    handler.close()
    logger.info("two")
    assert service.messages == ["one"]
    assert handler.statistics == (1, 0, 1, 0, 0)
    assert handler.flush(0)
    wait_until(lambda: not any(thread.name == "astralog" for thread in threading.enumerate()))


def test_close_ends_in_time_when_the_service_does_not_answer(logger: logging.Logger) -> None:
    errors: list[astralog.DeliveryError] = []
    with drain_service() as service:
        service.faults = [(503, "60")] * 10
        handler = attached(logger, service, on_error=errors.append)
        for _ in range(5):
            logger.info("lost")
        started = time.monotonic()
        handler.close(0.3)
        assert time.monotonic() - started < 5
    assert handler.statistics._replace(retries=0) == (0, 0, 5, 0, 0)
    wait_until(lambda: sum(error.lost for error in errors) == 5)


def test_a_response_after_close_changes_no_count(service: DrainService, logger: logging.Logger) -> None:
    service.faults = ["slow"]
    handler = attached(logger, service)
    logger.info("one")
    wait_until(lambda: bool(service.headers))
    handler.close(0.05)
    assert handler.statistics == (0, 0, 1, 0, 0)
    wait_until(lambda: not any(thread.name == "astralog" for thread in threading.enumerate()))
    assert handler.statistics == (0, 0, 1, 0, 0)
    assert service.messages == ["one"]


def test_a_log_call_does_not_wait_while_logging_shuts_down(
    service: DrainService, logger: logging.Logger
) -> None:
    service.faults = ["slow"]
    service.slow_seconds = 4
    handler = attached(logger, service)
    logger.info("one")
    wait_until(lambda: bool(service.headers))
    ending = threading.Thread(target=logging.shutdown, args=([weakref.ref(handler)],))
    ending.start()
    time.sleep(0.1)
    started = time.monotonic()
    logger.info("two")
    assert time.monotonic() - started < 3
    ending.join()


def test_flush_says_when_the_time_was_not_enough(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [(503, "1")]
    handler = attached(logger, service)
    logger.info("one")
    assert not handler.flush(0.05)
    assert handler.statistics.buffered == 1
    assert handler.flush(WAIT_SECONDS)


def test_the_handler_is_a_context_manager(service: DrainService, logger: logging.Logger) -> None:
    with attached(logger, service, batch_seconds=60) as handler:
        logger.info("one")
    assert handler.statistics.sent == 1


def test_filters_levels_and_formatters_are_those_of_logging(
    service: DrainService, logger: logging.Logger
) -> None:
    handler = attached(logger, service, level="WARNING")
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger.info("low")
    logger.error("a secret")
    logger.error("shown")
    assert handler.flush(WAIT_SECONDS)
    assert service.messages == ["[ERROR] shown"]


def test_a_signal_handler_may_log_within_a_log_call(service: DrainService, logger: logging.Logger) -> None:
    handler = attached(logger, service, buffer_events=100_000)
    previous = signal.signal(signal.SIGALRM, lambda *_: logger.info("from the signal"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for number in range(3000):
            logger.info("line %d", number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert handler.flush(WAIT_SECONDS)
    assert sorted(set(service.messages)) == sorted({"from the signal", *(f"line {n}" for n in range(3000))})
    assert handler.statistics.sent == len(service.messages)


def test_many_threads_lose_and_double_nothing(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [500, "lost", None, "reset", 429, "lost"]
    handler = attached(logger, service, batch_events=50)

    def log(thread: int) -> None:
        for number in range(200):
            logger.info("%d-%d", thread, number)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handler.flush(WAIT_SECONDS)
    assert sorted(service.messages) == sorted(f"{t}-{n}" for t in range(8) for n in range(200))


def test_two_accounts_share_nothing(logger: logging.Logger) -> None:
    other = logging.getLogger(f"{logger.name}.other")
    other.propagate = False
    with drain_service() as acme, drain_service() as globex:
        handlers = [attached(logger, acme, metadata={"of": "acme"}), attached(other, globex)]
        logger.info("of acme")
        other.info("of globex")
        assert all(handler.flush(WAIT_SECONDS) for handler in handlers)
        handlers[1].close()
        assert (acme.messages, globex.messages) == (["of acme"], ["of globex"])
        assert "of" not in globex.events[0]["metadata"]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_sends_its_own_records_only(service: DrainService, logger: logging.Logger) -> None:
    service.faults = [(503, "1")]
    handler = attached(logger, service)
    logger.info("of the parent")
    wait_until(lambda: bool(service.headers))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            logger.info("of the child")
            sent = handler.flush(WAIT_SECONDS)
            status = 0 if sent and handler.statistics == (1, 0, 0, 0, 0) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert handler.flush(WAIT_SECONDS)
    assert sorted(service.messages) == ["of the child", "of the parent"]


@pytest.mark.parametrize(
    "settings",
    [
        {"url": ""},
        {"key": ""},
        {"key": "ak_secret\n"},
        {"key": "ak secret"},
        {"url": "ftp://host"},
        {"url": "https://user:secret@host"},
        {"url": "https://host?key=secret"},
        {"url": "http://example.com"},
        {"url": "https://ho st"},
        {"url": "https://host:secret"},
        {"batch_events": 0},
        {"buffer_bytes": "many"},
        {"batch_bytes": 5_000_000},
        {"retry_seconds": 90_000},
        {"max_message_chars": 1_000_000},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_an_error_without_the_key(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASTRALOG_URL", raising=False)
    monkeypatch.delenv("ASTRALOG_KEY", raising=False)
    if settings == {"key": "ak_secret\n"}:  # a line break at the end is what files have
        astralog.Handler(**{"url": "https://host", **settings}).close()
        return
    with pytest.raises(ValueError, match=r".") as raised:
        astralog.Handler(**{"url": "https://host", "key": KEY, **settings})
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_environment_has_what_the_arguments_have_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRALOG_URL", "https://logs.example.com:8443/prefix/")
    monkeypatch.setenv("ASTRALOG_KEY", "ak_secret")
    with astralog.Handler(level="INFO") as handler:
        assert repr(handler) == "<Handler https://logs.example.com:8443 (INFO)>"
        assert handler._endpoint.path == "/prefix/v1/drain"
        assert handler._key.authorization() == "Bearer ak_secret"
        with pytest.raises(TypeError):
            handler._key.__reduce__()


def test_a_handler_that_is_closed_can_be_collected(service: DrainService, logger: logging.Logger) -> None:
    handler = attached(logger, service)
    logger.info("one")
    logger.removeHandler(handler)
    handler.close()
    wait_until(lambda: not any(thread.name == "astralog" for thread in threading.enumerate()))
    reference = weakref.ref(handler)
    del handler
    gc.collect()
    assert reference() is None


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
