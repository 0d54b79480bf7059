"""The scenarios, in the order of a run. Each is a module with:

`PROVES`: a sentence. `run(here)`: raises RehearsalError if it does not hold.
`ALARMS`: the metrics (see infra.topology.signals) whose alarms the scenario is meant to raise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from rehearsal.deployed import Deployed
from rehearsal.scenarios import (
    byoc,
    byoc_role,
    caps,
    erasure,
    export,
    first_log,
    keys,
    notices,
    page,
    plans,
    quarantine,
    schedules,
    search,
    search_export,
    tail,
    uploads,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; `name` is that of its module."""

    name: str
    proves: str
    run: Callable[[Deployed], None]
    alarms: frozenset[str]


def _of(module: ModuleType) -> Scenario:
    name = module.__name__.rpartition(".")[2]
    return Scenario(name, module.PROVES, module.run, getattr(module, "ALARMS", frozenset()))


_IN_ORDER = (
    first_log,
    page,
    keys,
    search,
    tail,
    search_export,
    uploads,
    plans,
    quarantine,
    caps,
    byoc,
    byoc_role,
    export,
    notices,
    schedules,
    erasure,
)

SCENARIOS = tuple(_of(each) for each in _IN_ORDER)
