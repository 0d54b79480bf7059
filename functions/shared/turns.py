"""Turns: how a scheduled run shares its time between tenants. Pure.

A tenant gets one turn of bounded length per run, however much work waits for it. Tenants are ordered by
their last turn, the longest ago first; a new one joins at the end, by its waiting time. A turn is
recorded before its work begins (functions.shared.turn_log): if a run dies during a turn, that tenant is last
in the order, and the next run begins with the others (docs/adr/0018).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

from functions.shared.tenancy import TenantId

T = TypeVar("T")


class TurnLog(Protocol):
    """The last turn of each tenant; see functions.shared.turn_log.DynamoTurnLog."""

    def last(self, tenants: Iterable[TenantId]) -> dict[TenantId, float]:
        """Unix seconds at which the last turn of each of `tenants` began; omits those that had none."""

    def begin(self, tenant: TenantId) -> int:
        """Record that a turn of `tenant` begins, durably; returns the number of its turns so far."""


def fair_order(
    waiting_since: Mapping[TenantId, float], last_turns: Mapping[TenantId, float]
) -> list[TenantId]:
    """The tenants of `waiting_since`, Unix seconds, in the order of their turns.

    After a turn a tenant is behind all that were waiting by then, however often it asks again.
    """
    return sorted(waiting_since, key=lambda tenant: max(waiting_since[tenant], last_turns.get(tenant, 0.0)))


def rotated(things: Sequence[T], by: int) -> list[T]:
    """`things`, starting with another one in each turn, so that none of them is always the first."""
    start = by % len(things) if things else 0
    return [*things[start:], *things[:start]]


def interleaved(groups: Iterable[Sequence[T]]) -> Iterator[T]:
    """One item of each group in turn, so that a group of a million does not delay a group of three."""
    missing = object()
    rounds = zip_longest(*groups, fillvalue=missing)
    return (each for each in chain.from_iterable(rounds) if each is not missing)  # type: ignore[misc]


class TurnClock:
    """The seconds left of the current turn, and of the run around it.

    Parameters
    ----------
    run_left: seconds until the run is stopped.
    clock: a monotonic clock, in seconds.
    """

    def __init__(self, run_left: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._run_left = run_left
        self._clock = clock
        self._ends_at: float | None = None

    def __call__(self) -> float:
        left = self._run_left()
        return left if self._ends_at is None else min(left, self._ends_at - self._clock())

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Within the block at most `seconds` are left, from now."""
        self._ends_at = self._clock() + seconds
        try:
            yield
        finally:
            self._ends_at = None


def take_turns(
    waiting_since: Mapping[TenantId, float],
    log: TurnLog,
    clock: TurnClock,
    turn_seconds: float,
    work: Callable[[TenantId, int], None],
) -> list[TenantId]:
    """Give each tenant a turn of `turn_seconds`, one after the other, while a whole turn fits into the run.

    The first turn begins in any case. `work` gets the tenant and the number of its turn.

    Returns
    -------
    The tenants that got no turn in this run.

    Raises
    ------
    The errors of `log` and `work`: the tenant whose turn failed is last in the next run.
    """
    order = fair_order(waiting_since, log.last(waiting_since))
    for position, tenant in enumerate(order):
        if position and clock() < turn_seconds:
            return order[position:]
        number = log.begin(tenant)
        with clock.turn(turn_seconds):
            work(tenant, number)
    return []
