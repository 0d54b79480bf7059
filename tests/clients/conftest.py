from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack import RunningStack, running_stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack for all clients; each test finds its rows by a name of its own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
