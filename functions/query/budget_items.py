"""Times up to which rows read are paid for: the table `search-budgets` (functions.query.row_budget)."""

from collections.abc import Callable, Iterable
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.tables.search_budgets import SearchBudgetItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

FORGET_SECONDS = 86_400

_ROUNDS = 3
"""Both conditions of a charge fail only when the clock passes `paid_ms` between them."""


class BudgetItems:
    """The items of all accounts; `now_ms`: Unix milliseconds. Raises StoreUnavailableError."""

    def __init__(self, table: str, client: Any, now_ms: Callable[[], int]) -> None:
        self._table = Table(SearchBudgetItem, table, client)
        self._now_ms = now_ms

    def paid(self, tenant: TenantId, entries: Iterable[str]) -> dict[str, int]:
        """By entry, when its rows are paid for, in Unix milliseconds; of those that exist."""
        found = self._table.read([(str(tenant), entry) for entry in entries])
        return {each.entry: each.paid_ms for each in found}

    def add(self, tenant: TenantId, entry: str, price_ms: int) -> None:
        """Charge `price_ms`: from now on, or in addition to earlier rows that are not paid for."""
        key = (str(tenant), entry)
        for _ in range(_ROUNDS):
            if self._begin(key, price_ms) or self._continue(key, price_ms):
                return

    def _begin(self, key: tuple[str, str], price_ms: int) -> bool:
        """Charge from now on; False while earlier rows are not paid for."""
        now_ms = self._now_ms()
        over = SearchBudgetItem.paid_ms.does_not_exist() | (SearchBudgetItem.paid_ms <= now_ms)
        return self._updated(key, SearchBudgetItem.paid_ms.set(now_ms + price_ms), over, price_ms)

    def _continue(self, key: tuple[str, str], price_ms: int) -> bool:
        """Charge in addition to earlier rows; False when all of them are paid for."""
        later = SearchBudgetItem.paid_ms > self._now_ms()
        return self._updated(key, SearchBudgetItem.paid_ms.add(price_ms), later, price_ms)

    def _updated(self, key: tuple[str, str], action: Action, condition: Condition, price_ms: int) -> bool:
        """Whether the condition held."""
        forget_at = (self._now_ms() + price_ms) // 1000 + FORGET_SECONDS
        try:
            self._table.update(key, action, SearchBudgetItem.forget_at.set(forget_at), condition=condition)
        except ConditionFailedError:
            return False
        return True
