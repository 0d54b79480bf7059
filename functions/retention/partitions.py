"""The events table as retention sees it: partitions in, partitions dropped."""

from datetime import date

from functions.retention.plan import Partition
from functions.shared.warehouse import Warehouse

_PARTITIONS = """
SELECT partition, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE database = currentDatabase() AND table = 'events' AND active
GROUP BY partition
"""


class Partitions:
    """The partitions of `events`, one a day of expiry."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def all(self) -> list[Partition]:
        """Every partition that holds rows."""
        return [
            Partition(date.fromisoformat(row["partition"]), int(row["rows"]), int(row["bytes"]))
            for row in self._warehouse.select(_PARTITIONS).rows
        ]

    def drop(self, partition: Partition) -> None:
        """Drop every row of `partition` and free its bytes. A partition that is gone already is no fault."""
        self._warehouse.command(
            "ALTER TABLE events DROP PARTITION {expires_on:String}",
            {"expires_on": partition.expires_on.isoformat()},
        )
