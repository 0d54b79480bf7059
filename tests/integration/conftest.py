from collections.abc import Iterator

import pytest

from tests.integration.stack import RunningStack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack for all tests of a session; each test keeps to events of its own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
