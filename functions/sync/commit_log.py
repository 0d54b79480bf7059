"""The commit log of each destination: the ids of its batches in the order in which they were committed.

`GET /v1/tail` follows it (docs/adr/0049). A batch is appended in the transaction that makes it done: so it is
in the log exactly once, whatever is repeated. The log is a list of pages. DynamoDB orders the appends of a
page; a page with COMMITS_A_PAGE ids is full and never changes, and only then the next one begins. So a reader
that has read n ids of a page finds every later id behind them, and no clock takes part.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from pynamodb.expressions.condition import size

from functions.shared.tables.ledger import COMMITS_A_PAGE, LedgerItem, log_entry, tip_entry
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_once

PAGE_DAYS, TIP_DAYS = 45, 90
"""How long a page is kept after its last append, and the tip after a process began to append.

The tip outlives every page that such a process writes: without it a log would begin again at page 0, while
readers wait at the end of another page.
"""

MAX_TRIES = 40
_WAIT_SECONDS = 0.05
_SECONDS_A_DAY = 86_400


class CommitLog:
    """Appends to the logs in `table`, the ledger. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: Table[LedgerItem], client: Any, clock: Callable[[], float]) -> None:
        self._table = table
        self._client = client
        self._clock = clock
        self._pages: dict[str, int] = {}

    def append(self, destination: str, batch_id: str, done: Write, is_done: Callable[[], bool]) -> None:
        """Run `done`, whose condition holds once, and append the batch, both or neither.

        `is_done`: whether `done` took place before, in which case the batch is in the log.
        """
        page = self._page(destination)
        for _ in range(MAX_TRIES):
            try:
                write_once(self._client, [done, self._write(destination, page, batch_id)])
            except WriteConflictError:
                time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
            except ConditionFailedError:
                if is_done():
                    return
                page = self._after_full(destination, page)
            else:
                self._pages[destination] = page
                return
        raise StoreUnavailableError("others keep writing the commit log")

    def _write(self, destination: str, page: int, batch_id: str) -> Write:
        commits = LedgerItem.commits
        return self._table.write_of_update(
            log_entry(destination, page),
            commits.set((commits | []).append([batch_id])),
            LedgerItem.forget_at.set(self._days_from_now(PAGE_DAYS)),
            condition=commits.does_not_exist() | (size(commits) < COMMITS_A_PAGE),
        )

    def _page(self, destination: str) -> int:
        """The page that this process wrote last; of a new process that of the tip, which it extends."""
        page = self._pages.get(destination)
        if page is None:
            page = self._tip(destination)
            self._set_tip(destination, page)
        return page

    def _after_full(self, destination: str, page: int) -> int:
        """The page to try after the full page `page`: the next one, or a later one that the tip names."""
        page = max(page + 1, self._tip(destination))
        self._set_tip(destination, page)
        return page

    def _tip(self, destination: str) -> int:
        item = self._table.get(tip_entry(destination))
        return (item.page or 0) if item else 0

    def _set_tip(self, destination: str, page: int) -> None:
        """Move the tip to `page`, never back, and extend its life."""
        tip = LedgerItem.page
        try:
            self._table.update(
                tip_entry(destination),
                tip.set(page),
                LedgerItem.forget_at.set(self._days_from_now(TIP_DAYS)),
                condition=tip.does_not_exist() | (tip <= page),
            )
        except ConditionFailedError:
            return

    def _days_from_now(self, days: int) -> int:
        return int(self._clock()) + days * _SECONDS_A_DAY
