import logging
from collections.abc import Iterator

import pytest

from tests.unit.client_python.quick_handler import fresh_logger
from tests.unit.client_python.service import DrainService, drain_service
from tests.unit.ingest.conftest import ingest

__all__ = ["ingest"]


@pytest.fixture
def service() -> Iterator[DrainService]:
    with drain_service() as running:
        yield running


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    with fresh_logger("tests") as made:
        yield made
