"""How tests share the cores: by file, and by folder where what takes long to make is made once."""

import gc
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.aws_in_memory import format_user_agents_once, read_models_once
from tests.examples import register_profiles
from tests.leftover_threads import working_threads

read_models_once()
format_user_agents_once()
register_profiles()

TOGETHER = frozenset({"tests/browser", "tests/clients", "tests/infra", "tests/packaging"})
"""A walk through a stack and a browser, a stack for real clients, the templates, the built zips."""

STACKS = (
    ("byoc", "fair_uploads", "python_client", "readme", "secrets", "sessions", "stripe", "upkeep"),
    (
        "deployment_steps", "drain_contract", "getting_started", "notices", "pipeline_exactly_once",
        "pipeline_kills", "pipeline_tenants", "rights", "uploads",
    ),
)  # fmt: skip
"""Modules of tests/integration that use the session's stack: at most two workers start one."""

LONGEST_FIRST = (
    "tests/integration", "tests/infra", "tests/browser", "tests/packaging", "tests/crash", "tests/contract",
    "tests/unit/uploads/test_backlog_crashes.py", "tests/unit/uploads/test_exactly_once.py",
    "tests/unit/ingest/test_hostile_drains.py", "tests/unit/uploads", "tests/unit/ingest",
)  # fmt: skip
"""What takes long begins first, so that no worker ends with it alone."""

_STACK_OF = {
    f"tests/integration/test_{name}.py": f"stack {number}"
    for number, names in enumerate(STACKS)
    for name in names
}

WITH_CDK = frozenset(
    {"tests/audit/test_faults.py", "tests/rehearsal/test_forbidden.py", "tests/rehearsal/test_templates.py"}
)
"""Modules outside of tests/infra that use CDK: they run in the worker of its tests, which has loaded it."""


LOADED_BY_COLLECTING = pytest.StashKey[frozenset[str]]()


class ByFileOrFolder(LoadScopeScheduling):
    """Tests of one file, of one folder of TOGETHER, or of one stack go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        if file in WITH_CDK:
            return "tests/infra"
        folder = _folder(nodeid)
        return folder if folder in TOGETHER else _STACK_OF.get(file, file)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _folder(nodeid: str) -> str:
    return "/".join(_file(nodeid).split("/")[:2])


def _turn(file: str) -> tuple[int, bool]:
    place = next((at for at, name in enumerate(LONGEST_FIRST) if file.startswith(name)), len(LONGEST_FIRST))
    return place, file not in _STACK_OF


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    turns = {file: _turn(file) for file in {_file(item.nodeid) for item in items}}
    items.sort(key=lambda item: turns[_file(item.nodeid)])


def pytest_collection_finish(session: pytest.Session) -> None:
    """What has been imported stays: without this a tenth of all time goes into looking through it again."""
    session.config.stash[LOADED_BY_COLLECTING] = frozenset(sys.modules)
    if "moto" in sys.modules:
        from local import moto_lookups  # moto takes half a second to import: only where tests use it

        moto_lookups.install()
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder:
    return ByFileOrFolder(config, log)


@pytest.fixture(scope="module", autouse=True)
def _leaves_no_thread_at_work() -> Iterator[None]:
    before = threading.enumerate()
    yield
    assert working_threads(before) == [], "threads that this module leaves take CPU time"
