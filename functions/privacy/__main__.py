"""The operator's commands for erasures: `python -m functions.privacy open`, `chain`, `restored`.

`open` lists the open erasures, for how long each has been running and what it waits for; never whom it is
about. `chain` checks that every receipt follows from the one before it, and prints the last hash: note it
somewhere else. `restored`, for use after a table was restored from a backup, erases again every account that
has a tombstone and has items in any table. It does so with `--go` only; without, it prints how many accounts
there are. Accounts of which only rows in ClickHouse were restored have to be named: `restored <account> …
--go`.

Tables are those of the environment; credentials and region as for the AWS CLI.
"""

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.receipt import checked
from functions.privacy.erasure.receipt_table import ErasureReceipts
from functions.privacy.erasure.record import ACCOUNT, REQUESTED, Erasure
from functions.privacy.inventory_tables import InventoryTables
from functions.privacy.service import ID_BYTES
from functions.privacy.wiring import tables
from functions.shared.accounts.tombstones import Tombstones, name_of
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    people_table: str
    keys_table: str
    key_lists_table: str
    audit_table: str
    announcements_table: str
    notices_table: str
    destinations_table: str
    shards_table: str
    health_table: str
    billing_table: str
    usage_table: str
    uploads_table: str
    exports_table: str
    erasures_table: str
    receipts_table: str
    tombstones_table: str


@dataclass(frozen=True, slots=True)
class CommandStores:
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
        return back - {each.tenant for each in self.erasures.due(self.clock()) if each.kind == ACCOUNT}

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


def open_stores(settings: Settings, client: Any, clock: Callable[[], float]) -> CommandStores:
    """Wire the parts around one DynamoDB client."""
    receipts = ErasureReceipts(settings.receipts_table, client)
    return CommandStores(
        erasures=Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        receipts=receipts,
        tombstones=Tombstones(settings.tombstones_table, client, clock),
        tables=tables(settings, client),
        clock=clock,
    )


def main(arguments: Sequence[str] | None = None, at: CommandStores | None = None) -> int:
    """The exit code: 0 on success; 1 with a sentence on standard error on failure."""
    parser = argparse.ArgumentParser(
        prog="python -m functions.privacy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("open", help="erasures that are not verified yet")
    commands.add_parser("chain", help="check all receipts")
    restored = commands.add_parser("restored", help="erase again the accounts that a backup restored")
    restored.add_argument(
        "--go", action="store_true", help="erase them; without it only their number is printed"
    )
    restored.add_argument(
        "accounts", nargs="*", help="accounts of which only rows in ClickHouse were restored"
    )
    asked = parser.parse_args(arguments)
    try:
        here = at or open_stores(load(Settings), open_client(), time.time)
        _COMMANDS[asked.what](here, asked)
    except AstralogError as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _open(here: CommandStores, _asked: argparse.Namespace) -> None:
    now = here.clock()
    for each in here.erasures.due(now):
        waits = ", ".join(sorted(set(each.progress.waits_for.values()))) or "nothing"
        hours = (now - each.starts_at) / 3600
        _say(f"{each.tenant} {each.kind} {each.state} for {hours:.1f} h, waits for {waits}")


def _chain(here: CommandStores, _asked: argparse.Namespace) -> None:
    before = here.receipts.head()
    found = list(here.receipts.all())
    while (head := here.receipts.head()) != before:
        before, found = head, list(here.receipts.all())  # a receipt was added meanwhile
    number, last = head
    if len(found) != number or checked(found) != last:
        raise AstralogError(f"the receipts do not match the head of the chain, which has {number} receipts")
    _say(f"{number} receipts, the last is {last}")


def _restored(here: CommandStores, asked: argparse.Namespace) -> None:
    if asked.go:
        here.delete_finished()
    back = here.resurrected(map(TenantId, asked.accounts))
    for tenant in sorted(back) if asked.go else ():
        here.erase_again(tenant)
    done = "are erased again" if asked.go else "would be erased again (--go)"
    _say(f"{len(back)} accounts that a backup restored {done}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


_COMMANDS: dict[str, Callable[[CommandStores, argparse.Namespace], None]] = {
    "open": _open,
    "chain": _chain,
    "restored": _restored,
}

if __name__ == "__main__":
    sys.exit(main())
