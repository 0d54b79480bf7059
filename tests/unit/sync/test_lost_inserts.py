"""When a batch without rows counts as lost, and when as not shown yet."""

from datetime import date
from typing import Any

import pytest

from functions.shared.warehouse import Selection
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest

BATCH = Batch(Manifest("managed", date(2030, 1, 1), ()), "batch", "sealed", ())


class Warehouse:
    """Has so many rows of any batch, in a table of that engine."""

    def __init__(self, rows: int, engine: str) -> None:
        self._rows, self._engine = rows, engine

    def select(self, statement: str, _parameters: Any = None) -> Selection:
        if "system.tables" in statement:
            return Selection([{"engine": self._engine}], 1, 0.1)
        return Selection([{"rows": str(self._rows)}], 1, 0.1)


@pytest.mark.parametrize(
    ("rows", "engine", "is_lost"),
    [
        (0, "MergeTree", True),
        (3, "MergeTree", False),
        # Loaded under another name it would be there twice once the replica has caught up.
        (0, "ReplicatedMergeTree", False),
        (0, "SharedMergeTree", False),
    ],
)
def test_only_an_engine_that_can_forget_rows_alone_is_taken_to_have(
    rows: int, engine: str, is_lost: bool
) -> None:
    assert EventsTable(Warehouse(rows, engine)).swallowed(BATCH) is is_lost  # type: ignore[arg-type]
