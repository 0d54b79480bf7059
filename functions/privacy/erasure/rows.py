"""The events table as an erasure sees it: rows, and what the engine retains of them for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.subject import RowSelection
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import OutcomeUnknownError, Warehouse

STATEMENT_TIMEOUT_SECONDS = 120
NEEDED_SECONDS = STATEMENT_TIMEOUT_SECONDS + 30

_EVENTS = "database = currentDatabase() AND table = 'events'"

_UNDER_WAY = f"SELECT count() AS count FROM system.mutations WHERE {_EVENTS} AND NOT is_done"  # noqa: S608

_NEUTRAL = "ALTER TABLE events DELETE WHERE tenant_id = ''"
"""Erases nothing, because no tenant has this id, and replaces the mutation before it."""

_TEXTS = f"""
SELECT count() AS count FROM system.mutations
WHERE {_EVENTS} AND position(command, concat('\\'', {{tenant_id:String}}, '\\'')) > 0
"""  # noqa: S608

_LAST_IS_NEUTRAL = f"""
SELECT countIf(position(command, 'tenant_id = \\'\\'') > 0) AS count FROM
(
    SELECT command FROM system.mutations WHERE {_EVENTS}
    ORDER BY create_time DESC, length(mutation_id) DESC, mutation_id DESC LIMIT 1
)
"""  # noqa: S608

_OLD_PARTS = f"""
SELECT count() AS count FROM system.parts
WHERE {_EVENTS} AND NOT active AND remove_time <= parseDateTimeBestEffort({{at:String}}, 'UTC')
"""  # noqa: S608


class EventRows:
    """Counts and erases rows of `events`; errors are those of the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def count(self, whose: RowSelection, until: datetime | None = None) -> int:
        """How many of these rows there are, of those received before `until`."""
        condition, parameters = _received(whose, until)
        statement = f"SELECT count() AS count FROM events WHERE {condition}"  # noqa: S608 - nothing of a caller's
        return self._number(statement, parameters)

    def erase(self, whose: RowSelection, until: datetime | None = None) -> bool:
        """Rewrite the parts without them, on all replicas; a lightweight delete would leave the bytes.

        False if that is still in progress: in large parts it takes longer than a run can wait.
        """
        if self._number(_UNDER_WAY):
            return False
        condition, parameters = _received(whose, until)
        return self._mutated(f"ALTER TABLE events DELETE WHERE {condition}", parameters)

    def now(self) -> str:
        """The engine's own time, in UTC, to the second above."""
        found = self._warehouse.select("SELECT toString(toDateTime(now() + 1, 'UTC')) AS now")
        return found.text("now")

    def texts(self, tenant: TenantId) -> int:
        """How many mutations of `tenant` the engine still lists: each has the value it looked for."""
        return self._number(_TEXTS, {"tenant_id": str(tenant)})

    def old_parts(self, at: str) -> int:
        """How many parts on disk were replaced before `at`, by the engine's time; they stay for minutes."""
        return self._number(_OLD_PARTS, {"at": at})

    def forget_texts(self) -> bool:
        """Add an empty mutation as the last one; the engine then deletes the entries of those before it.

        It waits for all before it, on all replicas. False if that is still in progress.
        """
        if self._number(_LAST_IS_NEUTRAL):
            return True
        self._warehouse.command("ALTER TABLE events MODIFY SETTING finished_mutations_to_keep = 1")
        return self._mutated(_NEUTRAL, {})

    def _mutated(self, statement: str, parameters: dict[str, Any]) -> bool:
        try:
            self._warehouse.command(statement, parameters, {"mutations_sync": 2})
        except OutcomeUnknownError:
            return False
        return True

    def _number(self, statement: str, parameters: dict[str, Any] | None = None) -> int:
        return self._warehouse.select(statement, parameters).whole("count")


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
        if self.rows.texts(self.tenant) and not self.rows.forget_texts():
            raise NotYetError("mutation")
        if self.count():
            raise NotYetError("engine")
        return None


def _received(whose: RowSelection, until: datetime | None) -> tuple[str, dict[str, Any]]:
    condition, parameters = whose.condition()
    if until is None:
        return condition, parameters
    before = "received_at < parseDateTime64BestEffort({until:String}, 6, 'UTC')"
    return f"{condition} AND {before}", {**parameters, "until": until.isoformat()}
