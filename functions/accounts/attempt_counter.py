"""Counts failures in the table of attempts, with pynamodb."""

from typing import Any

from functions.shared.aws_client import hasty_client
from functions.shared.tables.attempts import AttemptsItem
from functions.shared.tables.table import Table


class TableCounter:
    """See functions.accounts.failures.SharedCounter. `client`: None for one that is made on first use."""

    def __init__(self, attempts_table: str, client: Any = None) -> None:
        self._table_name = attempts_table
        self._counters = Table(AttemptsItem, attempts_table, client) if client else None

    def add(self, counter: str, forget_at: int) -> int:
        """The count of `counter`, this failure included."""
        if self._counters is None:
            self._counters = Table(AttemptsItem, self._table_name, hasty_client("dynamodb"))
        changes = AttemptsItem.tries.add(1), AttemptsItem.forget_at.set(forget_at)
        return self._counters.update_and_get(counter, *changes).tries
