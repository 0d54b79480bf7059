"""The handler as part of an application: batches, the buffer, levels, signals, threads, forks, accounts."""

import logging
import os
import signal
import threading
import time

import pytest

import astralog
from tests.unit.client_python.quick_handler import WAIT_SECONDS, attached, wait_until
from tests.unit.client_python.service import DrainService, drain_service


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


def test_a_record_that_cannot_be_encoded_is_counted(
    service: DrainService, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = attached(logger, service)
    monkeypatch.setattr(handler, "_encoder", None)
    logger.info("one")
    assert handler.statistics.dropped == 1


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
