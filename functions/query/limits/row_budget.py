"""How many rows of our ClickHouse the searches of an account, and of one key, may read.

A search is admitted unless earlier ones have read more than a minute's rows in advance, and it is charged
afterwards for the rows that it read, however many. So a heavy search makes debt, which only later searches of
the same caller and account wait for (docs/adr/0045-cost-of-a-search.md).

An item holds one time, `paid_ms`: when the rows read so far are paid for, at the budget's even rate. A charge
adds to it, from now on if it is over: one conditional update for the account and one for the caller, which
concurrent searches cannot lose.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from functions.query.errors import budget_exceeded
from functions.query.limits.row_meter import RowMeter
from functions.shared.access import Principal
from functions.shared.tables.signed_budgets import BudgetItems
from functions.shared.tables.store_errors import StoreUnavailableError

ACCOUNT = "account"

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class RowRates:
    """Rows a minute of all searches of an account, and of one key or person; 0 for no limit."""

    account: int
    caller: int


class RowBudget:
    """The budgets of all accounts.

    A search is not rejected because DynamoDB fails: the limits of concurrent searches hold without it.
    """

    def __init__(self, table: str, rates: RowRates, clock: Callable[[], float] = time.time) -> None:
        self._items = BudgetItems(table, self._now_ms)
        self._rates = rates
        self._clock = clock

    @contextmanager
    def charging(self, caller: Principal, meter: RowMeter) -> Iterator[None]:
        """Admit a search and charge it for the rows that `meter` counts in this block, whatever its end.

        Raises
        ------
        HttpError: 429 `search_budget_exceeded`.
        """
        with suppress(StoreUnavailableError):
            self.admit(caller)
        try:
            yield
        finally:
            rows = meter.take(caller.tenant)
            with suppress(StoreUnavailableError):
                self.charge(caller, rows)

    def admit(self, caller: Principal) -> None:
        """Let a search through unless an earlier one is to be waited for.

        Raises
        ------
        HttpError: 429 `search_budget_exceeded`.
        StoreUnavailableError
        """
        rates = self._limited(caller)
        if not rates:
            return
        found = self._items.paid(caller.tenant, rates)
        now_ms = self._now_ms()
        waits = {entry: paid_ms - MINUTE_MS - now_ms for entry, paid_ms in found.items()}
        longest = max(waits, key=lambda entry: waits[entry], default=None)
        if longest is not None and waits[longest] > 0:
            seconds = math.ceil(waits[longest] / 1000)
            raise budget_exceeded(rates[longest], seconds, of_account=longest == ACCOUNT)

    def charge(self, caller: Principal, rows: int) -> None:
        """Charge account and caller for `rows`. Raises StoreUnavailableError."""
        if rows <= 0:
            return
        for entry, rate in self._limited(caller).items():
            self._items.add(caller.tenant, entry, math.ceil(rows * MINUTE_MS / rate))

    def _limited(self, caller: Principal) -> dict[str, int]:
        """The entries that have a limit, with their rows a minute."""
        rates = {ACCOUNT: self._rates.account, caller.actor: self._rates.caller}
        return {entry: rate for entry, rate in rates.items() if rate > 0}

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
