from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.uploads.turns import Turns
from tests.unit.uploads.world import World, cloud, world


@pytest.fixture(scope="package")
def clients() -> Iterator[tuple[Any, Any]]:
    """boto3's clients take long to make, and one cloud serves all tests that empty it first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with cloud() as made:
            yield made


@pytest.fixture
def here(clients: tuple[Any, Any]) -> World:
    return world(*clients)


@pytest.fixture
def here_now() -> Turns:
    return Turns()
