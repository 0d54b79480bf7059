"""A log of turns in memory."""

from collections.abc import Callable, Iterable

from functions.shared.tenancy import TenantId


class Turns:
    """Stands for functions.shared.turn_log.DynamoTurnLog; `begun`: in the order in which they began."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.begun: list[TenantId] = []
        self._last: dict[TenantId, float] = {}
        self._clock = clock or (lambda: 1_900_000_000.0 + len(self.begun))

    def last(self, tenants: Iterable[TenantId]) -> dict[TenantId, float]:
        return {each: self._last[each] for each in tenants if each in self._last}

    def begin(self, tenant: TenantId) -> int:
        self._last[tenant] = self._clock()
        self.begun.append(tenant)
        return self.begun.count(tenant)
