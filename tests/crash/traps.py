"""Traps at writes: a process dies before one, or after it took place and before the process knows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.shared.warehouse import Warehouse
from tests.crash.faults import Crash

WRITES = frozenset(
    {
        "TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem",
        "PutObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "UploadPart",
        "CompleteMultipartUpload", "AbortMultipartUpload", "AdminDeleteUser", "SendMessage",
    }
)  # fmt: skip


@dataclass
class Trap:
    """Springs at the write of number `at`: before it, or after it took place and before the process knows."""

    at: int | None = None
    after: bool = False
    writes: int = 0
    sprung: bool = False

    def before(self, name: str) -> None:
        if name in WRITES:
            self.writes += 1
            self._spring(name, after=False)

    def done(self, name: str) -> None:
        if name in WRITES:
            self._spring(name, after=True)

    def _spring(self, name: str, *, after: bool) -> None:
        if self.at == self.writes and self.after is after and not self.sprung:
            self.sprung = True
            raise Crash(name)


class TrappedWarehouse:
    """The engine, with its writes on the count of the trap that is set at that moment."""

    def __init__(self, warehouse: Warehouse, trap: Callable[[], Trap]) -> None:
        self._warehouse = warehouse
        self._trap = trap

    def command(self, *statement: Any) -> None:
        self._trap().before("PutItem")
        self._warehouse.command(*statement)
        self._trap().done("PutItem")

    def select(self, *statement: Any) -> Any:
        return self._warehouse.select(*statement)
