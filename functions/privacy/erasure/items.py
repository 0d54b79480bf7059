"""Items of DynamoDB as places of an erasure."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.record import Erasure
from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.tables.transaction import WRITES_A_TRANSACTION
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Items:
    """The items of `tenant` in one table. `ready`: whether they are no longer needed."""

    tables: InventoryTables
    inventory_entry: InventoryEntry
    tenant: TenantId
    time: ErasureClock
    ready: Callable[[], bool] = lambda: True

    def count(self) -> int:
        return sum(1 for _ in self.tables.keys(self.inventory_entry, self.tenant))

    def remove(self) -> str | None:
        if not self.ready():
            raise NotYetError("billing")
        keys = self.tables.keys(self.inventory_entry, self.tenant)
        while some := list(islice(keys, WRITES_A_TRANSACTION)):
            self.time.need(30)
            self.tables.remove(self.inventory_entry, some)
        return None


@dataclass(frozen=True, slots=True)
class OtherErasures:
    """The account's erasures except the one in progress; receipts of finished erasures stay."""

    erasures: Erasures
    tenant: TenantId
    erasure_id: str
    time: ErasureClock

    def count(self) -> int:
        return len(self._others())

    def remove(self) -> str | None:
        for each in self._others():
            self.erasures.drop(each, self.time.now())
        return None

    def _others(self) -> list[Erasure]:
        return [each for each in self.erasures.all(self.tenant) if each.erasure_id != self.erasure_id]
