"""Follow the commits of a tenant's stores: each row once, in the order in which batches were committed.

A step reads a page of the commit log, keeps the batches that have rows of the tenant, and selects their rows
that match, oldest first. Rows are immutable once their batch is committed, so a response may end between two
rows of a step; the cursor then names that row. Why this misses and repeats nothing: docs/adr/0049.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct

from functions.query.errors import QUERY_TOO_HEAVY
from functions.query.language.syntax_tree import Filter
from functions.query.results.cursor import Store
from functions.query.results.page import fitting, position_after
from functions.query.results.row_order import PageRange
from functions.query.results.rows import SearchResult
from functions.query.results.statistics import SearchCost, SearchStats, stats_of
from functions.query.tailing.commit_reader import CommitPosition, CommitReader, TenantBatch
from functions.query.tailing.cursor import StorePlace, decode, encode
from functions.query.tailing.request import TailRequest
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId

POLL_SECONDS = 1.0

LAG_SECONDS = 30.0
"""How long a replica may lack rows of a committed batch; after that they were erased or have expired."""

_RETRIED = frozenset({"too_many_searches"})


class TailStore(Protocol):
    """Runs the statements of a tail in one ClickHouse."""

    def rows(self, batches: Sequence[TenantBatch], found: Filter, wanted: PageRange) -> SearchResult:
        """The rows of that page."""

    def count(self, batches: Sequence[TenantBatch]) -> int:
        """The number of the tenant's rows in the batches."""


@dataclass(frozen=True, slots=True)
class FollowedStore:
    """A store of a tenant, and the destination whose commits it holds."""

    store: Store
    destination: str
    reads: TailStore


class TailPage(Struct):
    """The response: events in the order of their commits, and where to continue."""

    events: list[msgspec.Raw]
    cursor: str
    stats: SearchStats


class Tail:
    """Answers the requests of one tenant. `monotonic` and `now` in seconds."""

    def __init__(
        self,
        tenant: TenantId,
        commits: CommitReader,
        stores: Sequence[FollowedStore],
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tenant = tenant
        self._commits = commits
        self._stores = {each.store: each for each in stores}
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._cost = SearchCost()

    def answer(self, asked: TailRequest) -> bytes:
        """The JSON response: events as soon as there are some, else none when `wait` is over.

        Raises
        ------
        HttpError: of the cursor, or of a store.
        """
        deadline = self._monotonic() + asked.wait
        places = self._start(asked)
        while True:
            after, events = self._step(places, asked)
            over = self._monotonic() >= deadline
            if events or over:
                cursor = encode(asked.digest, after, self._now())
                return msgspec.json.encode(TailPage(events, cursor, stats_of(self._cost)))
            if after == places:
                self._sleep(min(POLL_SECONDS, max(0.0, deadline - self._monotonic())))
            places = after

    def _start(self, asked: TailRequest) -> tuple[StorePlace, ...]:
        """The places in the cursor; without one, those behind the last commits."""
        if asked.cursor:
            return decode(asked.cursor, asked.digest, tuple(self._stores), self._now())
        return tuple(
            _at(each.store, self._commits.newest(each.destination)) for each in self._stores.values()
        )

    def _step(
        self, places: tuple[StorePlace, ...], asked: TailRequest
    ) -> tuple[tuple[StorePlace, ...], list[msgspec.Raw]]:
        """The events of the first store that has some, and the places behind them."""
        reached = list(places)
        for at, each in enumerate(places):
            try:
                reached[at], events = self._advance(each, asked)
            except HttpError as fault:
                if fault.code not in _RETRIED:
                    raise
                continue
            if events:
                return tuple(reached), events
        return tuple(reached), []

    def _advance(self, at: StorePlace, asked: TailRequest) -> tuple[StorePlace, list[msgspec.Raw]]:
        followed = self._stores[at.store]
        commits = self._commits.after(followed.destination, at.position)
        batch_ids, end = commits.batch_ids, commits.end
        if at.after is not None:
            batch_ids = batch_ids[: at.until - at.index]
            end = CommitPosition(at.page, at.until, at.first or end.first)
        if not batch_ids:
            return _at(at.store, end), []
        batches = self._commits.batches_of(self._tenant, batch_ids, commits.until)
        if not batches:
            return _at(at.store, end), []
        if self._lags(followed, batches):
            return at, []
        result, limit = self._read(followed, batches, at, asked)
        events = fitting(result.rows[:limit])
        if len(result.rows) == len(events):
            return _at(at.store, end), events
        start = end.index - len(batch_ids)
        after = position_after(result.rows[: len(events)], at.after)
        return StorePlace(at.store, end.page, start, end.first, end.index, after), events

    def _lags(self, followed: FollowedStore, batches: Sequence[TenantBatch]) -> bool:
        """Whether the server that we read may be a replica that does not have all rows yet."""
        young = [each for each in batches if self._now() - each.committed_by < LAG_SECONDS]
        return bool(young) and followed.reads.count(young) < sum(each.rows for each in young)

    def _read(
        self, followed: FollowedStore, batches: Sequence[TenantBatch], at: StorePlace, asked: TailRequest
    ) -> tuple[SearchResult, int]:
        """Rows, at most one more than the limit that is returned: less than asked when rows are large."""
        limit = asked.limit
        while True:
            wanted = PageRange("asc", limit + 1, at.after, at.store)
            try:
                result = followed.reads.rows(batches, asked.filter, wanted)
            except HttpError as fault:
                if fault.code != QUERY_TOO_HEAVY or limit == 1:
                    raise
                limit = max(1, limit // 10)
                continue
            self._cost = self._cost.then(result)
            return result, limit


def _at(store: Store, position: CommitPosition) -> StorePlace:
    return StorePlace(store, position.page, position.index, position.first)
