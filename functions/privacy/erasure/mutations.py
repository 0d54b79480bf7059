"""Mutations of `events` that delete rows, and what the engine retains of them.

The condition of each ends in a tag, so that it can be found without its values.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from functions.shared.tenancy import TenantId
from functions.shared.warehouse import OutcomeUnknownError, Warehouse

_EVENTS = "database = currentDatabase() AND table = 'events'"

_HAS_ONE_REPLICA = """
SELECT count() AS count FROM system.tables
WHERE database = currentDatabase() AND name = 'events' AND engine = 'MergeTree'
"""

_IS_TAGGED = "position(command, concat('\\'', {tag:String}, '\\'')) > 0"

_IS_OF_TENANT = "position(command, concat('\\'', {tenant_id:String}, '\\'')) > 0"

_UNDER_WAY = f"SELECT count() AS count FROM system.mutations WHERE {_EVENTS} AND NOT is_done AND {_IS_TAGGED}"  # noqa: S608

_TEXTS = f"SELECT count() AS count FROM system.mutations WHERE {_EVENTS} AND {_IS_OF_TENANT}"  # noqa: S608

_DELETE_TAGGED = f"KILL MUTATION WHERE {_EVENTS} AND {_IS_TAGGED}"

_DELETE_FINISHED = f"KILL MUTATION WHERE {_EVENTS} AND is_done AND {_IS_OF_TENANT}"

_NEUTRAL = "ALTER TABLE events DELETE WHERE tenant_id = ''"
"""Deletes nothing, because no tenant has this id, and replaces the mutation before it."""

_LAST_IS_NEUTRAL = f"""
SELECT countIf(position(command, 'tenant_id = \\'\\'') > 0) AS count FROM
(
    SELECT command FROM system.mutations WHERE {_EVENTS}
    ORDER BY create_time DESC, length(mutation_id) DESC, mutation_id DESC LIMIT 1
)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Deletion:
    """The mutation that deletes the rows of `condition`, an SQL condition with bound `parameters`."""

    condition: str
    parameters: Mapping[str, Any]

    @property
    def tag(self) -> str:
        """Equal for equal deletions; names none of their values."""
        text = json.dumps([self.condition, self.parameters], sort_keys=True)
        return sha256(text.encode()).hexdigest()


class Mutations:
    """The mutations of `events` in one warehouse. Errors are those of the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def has_one_replica(self) -> bool:
        """Whether a SELECT finds all there is; tables of other engines have parts on other servers, too."""
        return bool(self._number(_HAS_ONE_REPLICA))

    def is_under_way(self, deletion: Deletion) -> bool:
        """Whether it was added and has not visited all parts of the table yet."""
        return bool(self._number(_UNDER_WAY, {"tag": deletion.tag}))

    def add(self, deletion: Deletion) -> None:
        """Add it; the engine applies it in the background."""
        self._delete(deletion, mutations_sync=0)

    def apply(self, deletion: Deletion) -> bool:
        """Add it and wait until it has visited all parts, on all replicas. False if that is in progress."""
        try:
            self._delete(deletion, mutations_sync=2)
        except OutcomeUnknownError:
            return False
        return True

    def discard(self, deletion: Deletion) -> None:
        """Delete its entry with its text; parts that it has not visited stay as they are."""
        self._warehouse.command(_DELETE_TAGGED, {"tag": deletion.tag})

    def texts(self, tenant: TenantId) -> int:
        """How many mutations of `tenant` the engine still lists: each has the value it looked for."""
        return self._number(_TEXTS, {"tenant_id": str(tenant)})

    def discard_finished(self, tenant: TenantId) -> None:
        """Delete the entries of all finished mutations of `tenant`, with their texts."""
        self._warehouse.command(_DELETE_FINISHED, {"tenant_id": str(tenant)})

    def replace_finished(self) -> bool:
        """Add an empty mutation as the last one; the engine then deletes the entries of those before it.

        It waits for all before it, on all replicas. False if that is still in progress.
        """
        if self._number(_LAST_IS_NEUTRAL):
            return True
        self._warehouse.command("ALTER TABLE events MODIFY SETTING finished_mutations_to_keep = 1")
        try:
            self._warehouse.command(_NEUTRAL, {}, {"mutations_sync": 2})
        except OutcomeUnknownError:
            return False
        return True

    def _delete(self, deletion: Deletion, *, mutations_sync: int) -> None:
        self._warehouse.command(
            f"ALTER TABLE events DELETE WHERE {deletion.condition} AND {{tag:String}} != ''",
            {**deletion.parameters, "tag": deletion.tag},
            {"mutations_sync": mutations_sync},
        )

    def _number(self, statement: str, parameters: dict[str, Any] | None = None) -> int:
        return self._warehouse.select(statement, parameters).whole("count")
