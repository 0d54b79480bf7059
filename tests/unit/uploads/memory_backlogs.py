"""Backlogs in memory, with the contract of functions.uploads.backlog.Backlogs; they count their requests."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, islice

from functions.shared.tenancy import TenantId
from functions.uploads.backlog import (
    BATCHES_A_LOOK,
    FILES_A_BATCH,
    BacklogBatch,
    Backlogs,
    BacklogState,
    WaitingFile,
)


class MemoryBacklogs(Backlogs):
    """`requests`: how often DynamoDB would have been asked, by kind."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = count()
        self._batches: dict[TenantId, dict[str, BacklogBatch]] = {}
        self._wakes_at: dict[TenantId, int] = {}
        self._waits_until: dict[TenantId, int] = {}
        self.requests: Counter[str] = Counter()

    def append(self, tenant: TenantId, files: Sequence[WaitingFile]) -> None:
        for start in range(0, len(files), FILES_A_BATCH):
            self.requests["append"] += 1
            batch = BacklogBatch(
                tenant, f"{next(self._numbers):09d}", tuple(files[start : start + FILES_A_BATCH])
            )
            self._batches.setdefault(tenant, {})[batch.entry] = batch

    def look(self, tenant: TenantId) -> BacklogState:
        self.requests["look"] += 1
        first = list(islice(self._batches.get(tenant, {}).values(), BATCHES_A_LOOK))
        wakes_at, waits_until = self._wakes_at.get(tenant, 0), self._waits_until.get(tenant, 0)
        return BacklogState(self.now(), wakes_at, waits_until, first)

    def lease(self, batch: BacklogBatch, seconds: float) -> BacklogBatch | None:
        self.requests["lease"] += 1
        stored = self._batches[batch.tenant].get(batch.entry)
        if stored is None or stored.files != batch.files or stored.until >= self.now():
            return None
        leased = replace(batch, owner=str(next(self._numbers)), until=self.now() + int(seconds) + 1)
        self._batches[batch.tenant][batch.entry] = leased
        return leased

    def finish(self, batch: BacklogBatch, left: Sequence[WaitingFile]) -> None:
        self.requests["finish"] += 1
        batches = self._batches[batch.tenant]
        stored = batches.get(batch.entry)
        if stored is None or stored.owner != batch.owner:
            return
        if left:
            batches[batch.entry] = replace(stored, files=tuple(left), until=0)
        else:
            del batches[batch.entry]

    def note_wake_up(self, tenant: TenantId, at: int) -> None:
        self.requests["note"] += 1
        self._wakes_at[tenant] = at

    def note_wait(self, tenant: TenantId, until: int) -> None:
        self.requests["note"] += 1
        self._waits_until[tenant] = until
