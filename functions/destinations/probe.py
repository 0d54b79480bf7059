"""A test row in a customer's `events`: inserted as sync inserts, counted, and deleted.

Its tenant is `probe:<tenant>`, which no account has: no tenant id contains a colon. Its expiry day is the
last day of the type Date, so the row has its own partition and deleting it touches no other.
"""

import json
import secrets
import time
from collections.abc import Callable

from backports import zstd

from functions.shared.events.staged_key import COLUMNS
from functions.shared.insert_statement import insert, try_insert
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

EXPIRES_ON = "2149-06-06"
PARTITION_IDS = {"expires_on": "21490606", "expires_on, bulk": "21490606-0"}
"""ClickHouse's id of the row's own partition, by the partition key of `events`, former or new."""

REPLICA_SECONDS = 3.0
"""How long a replica may lag behind the one that received the insert."""

_METADATA = '{"probe":true}'
_RUNNING = """
SELECT countIf(NOT is_done) AS running FROM system.mutations
WHERE database = currentDatabase() AND table = 'events'
"""
_MINE = "tenant_id = {probe:String} AND batch_id = {batch_id:String}"


class Probe:
    """The row of one test of `tenant`; methods raise the errors of the warehouse.

    `with_identity`: the tables have the columns of functions.shared.events.staged_key.IDENTITY.
    """

    def __init__(self, warehouse: Warehouse, tenant: TenantId) -> None:
        self._warehouse = warehouse
        self.with_identity = True
        self._batch_id = secrets.token_hex(32)
        self.tenant_id = f"probe:{tenant}"
        self._mine = {"probe": self.tenant_id, "batch_id": self._batch_id}

    def write(self) -> None:
        """Insert the row as one block with a token, then the same block again, as after a lost answer."""
        body = zstd.compress(self._line(), 1)
        try_insert(self._warehouse, body, with_identity=self.with_identity)
        for _ in range(2):
            insert(self._warehouse, body, self._batch_id, EXPIRES_ON, with_identity=self.with_identity)

    def found(self) -> int:
        """The number of rows stored as written; waits up to REPLICA_SECONDS for the first."""
        whole = "message = 'AstraLog probe' AND metadata = {metadata:String}"
        return self._settled(whole, {"metadata": _METADATA}, lambda rows: rows > 0)

    def left(self) -> int:
        """The number of rows left; waits up to REPLICA_SECONDS for zero."""
        return self._settled("1", {}, lambda rows: rows == 0)

    def erase(self, partition_key: str) -> None:
        """Delete the row as sync and erasures do; `partition_key`: of the table, as ClickHouse prints it.

        An erasure first queries whether another mutation is running, which needs a right of its own.
        """
        self._warehouse.select(_RUNNING).whole("running")
        own = PARTITION_IDS.get(partition_key)
        partition = f"IN PARTITION ID '{own}' " if own else ""
        self._warehouse.command(
            f"ALTER TABLE events DELETE {partition}WHERE {_MINE}", self._mine, {"mutations_sync": 1}
        )

    def _settled(self, condition: str, parameters: dict[str, str], enough: Callable[[int], bool]) -> int:
        statement = (
            "SELECT count() AS rows FROM events "  # noqa: S608 - nothing in it comes from outside
            f"WHERE expires_on = '{EXPIRES_ON}' AND {_MINE} AND {condition}"
        )
        deadline = time.monotonic() + REPLICA_SECONDS
        while True:
            rows = self._warehouse.select(statement, {**self._mine, **parameters}).whole("rows")
            if enough(rows) or time.monotonic() > deadline:
                return rows
            time.sleep(0.2)

    def _line(self) -> bytes:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        row = {
            **dict.fromkeys(COLUMNS, ""),
            "tenant_id": self.tenant_id,
            "timestamp": now,
            "received_at": now,
            "level": "info",
            "message": "AstraLog probe",
            "metadata": json.loads(_METADATA),
            "position": 0,
        }
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"
