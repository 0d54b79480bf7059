"""The method of all measurements: contenders take turns in one process, and their medians are compared."""

import resource
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

ROUNDS = 7

Bar = dict[str, Any]
"""bar, what, ours, peer (in `unit`), ratio, limit (None: reported, not judged), method."""


def bar(
    number: str, what: str, ours: float, peer: float, limit: float | None, method: str, unit: str = ""
) -> Bar:
    """One line of the table: our figure, the peer's, and the highest ratio allowed."""
    return {
        "bar": number,
        "what": what,
        "ours": ours,
        "peer": peer,
        "unit": unit,
        "ratio": ours / peer,
        "limit": limit,
        "method": method,
    }


def cpu_seconds() -> float:
    """User and system time of every thread of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def in_turns(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = cpu_seconds,
) -> dict[str, float]:
    """The median cost by `clock` of each contender, over `rounds` rounds after one warm-up round."""
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds + 1):
        for name, run in contenders.items():
            before = clock()
            run()
            spent[name].append(clock() - before)
    return {name: median(times[1:]) for name, times in spent.items()}
