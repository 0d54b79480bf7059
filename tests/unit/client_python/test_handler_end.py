"""The end of a handler: flush, close, shutdown, and being collected."""

import gc
import logging
import threading
import time
import weakref

import astralog
from tests.unit.client_python.quick_handler import WAIT_SECONDS, attached, wait_until
from tests.unit.client_python.service import DrainService, drain_service


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
