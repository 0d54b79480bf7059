"""A handler that retries at once, and how long tests wait for it."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import astralog
from astralog._delivery import Backoff
from tests.unit.client_python.service import KEY, DrainService

WAIT_SECONDS = 20.0
"""For what takes milliseconds: the machine may do other work."""


class QuickHandler(astralog.Handler):
    """Retries at once instead of after half a second."""

    _backoff = Backoff(0.001, 0.01)


@contextmanager
def fresh_logger(prefix: str) -> Iterator[logging.Logger]:
    """A logger with a name of its own that does not propagate; the end of the block closes its handlers."""
    made = logging.getLogger(f"{prefix}.{uuid4().hex}")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made
    for handler in list(made.handlers):
        made.removeHandler(handler)
        handler.close()


def attached(logger: logging.Logger, service: DrainService, **settings: Any) -> astralog.Handler:
    defaults = {"url": service.url, "key": KEY, "batch_seconds": 0.01, "on_error": lambda _error: None}
    handler = QuickHandler(**{**defaults, **settings})
    logger.addHandler(handler)
    return handler


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
