"""The single way to change an account's billing record and status: read, decide, write, and retry on a
conflict.

Stripe is read after the record, and the write is rejected if the record was written in between. So the last
write always has the latest read: events may arrive in any order, repeatedly or concurrently, and the
record ends up equal to Stripe's own object. This holds only because every read of Stripe is written, even
when nothing differs: a write invalidates every read that began before it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from functions.billing.stripe_contract import StripeApi, StripeObject
from functions.billing.subscriptions import entitlements
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_store import BillingRecordChangedError
from functions.billing.subscriptions.change_notices import notices_of_change
from functions.billing.subscriptions.notice_texts import BillingNotice
from functions.billing.subscriptions.subscription import (
    OWING,
    Subscription,
    chosen,
    has_two_subscriptions,
    snapshot,
)
from functions.shared import journal
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

TRIES = 8

STRIPE = Origin("stripe", "", "")
"""The actor of changes that Stripe reported."""

CALENDAR = Origin("calendar", "", "")
"""The actor of changes that follow from the date."""

Item = dict[str, Any]

ChangeNotices = Callable[[BillingRecord, BillingRecord, float], Iterable[BillingNotice]]
"""The notices about a change from one record to another, at a time in Unix seconds."""


class BillingRecordBusyError(RetryableError):
    """Concurrent writes of the same record continue."""


class NoAccountError(PermanentError):
    """The account does not exist."""


class RecordStore(Protocol):
    """Methods used of functions.billing.subscriptions.billing_store.BillingStore."""

    def of(self, tenant: TenantId) -> BillingRecord: ...
    def account_status(self, tenant: TenantId) -> AccountStatus | None: ...
    def write(
        self, record: BillingRecord, account_status: AccountStatus | None = None, also: Sequence[Item] = ()
    ) -> BillingRecord: ...


class PeriodUsage(Protocol):
    """Stored usage."""

    def used_bytes(self, tenant: TenantId, since: int, until: int, /) -> int:
        """Bytes of the period from `since` until `until`, Unix seconds; never less than in earlier calls."""


class ChangeOutbox(Protocol):
    """Methods used of functions.shared.accounts.notice_outbox.NoticeOutbox."""

    def put_item(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> Item:
        """A mail to send once, as an item of TransactWriteItems; it never fails the transaction."""


class NoUsage:
    """Usage of an environment without metering."""

    def used_bytes(self, _tenant: TenantId, _since: int, _until: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class BillingService:
    """Changes billing records. `clock`: Unix seconds."""

    records: RecordStore
    stripe: StripeApi
    usage: PeriodUsage
    audit: AuditTrail
    outbox: ChangeOutbox
    clock: Callable[[], float] = time.time

    def refresh(self, tenant: TenantId, who: Origin = STRIPE) -> BillingRecord:
        """Read the subscription from Stripe and update the record and the account status."""
        return self.change(tenant, self.with_stripe_state, who, always=True)

    def recompute_status(self, tenant: TenantId) -> BillingRecord:
        """Recompute the account status from the record and the usage; writes nothing if nothing changed."""
        return self.change(tenant, lambda record: record, CALENDAR)

    def change(
        self,
        tenant: TenantId,
        decide: Callable[[BillingRecord], BillingRecord],
        who: Origin,
        *,
        also: Callable[[BillingRecord], Sequence[Item]] = lambda _book: (),
        notices_for: ChangeNotices = notices_of_change,
        always: bool = False,
    ) -> BillingRecord:
        """Replace the record by `decide(record)`, and the account status by the one that follows from it.

        `decide` may be called several times, each time with the current record. `also`: further items of
        TransactWriteItems, made from the new record. `notices_for`: audit entries and mails about the change
        from the old record to the new one; they are written in the same transaction. `always`: write even if
        nothing differs.

        Raises
        ------
        NoAccountError, BillingRecordBusyError, StoreUnavailableError, and whatever `decide` raises.
        """
        for _ in range(TRIES):
            record, account_status = self.records.of(tenant), self.records.account_status(tenant)
            if account_status is None:
                raise NoAccountError("no such account")
            new = decide(record)
            becomes = self._account_status(new, account_status)
            extras = list(also(new))
            if not (always or extras or new != record or becomes != account_status):
                return record
            try:
                return self.records.write(
                    new,
                    None if becomes == account_status else becomes,
                    [*extras, *self._notice_items(tenant, notices_for(record, new, self.clock()), who)],
                )
            except BillingRecordChangedError:
                continue
        raise BillingRecordBusyError("other processes keep writing the same record")

    def with_stripe_state(self, record: BillingRecord) -> BillingRecord:
        """`record` with the subscription as Stripe has it now; without one, the last subscription stays."""
        now = int(self.clock())
        if not record.customer_id:
            return replace(record, looked_at=now)
        things = self.stripe.subscriptions(record.customer_id)
        if has_two_subscriptions(things):
            journal.measure("billing", {"DoubleSubscriptions": (1, "Count")}, tenant_id=record.tenant)
        thing = chosen(each for each in things if each["customer"] == record.customer_id)
        now_is = self._snapshot(thing) if thing else record.subscription
        return replace(record, subscription=now_is, looked_at=now)

    def _snapshot(self, thing: StripeObject) -> Subscription:
        return snapshot(thing, self.stripe.invoices(thing["id"]) if thing["status"] in OWING else ())

    def _account_status(self, record: BillingRecord, account_status: AccountStatus) -> AccountStatus:
        now = self.clock()
        used_bytes = 0
        if entitlements.limit_bytes(record, account_status) is not None:
            used_bytes = self.usage.used_bytes(record.tenant, *entitlements.period(record, now))
        return entitlements.entitled(record, account_status, used_bytes, now)

    def _notice_items(self, tenant: TenantId, found: Iterable[BillingNotice], who: Origin) -> list[Item]:
        """Entries of the audit trail and mails, as items of TransactWriteItems."""
        written: list[Item] = []
        for each in found:
            if each.action:
                written.append(self.audit.entry(tenant, who, each.action, each.subject))
            if each.title:
                written.append(self.outbox.put_item(tenant, each.notice_id, each.kind, each.title, each.text))
        return written
