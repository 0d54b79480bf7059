from collections.abc import Iterator

import pytest

from tests.integration.stack import RunningStack, running_stack

HERE = "tests/clients/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(HERE):
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack for all clients; each test finds its rows by a name of its own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
