"""The handler against a service that fails in every way, rejects and redirects."""

import io
import logging
import sys

import pytest

import astralog
from tests.unit.client_python.quick_handler import WAIT_SECONDS, attached
from tests.unit.client_python.service import DrainService, drain_service


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
