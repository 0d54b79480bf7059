from contextlib import ExitStack

import pytest

from tests.conftest import STACK_OF
from tests.integration.stack import RunningStack, running_stack

_STARTED = pytest.StashKey[tuple[RunningStack, ExitStack]]()


@pytest.fixture(scope="module")
def stack(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> RunningStack:
    """One for all modules of STACKS in a row; each test keeps to events of its own."""
    if _STARTED not in pytestconfig.stash:
        ending = ExitStack()
        running = ending.enter_context(running_stack(tmp_path_factory.mktemp("stack")))
        pytestconfig.stash[_STARTED] = running, ending
        pytestconfig.add_cleanup(ending.close)  # of a run that ends before its last test
    return pytestconfig.stash[_STARTED][0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after the last module that uses it: an idle one polls queues, which takes CPU time."""
    started = item.config.stash.get(_STARTED, None)
    if started and (nextitem is None or nextitem.nodeid.partition("::")[0] not in STACK_OF):
        del item.config.stash[_STARTED]
        started[1].close()
