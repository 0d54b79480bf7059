"""Read the commit log of a destination, which functions.sync.commit_log writes, and the batches in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.shared.batch_usage import unpacked
from functions.shared.tables.ledger import (
    COMMITS_A_PAGE,
    PAGE_DAYS,
    LedgerItem,
    batch_entry,
    batch_id_of,
    log_entry,
    tip_entry,
)
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

MANAGED_LOG = "managed"
"""The destination of our own ClickHouse, as sync names it."""

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CommitPosition:
    """A place in a log: `index` ids of `page` were read.

    `first`: the first id of the page when `index` is above 0. A page that was deleted after weeks without a
    commit begins again with another one.
    """

    page: int
    index: int
    first: str = ""


@dataclass(frozen=True, slots=True)
class Commits:
    """The ids of batches behind a position, in commit order, and the position behind them.

    `until`: Unix seconds; all were committed by then.
    """

    batch_ids: tuple[str, ...]
    end: CommitPosition
    until: float = 0


@dataclass(frozen=True, slots=True)
class TenantBatch:
    """A committed batch with rows of a tenant; `committed_by` in Unix seconds: not later than then."""

    batch_id: str
    rows: int
    expires_on: str
    committed_by: float


class CommitReader:
    """The logs in the ledger. Reads are strongly consistent; raises StoreUnavailableError."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = Table(LedgerItem, table, client)

    def newest(self, destination: str) -> CommitPosition:
        """The position behind the last commit."""
        tip = self._table.get(tip_entry(destination))
        position = CommitPosition((tip.page or 0) if tip else 0, 0)
        while True:
            end = self.after(destination, position).end
            if end == position or end.index < COMMITS_A_PAGE:
                return end
            position = end

    def after(self, destination: str, position: CommitPosition) -> Commits:
        """The commits after `position` on its page, or on the next one if that page was read to its end."""
        if position.index >= COMMITS_A_PAGE:
            position = CommitPosition(position.page + 1, 0)
        item = self._table.get(log_entry(destination, position.page), ["entry", "forget_at", "commits"])
        commits = tuple(map(str, item.commits or ())) if item else ()
        if item is None or not commits:
            return Commits((), position)
        start = position.index if position.first == commits[0] else 0
        end = CommitPosition(position.page, len(commits), commits[0])
        return Commits(commits[start:], end, item.forget_at - PAGE_DAYS * _SECONDS_A_DAY + 1)

    def batches_of(self, tenant: TenantId, batch_ids: Sequence[str], until: float) -> list[TenantBatch]:
        """Those of the batches that have rows of `tenant`, in the order of `batch_ids`.

        Each was committed under its lease, and not after `until`, that of its commits.
        """
        names = ("entry", "forget_at", "usage", "expires_on", "lease_until")
        found = self._table.read([batch_entry(each) for each in batch_ids], names)
        by_id = {batch_id_of(item): item for item in found}
        items = [(each, by_id[each]) for each in batch_ids if each in by_id]
        batches = [
            TenantBatch(
                batch_id,
                sum(share.rows for share in unpacked(item.usage or "[]") if share.tenant == tenant),
                item.expires_on or "",
                min(until, item.lease_until or 0),
            )
            for batch_id, item in items
        ]
        return [each for each in batches if each.rows]
