"""The stops and places of any erasure, in their order, built from the stores."""

from dataclasses import dataclass
from datetime import timedelta

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.items import Items, OtherErasures
from functions.privacy.erasure.mentions import Mentions
from functions.privacy.erasure.objects import (
    Folder,
    StagedObjects,
    count_staged,
)
from functions.privacy.erasure.person_planner import PersonErasurePlanner, inventory_entry_of
from functions.privacy.erasure.place import ErasurePlace
from functions.privacy.erasure.progress import PeopleIds
from functions.privacy.erasure.record import ACCOUNT, Erasure
from functions.privacy.erasure.rows import Rows, Traces
from functions.privacy.erasure.run import ErasureRun, Stopping
from functions.privacy.erasure.sign_in_place import SignInPlace
from functions.privacy.erasure.subject import AllRows
from functions.privacy.erasure.suppressed import Suppressed
from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.sign_ins import SignIns
from functions.shared.accounts.account_closings import AccountClosings
from functions.shared.accounts.suppressions import Suppressions, digest_of
from functions.shared.accounts.tombstones import Tombstones
from functions.shared.byoc.encryption import Shards
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    idempotency_prefix,
    quarantine_prefix,
)

SETTLE = timedelta(hours=2)
"""From the last stop until nothing of the account can arrive any more.

The authorizer caches a key or token for 30 s, and a request with it lasts 29 s. A link to drop a file lasts
an hour, and reading the file another quarter. Scheduled functions run for 5 minutes, sync for one, and an
insert of sync half a minute longer. The longest chain of these is below an hour and a half.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasurePlanner(PersonErasurePlanner):
    """The stores that any erasure goes through."""

    erasures: Erasures
    tombstones: Tombstones
    shards: Shards
    closings: AccountClosings
    sign_ins: SignIns
    suppressions: Suppressions
    settle: timedelta = SETTLE

    def of(self, erasure: Erasure) -> ErasureRun:
        """The work for `erasure`."""
        return (
            self._of_account(erasure) if erasure.kind == ACCOUNT else PersonErasurePlanner.of(self, erasure)
        )

    def _of_account(self, erasure: Erasure) -> ErasureRun:
        tenant = erasure.tenant
        stops: dict[str, Stopping] = {
            "people": lambda: self._people_of(tenant),
            "tombstone": lambda: self.tombstones.add(tenant),
            "access": lambda: self.erasures.accounts.close(tenant),
            "credentials": lambda: self.shards.destroy(tenant),
            "billing": lambda: self._end_billing(tenant),
        }
        work = ErasureRun(erasure, settle_seconds=self.settle.total_seconds(), stops=stops)
        work.places |= {
            "archives": self.copies(tenant, lambda: None),
            "dropped_files": Folder(self.drops, dropin_prefix(tenant), self.time),
            "checkpoints": Folder(self.staging, checkpoint_prefix(tenant), self.time),
            "idempotency_marks": Folder(self.staging, idempotency_prefix(tenant), self.time),
            # Before the quarantine: sync may quarantine what is staged, and nothing is replayed any more.
            "staged": StagedObjects(self.staging, tenant, self.time, stopped_at=work.stopped_at),
            "quarantined": Folder(self.staging, quarantine_prefix(tenant), self.time),
            "rows": Rows(
                self.rows, AllRows(tenant), lambda: count_staged(self.staging, tenant, self.time), self.time
            ),
            "traces": Traces(self.rows, tenant, lambda: work.mark_of("rows"), self.time),
            "sign_ins": SignInPlace(self.sign_ins, lambda: work.erasure.progress.subjects),
            "mentions": Mentions(self.tables, tenant),
            "suppressions": Suppressed(self.suppressions, lambda: work.erasure.progress.digests),
            **{each.table: self._items(each, erasure) for each in DATA_INVENTORY},
        }
        return work

    def _items(self, inventory_entry: InventoryEntry, erasure: Erasure) -> ErasurePlace:
        tenant = erasure.tenant
        if inventory_entry.table == "erasures":
            return OtherErasures(self.erasures, tenant, erasure.erasure_id, self.time)
        if inventory_entry.after_billing:
            return Items(self.tables, inventory_entry, tenant, self.time, lambda: self._closed(tenant))
        return Items(self.tables, inventory_entry, tenant, self.time)

    def _closed(self, tenant: TenantId) -> bool:
        """Whether billing has closed the account; if not, request it again: its item may be newer.

        Without an account, as when only its billing item was restored, there is nothing to close.
        """
        account = self.tables.page(inventory_entry_of("accounts"), tenant).items
        if not account or self.closings.state(tenant) != "open":
            return True
        self._end_billing(tenant)
        return False

    def _end_billing(self, tenant: TenantId) -> None:
        self.closings.request(tenant)

    def _people_of(self, tenant: TenantId) -> PeopleIds:
        found = list(self.tables.items(inventory_entry_of("people"), tenant))
        asked_for = {each for item in found for each in item.get("asked_emails", ())}
        return PeopleIds(
            tuple(sorted(item["subject"] for item in found)),
            tuple(sorted(map(digest_of, {item["email"] for item in found} | asked_for))),
        )
