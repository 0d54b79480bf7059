import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.unit.client_python.service import DrainService, drain_service
from tests.unit.ingest.conftest import ingest

__all__ = ["ingest"]


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
