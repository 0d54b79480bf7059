"""The events table as an erasure sees it: rows, and what the engine retains of them for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep

from functions.privacy.erasure.mutations import Deletion, Mutations
from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.subject import RowSelection
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

STATEMENT_TIMEOUT_SECONDS = 120
NEEDED_SECONDS = STATEMENT_TIMEOUT_SECONDS + 30

PATIENCE_SECONDS = 5
"""How long a run waits for parts to be rewritten. Other accounts' erasures need not wait for a large part."""

LOOK_AGAIN_SECONDS = 0.1

_EVENTS = "database = currentDatabase() AND table = 'events'"

_OLD_PARTS = f"""
SELECT count() AS count FROM system.parts
WHERE {_EVENTS} AND NOT active AND remove_time <= parseDateTimeBestEffort({{at:String}}, 'UTC')
"""  # noqa: S608


class EventRows:
    """Counts and erases rows of `events`; errors are those of the warehouse."""

    def __init__(self, warehouse: Warehouse, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._warehouse = warehouse
        self._patience_seconds = patience_seconds
        self._mutations = Mutations(warehouse)

    def count(self, whose: RowSelection, until: datetime | None = None) -> int:
        """How many of these rows there are, of those received before `until`."""
        return self._count(_deletion(whose, until))

    def erase(self, whose: RowSelection, until: datetime | None = None) -> bool:
        """Rewrite the parts without them, on all replicas; a lightweight delete would leave the bytes.

        A mutation ends after it has visited all parts of the table, and it waits for merges of each, of
        other tenants' rows too. So where there is one replica only the parts that hold these rows are waited
        for, and then the mutation is discarded with its text: no other part has any of them.

        False if that is still in progress: in large parts it takes longer than a run can wait.
        """
        deletion = _deletion(whose, until)
        if self._mutations.has_one_replica():
            return self._erased_in_parts(deletion)
        return not self._mutations.is_under_way(deletion) and self._mutations.apply(deletion)

    def now(self) -> str:
        """The engine's own time, in UTC, to the second above."""
        found = self._warehouse.select("SELECT toString(toDateTime(now() + 1, 'UTC')) AS now")
        return found.text("now")

    def texts(self, tenant: TenantId) -> int:
        """How many mutations of `tenant` the engine still lists: each has the value it looked for."""
        return self._mutations.texts(tenant)

    def old_parts(self, at: str) -> int:
        """How many parts on disk were replaced before `at`, by the engine's time; they stay for minutes."""
        return self._warehouse.select(_OLD_PARTS, {"at": at}).whole("count")

    def forget_texts(self, tenant: TenantId) -> bool:
        """Delete the entries of mutations of `tenant`. False if one of them is still in progress."""
        if not self._mutations.has_one_replica():
            return self._mutations.replace_finished()
        self._mutations.discard_finished(tenant)
        return not self._mutations.texts(tenant)

    def _erased_in_parts(self, deletion: Deletion) -> bool:
        ends_at, is_under_way = monotonic() + self._patience_seconds, self._mutations.is_under_way(deletion)
        while self._count(deletion):
            if not is_under_way:
                self._mutations.add(deletion)
                is_under_way = True
            if monotonic() > ends_at:
                return False
            sleep(LOOK_AGAIN_SECONDS)
        self._mutations.discard(deletion)
        return True

    def _count(self, deletion: Deletion) -> int:
        statement = f"SELECT count() AS count FROM events WHERE {deletion.condition}"  # noqa: S608 - nothing of a caller's
        return self._warehouse.select(statement, deletion.parameters).whole("count")


@dataclass(frozen=True, slots=True)
class Rows:
    """The place of rows; nothing is erased while more may arrive, because sync counts what it inserts.

    `waiting`: how many staged objects may hold such rows.
    """

    rows: EventRows
    whose: RowSelection
    waiting: Callable[[], int]
    time: ErasureClock
    until: Callable[[], datetime | None] = lambda: None

    def count(self) -> int:
        return self.rows.count(self.whose, self.until())

    def remove(self) -> str | None:
        if self.waiting():
            raise NotYetError("staged")
        self.time.need(NEEDED_SECONDS)
        if not self.rows.erase(self.whose, self.until()):
            raise NotYetError("mutation")
        return self.rows.now()


@dataclass(frozen=True, slots=True)
class Traces:
    """What the engine retains of erased rows. `erased_at`: by its own time; None if none were erased."""

    rows: EventRows
    tenant: TenantId
    erased_at: Callable[[], str | None]
    time: ErasureClock

    def count(self) -> int:
        erased_at = self.erased_at()
        return 0 if erased_at is None else self.rows.texts(self.tenant) + self.rows.old_parts(erased_at)

    def remove(self) -> str | None:
        """The engine removes old parts by itself, in its own time."""
        self.time.need(NEEDED_SECONDS)
        if self.rows.texts(self.tenant) and not self.rows.forget_texts(self.tenant):
            raise NotYetError("mutation")
        if self.count():
            raise NotYetError("engine")
        return None


def _deletion(whose: RowSelection, until: datetime | None) -> Deletion:
    condition, parameters = whose.condition()
    if until is None:
        return Deletion(condition, parameters)
    before = "received_at < parseDateTime64BestEffort({until:String}, 6, 'UTC')"
    return Deletion(f"{condition} AND {before}", {**parameters, "until": until.isoformat()})
