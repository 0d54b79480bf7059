"""The commit log of each destination: the ids of its batches in the order in which they were committed.

A batch is committed by its append, and by nothing else (docs/adr/0064). `meter` counts the log, and
`GET /v1/tail` follows it (docs/adr/0049). The log is a list of pages. DynamoDB orders the appends of a page;
a page with COMMITS_A_PAGE ids is full and never changes, and only then the next one begins. So a reader that
has read n ids of a page finds every later id behind them, and no clock takes part.

A batch is in the log once, whatever is repeated. Each batch records a page that is not behind the log's end
(`page`). So it can only be in that page or a later one, all of which but the last are full. A process
that appends has read the full ones, and the append to the last one fails if the batch is in it.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from functions.shared.batch_usage import shard_of
from functions.shared.tables.ledger import COMMITS_A_PAGE, PAGE_DAYS, LedgerItem, log_entry, tip_entry
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.table import READS_A_CALL, Table
from functions.shared.tables.transaction import Write, write_once

TIP_DAYS = 90
"""How long the tip is kept after a process began to append.

The tip outlives every page that such a process writes: without it a log would begin again at page 0, while
readers wait at the end of another page.
"""

MAX_TRIES = 40
FIRST_PAGES = 4
"""So many pages are read at first; a batch that is read again is rarely older."""

_WAIT_SECONDS = 0.05
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Whether a batch is in the log. If not: `page`, the first page that is not full, and its `ids`."""

    found: bool
    page: int
    ids: int = 0


class CommitLog:
    """Appends to the logs in `table`, the ledger. Raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: Table[LedgerItem], client: Any, clock: Callable[[], float]) -> None:
        self._table = table
        self._client = client
        self._clock = clock
        self._pages: dict[str, int] = {}

    def page(self, destination: str) -> int:
        """A page that is not behind the end of the log: every later append is to it or a later one."""
        page = self._pages.get(destination)
        if page is None:
            page = self._pages[destination] = self._tip(destination)
            self._set_tip(destination, page)
        return page

    def search(self, destination: str, batch_id: str, page: int) -> LogSearch:
        """Look for the batch in `page` and all later ones."""
        count = FIRST_PAGES
        while True:
            entries = [log_entry(destination, page + further) for further in range(count)]
            items = self._table.read(entries, ("entry", "forget_at", "commits"))
            found = {item.entry: item.commits or [] for item in items}
            for entry in entries:
                ids = found.get(entry, [])
                if batch_id in ids:
                    return LogSearch(True, page)
                if len(ids) < COMMITS_A_PAGE:
                    return LogSearch(False, page, len(ids))
                page += 1
            count = READS_A_CALL

    def append(self, destination: str, batch_id: str, page: int, beside: Sequence[Write] = ()) -> None:
        """Append the batch unless it is in the log; `page`: earlier pages are known not to have it.

        Parameters
        ----------
        beside: writes of the same transaction.

        Raises
        ------
        ConditionFailedError: a condition of `beside` does not hold.
        """
        for _ in range(MAX_TRIES):
            try:
                self._write(destination, page, batch_id, beside)
            except WriteConflictError:
                time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
                continue
            except ConditionFailedError:
                at = self.search(destination, batch_id, page)
                if at.found:
                    return
                if at.page == page:
                    raise
                page = at.page
                if not at.ids:
                    self._set_tip(destination, page)
                continue
            self._pages[destination] = max(page, self._pages.get(destination, page))
            return
        raise StoreUnavailableError("others keep writing the commit log")

    def _write(self, destination: str, page: int, batch_id: str, beside: Sequence[Write]) -> None:
        entry = log_entry(destination, page)
        commits = LedgerItem.commits
        actions: list[Action] = [
            commits.set((commits | []).append([batch_id])),
            LedgerItem.forget_at.set(self._days_from_now(PAGE_DAYS)),
            LedgerItem.unmetered.set(shard_of(entry)),
            LedgerItem.done_at.set(LedgerItem.done_at | self._moment()),
        ]
        has_room = commits.does_not_exist() | (size(commits) < COMMITS_A_PAGE)
        condition: Condition = has_room & ~Path(["commits"]).contains(batch_id)
        if beside:
            write = self._table.write_of_update(entry, *actions, condition=condition)
            write_once(self._client, [*beside, write])
        else:
            self._table.update(entry, *actions, condition=condition)

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

    def _moment(self) -> str:
        """Now, as text that sorts by time."""
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")

    def _days_from_now(self, days: int) -> int:
        return int(self._clock()) + days * _SECONDS_A_DAY
