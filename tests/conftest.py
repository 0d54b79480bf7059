"""How tests share the cores: by file, and by folder where what takes long to make is made once."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.aws_in_memory import (
    format_user_agents_once,
    inspect_handlers_once,
    read_dates_once,
    read_models_once,
)
from tests.examples import register_profiles
from tests.leftover_threads import working_threads

gc.disable()
read_models_once()
inspect_handlers_once()
format_user_agents_once()
read_dates_once()
register_profiles()

PROJECT_ROOT = Path(__file__).parents[1]

TOGETHER = frozenset(
    {
        "tests/browser", "tests/clients", "tests/infra", "tests/packaging",
        "tests/integration/accounts", "tests/integration/destinations",
    }
)  # fmt: skip
"""Stacks and a browser, a stack for real clients, the templates, the built zips, worlds on a local AWS."""

STACKS = (
    (
        "byoc", "command", "fair_uploads", "python_client", "readme", "secrets", "sessions", "stripe",
        "tail_delay", "upkeep",
    ),
    (
        "deployment_steps", "drain_contract", "getting_started", "notices", "pipeline_exactly_once",
        "pipeline_kills", "pipeline_tenants", "rights", "uploads", "openapi_conformance",
    ),
)  # fmt: skip
"""Modules of tests/integration that use its stack: at most two workers start one."""

LAST_OF_ITS_STACK = "tests/integration/test_openapi_conformance.py"
"""Its requests use up limits: no other module uses the stack after it."""

LONGEST_FIRST = (
    "tests/browser", "tests/infra", "tests/integration", "tests/packaging", "tests/crash", "tests/contract",
    "tests/unit/uploads/test_backlog_crashes.py", "tests/unit/uploads/test_exactly_once.py",
    "tests/unit/ingest/test_hostile_drains.py", "tests/unit/shared/test_response_limits.py",
    "tests/unit/test_measured.py", "tests/unit/uploads", "tests/unit/ingest",
)  # fmt: skip
"""What takes long begins first, so that no worker ends with it alone. Stacks begin before all of these: their
tests wait for queues, and a browser and CDK beside them use the cores meanwhile."""

STACK_OF = {
    f"tests/integration/test_{name}.py": f"stack {number}"
    for number, names in enumerate(STACKS)
    for name in names
}

WITH_CDK = frozenset(
    {"tests/audit/test_faults.py", "tests/rehearsal/test_forbidden.py", "tests/rehearsal/test_templates.py"}
)
"""Modules outside of tests/infra that use CDK: they run in the worker of its tests, which has loaded it."""


GARBAGE_THRESHOLD = 50_000
"""New objects until the garbage collector looks through them; it is off while tests are collected."""

LOADED_BY_COLLECTING = pytest.StashKey[frozenset[str]]()


class ByFileOrFolder(LoadScopeScheduling):
    """Tests of one file, below one folder of TOGETHER, or of one stack go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        if file in WITH_CDK:
            return "tests/infra"
        together = next((each for each in TOGETHER if file.startswith(f"{each}/")), None)
        return together or STACK_OF.get(file, file)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _turn(file: str) -> int:
    if file in STACK_OF:
        return -1 if file == LAST_OF_ITS_STACK else -2
    return next((at for at, name in enumerate(LONGEST_FIRST) if file.startswith(name)), len(LONGEST_FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let each worker begin with test modules of its own, so that one compiles what the others then load.

    All workers collect all tests. In a clean clone each would compile all modules at the same time.
    """
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    files = [file for place in session.config.args for file in sorted(Path(place).rglob("test_*.py"))]
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for file in files[len(files) * number // count : len(files) * (number + 1) // count]:
        with suppress(Exception, pytest.skip.Exception):  # the collection reports it
            import_module(".".join(file.resolve().relative_to(PROJECT_ROOT).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    turns = {file: _turn(file) for file in {_file(item.nodeid) for item in items}}
    items.sort(key=lambda item: turns[_file(item.nodeid)])


def pytest_collection_finish(session: pytest.Session) -> None:
    """What has been imported stays: without this a tenth of all time goes into looking through it again.

    A twentieth more goes if each few hundred new objects are looked through, as Python does by default.
    """
    session.config.stash[LOADED_BY_COLLECTING] = frozenset(sys.modules)
    if "moto" in sys.modules:
        from local import moto_lookups  # moto takes half a second to import: only where tests use it
        from tests import dynamodb_without_http

        moto_lookups.install()
        dynamodb_without_http.install()
    if "httpx" in sys.modules:
        from tests.tls_context import share_tls_context

        share_tls_context()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder:
    return ByFileOrFolder(config, log)


@pytest.fixture(scope="module", autouse=True)
def _leaves_no_thread_at_work() -> Iterator[None]:
    before = threading.enumerate()
    yield
    assert working_threads(before) == [], "threads that this module leaves take CPU time"
