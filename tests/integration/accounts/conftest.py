from collections.abc import Iterator

import pytest

from tests.unit.accounts.public_routes import World, world


@pytest.fixture(scope="package")
def here() -> Iterator[World]:
    """One local AWS for all modules; each test signs up people of its own."""
    with world() as built:
        yield built
