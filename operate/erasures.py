"""Commands for erasures and their receipts: `open-erasures`, `check-receipts`, `repeat-erasures`."""

import argparse
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.receipt import checked
from functions.privacy.erasure.receipt_table import ErasureReceipts
from functions.privacy.erasure.record import ACCOUNT, REQUESTED, Erasure
from functions.privacy.inventory_tables import InventorySettings, InventoryTables
from functions.privacy.service import ID_BYTES
from functions.privacy.wiring import tables
from functions.shared.accounts.tombstones import Tombstones, name_of
from functions.shared.tenancy import TenantId
from operate.command import Command
from operate.console import Console
from operate.errors import OperatorError
from operate.session import Session


@dataclass(frozen=True, slots=True)
class ErasureTables(InventorySettings):
    shards_table: str
    receipts_table: str
    tombstones_table: str


@dataclass(frozen=True, slots=True)
class ErasureStores:
    """The stores that the commands use. `clock`: Unix seconds."""

    erasures: Erasures
    receipts: ErasureReceipts
    tombstones: Tombstones
    tables: InventoryTables
    clock: Callable[[], float]

    def resurrected(self, named: Iterable[TenantId] = ()) -> set[TenantId]:
        """Erased accounts that have items in a table, or that the operator has `named`."""
        tombstones = self.tombstones.all()
        found = chain(named, *(self.tables.tenants(inventory_entry) for inventory_entry in DATA_INVENTORY))
        back = {tenant for tenant in found if name_of(tenant) in tombstones}
        now = self.clock()
        open_accounts = (each for each in self.erasures.due(now) if each.kind == ACCOUNT)
        return back - {each.tenant for each in open_accounts if not self.erasures.has_receipt(each, now)}

    def delete_finished(self) -> None:
        """Delete erasures that a backup reopened: they have their receipt, and there is one of each."""
        now = self.clock()
        for each in self.erasures.due(now):
            if self.erasures.has_receipt(each, now):
                self.erasures.drop(each, now)

    def erase_again(self, tenant: TenantId) -> None:
        """Start at once: the first erasure could be cancelled."""
        now = int(self.clock())
        erasure_id = f"era_{secrets.token_hex(ID_BYTES)}"
        self.erasures.ask_again(Erasure(tenant, erasure_id, ACCOUNT, REQUESTED, now, now))


def open_stores(settings: ErasureTables, client: Any, clock: Callable[[], float]) -> ErasureStores:
    """Wire the parts around one DynamoDB client."""
    receipts = ErasureReceipts(settings.receipts_table, client)
    return ErasureStores(
        erasures=Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        receipts=receipts,
        tombstones=Tombstones(settings.tombstones_table, client, clock),
        tables=tables(settings, client),
        clock=clock,
    )


def _stores(session: Session) -> ErasureStores:
    return open_stores(session.settings(ErasureTables), session.dynamodb, session.clock)


def list_open(stores: ErasureStores, console: Console) -> None:
    """Show each open erasure, its age and what it waits for; never whom it is about."""
    now = stores.clock()
    for each in stores.erasures.due(now):
        waits = sorted(set(each.progress.waits_for.values()))
        hours = (now - each.starts_at) / 3600
        console.show(
            {
                "tenant": each.tenant,
                "kind": each.kind,
                "state": each.state,
                "hours": hours,
                "waits_for": waits,
            },
            f"{each.tenant} {each.kind} {each.state} for {hours:.1f} h, "
            f"waits for {', '.join(waits) or 'nothing'}",
        )


def check_receipts(stores: ErasureStores, console: Console) -> None:
    """Check that every receipt follows from the one before it, and show the last hash.

    Raises
    ------
    OperatorError: a receipt is missing or was changed.
    """
    before = stores.receipts.head()
    found = list(stores.receipts.all())
    while (head := stores.receipts.head()) != before:
        before, found = head, list(stores.receipts.all())  # a receipt was added meanwhile
    number, last = head
    if len(found) != number or checked(found) != last:
        raise OperatorError(f"the receipts do not match the head of the chain, which has {number} receipts")
    console.show({"receipts": number, "last": last}, f"{number} receipts, the last is {last}")


def repeat_erasures(
    stores: ErasureStores, console: Console, named: Iterable[TenantId] = (), *, dry_run: bool = False
) -> None:
    """Erase again every account that has a tombstone and has items in a table, or is `named`."""
    back = sorted(stores.resurrected(named))
    if not dry_run:
        if back:
            console.confirm(f"Erase {len(back)} accounts again that a backup restored?")
        stores.delete_finished()
        for tenant in back:
            stores.erase_again(tenant)
    done = "would be erased again" if dry_run else "are erased again"
    shown = {"accounts": len(back), "dry_run": dry_run}
    console.show(shown, f"{len(back)} accounts that a backup restored {done}")


def _open_erasures(_asked: argparse.Namespace, session: Session) -> None:
    """List the open erasures, for how long each has been running, and what it waits for."""
    list_open(_stores(session), session.console)


def _check_receipts(_asked: argparse.Namespace, session: Session) -> None:
    """Check the chain of receipts and print its last hash. Store that hash outside of the system."""
    check_receipts(_stores(session), session.console)


def _repeat_erasures(asked: argparse.Namespace, session: Session) -> None:
    """After a restore from a backup, erase again every account that has a tombstone and items in any table.

    Name the accounts of which only rows in ClickHouse were restored.
    """
    named = [TenantId(each) for each in asked.accounts]
    repeat_erasures(_stores(session), session.console, named, dry_run=asked.dry_run)


def _repeat_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only print the number of accounts")
    parser.add_argument("accounts", nargs="*", help="accounts of which only rows in ClickHouse were restored")


COMMANDS = (
    Command("open-erasures", "list erasures that are not verified yet", _open_erasures),
    Command("check-receipts", "check the chain of all receipts", _check_receipts),
    Command("repeat-erasures", "erase accounts again after a restore", _repeat_erasures, _repeat_arguments),
)
