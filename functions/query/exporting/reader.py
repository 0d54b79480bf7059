"""The events of an export, page by page, in the order of a search with `asc`.

A page reads a window of time, not everything that is left: the window grows while it has few events, and
follows the density of events when it has a page of them. So the cost of all pages grows with the number of
events, not with its square. A page that the engine stops at a limit is read again with fewer rows of a
shorter window.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked
from functions.query.errors import QUERY_TOO_HEAVY
from functions.query.language.syntax_tree import Filter
from functions.query.results.cursor import CursorPosition, Store
from functions.query.results.page import position_after
from functions.query.results.row_order import PageRange, page_of, sort_key
from functions.query.results.rows import EventRow, SearchResult
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId

ROWS_A_PAGE = 5_000

NANOSECONDS = 1_000_000_000
FIRST_WINDOW = 3600 * NANOSECONDS
LEAST_WINDOW = NANOSECONDS // 1000

SLOW_MS = 5_000
"""A window whose page took the engine longer than this does not grow."""

StatementOf = Callable[[Store, bool], Statement]
"""The statement of a page for a store, whose table has the columns of the identity, or has not."""

Find = Callable[[StatementOf, int], SearchResult]
"""Runs a statement in all stores of the account: the first rows of all of them, at most that many."""


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """Where the next page begins: at `since`, behind `after` if that is not None.

    `window` to read, in nanoseconds; `size`: its rows at most.
    """

    since: int
    after: CursorPosition | None = None
    window: int = FIRST_WINDOW
    size: int = ROWS_A_PAGE

    def stored(self) -> dict[str, Any]:
        """As functions.shared.exports.search_export.WriteProgress stores it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "ReadPosition":
        after = stored["after"]
        return cls(**{**stored, "after": CursorPosition(**after) if after else None})


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Rows, and where the next page begins; None after the last. A page may be empty and not be the last."""

    rows: Sequence[EventRow]
    after: ReadPosition | None


@dataclass(frozen=True, slots=True)
class ExportedEvents:
    """The events of `tenant` in [`since`, `until`) that match `filter` and were received before `cut`.

    Times in nanoseconds since 1970.
    """

    tenant: TenantId
    filter: Filter
    since: int
    until: int
    cut: int

    def statement(self, here: ReadPosition, end: int, store: Store, *, with_identity: bool) -> Statement:
        """The SELECT of the page at `here`, of rows before `end`.

        Raises
        ------
        HttpError: 400 `query_too_heavy` when the statement is too long.
        """
        bindings = Bindings()
        conditions, parameters = base_conditions(self.tenant, here.since, end, self.filter, bindings)
        conditions.append(f"received_at < {bindings.microsecond(self.cut)}")
        wanted = PageRange("asc", here.size, here.after, store)
        sql = page_of(" AND ".join(conditions), wanted, sort_key(with_identity=with_identity), bindings)
        return checked(Statement(sql, {**bindings.parameters, **parameters}))


@dataclass(frozen=True, slots=True)
class ExportReader:
    """Reads `events` with `find`, whose errors pass through."""

    events: ExportedEvents
    find: Find

    def page(self, stored: dict[str, Any] | None = None) -> ExportPage:
        """The page at a stored position; None for the first.

        Raises
        ------
        HttpError: as a search; `query_too_heavy` only for a single row of a short window.
        """
        here = ReadPosition.of(stored) if stored else ReadPosition(self.events.since)
        while here.since < self.events.until:
            try:
                return self._page(here)
            except HttpError as fault:
                smaller = replace(here, size=max(1, here.size // 8), window=self._narrowed(here))
                if fault.code != QUERY_TOO_HEAVY or smaller == here:
                    raise
                here = smaller
        return ExportPage((), None)

    def _page(self, here: ReadPosition) -> ExportPage:
        end = min(here.since + here.window, self.events.until)

        def compiled(store: Store, with_identity: bool) -> Statement:
            return self.events.statement(here, end, store, with_identity=with_identity)

        found = self.find(compiled, here.size)
        grown = 2 if found.elapsed_ms < SLOW_MS else 1
        size = min(here.size * grown, ROWS_A_PAGE)
        if len(found.rows) < here.size:
            if end >= self.events.until:
                return ExportPage(found.rows, None)
            return ExportPage(found.rows, ReadPosition(end, None, here.window * grown, size))
        after = position_after(found.rows, here.after)
        window = max(2 * (after.instant - here.since), LEAST_WINDOW)
        return ExportPage(found.rows, ReadPosition(after.instant, after, min(window, here.window), size))

    def _narrowed(self, here: ReadPosition) -> int:
        within = min(here.window, self.events.until - here.since)
        return max(within // 4, LEAST_WINDOW)
