"""Stripe's objects, as far as billing reads them, and a Stripe that plays them back."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_store import BillingRecordChangedError
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tenancy import TenantId

DAY = 86_400
NOON = 1_800_000_000
CUSTOMER = "cus_acme"

Thing = dict[str, Any]


def price(plan: str = "managed_15", *, usage: bool = False) -> Thing:
    kind = "metered" if usage else "licensed"
    return {"id": f"price_{plan}_{kind}", "product": f"astralog_{plan}", "recurring": {"usage_type": kind}}


def subscription(which: str = "sub_1", plan: str = "managed_15", **more: Any) -> Thing:
    """A subscription that began at NOON, with a month to go."""
    period = {"current_period_start": NOON, "current_period_end": NOON + 30 * DAY}
    items = [
        {"id": "si_flat", "price": price(plan), **period},
        {"id": "si_usage", "price": price(plan, usage=True), **period},
    ]
    return {
        "id": which,
        "customer": CUSTOMER,
        "created": NOON,
        "start_date": NOON,
        "status": "active",
        "trial_end": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "items": {"data": items},
        **more,
    }


def invoice(status: str, at: int, **more: Any) -> Thing:
    return {
        "id": f"in_{at}",
        "status": status,
        "created": at,
        "attempt_count": 1,
        "next_payment_attempt": None,
        "status_transitions": {"finalized_at": at},
        **more,
    }


class MemoryLog:
    """An audit trail and an outbox that keep what they get, and nothing else."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str]] = []
        self.mails: list[tuple[str, str]] = []

    def entry(self, tenant: TenantId, _who: Any, action: str, subject: str) -> Thing:
        return {"entry": (str(tenant), action, subject)}

    def put_item(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> Thing:
        assert title
        assert text
        return {"mail": (str(tenant), notice_id, kind)}


@dataclass
class MemoryBillingStore:
    """functions.billing.subscriptions.billing_store.BillingStore without DynamoDB."""

    records: dict[str, BillingRecord] = field(default_factory=dict)
    statuses: dict[str, AccountStatus] = field(default_factory=dict)
    owners: dict[str, TenantId] = field(default_factory=dict)
    written: list[Thing] = field(default_factory=list)
    careless: bool = False
    """Whether writes are taken whatever was written in between."""

    def of(self, tenant: TenantId) -> BillingRecord:
        return self.records.get(tenant, BillingRecord(tenant))

    def account_status(self, tenant: TenantId) -> AccountStatus | None:
        return self.statuses.get(tenant)

    def owner(self, customer: str) -> TenantId | None:
        return self.owners.get(customer)

    def write(
        self, record: BillingRecord, account_status: AccountStatus | None = None, also: Any = ()
    ) -> BillingRecord:
        if not self.careless and self.of(record.tenant).version != record.version:
            raise BillingRecordChangedError("changed")
        self.records[record.tenant] = new = replace(record, version=record.version + 1)
        if account_status is not None:
            self.statuses[record.tenant] = account_status
        self.written += also
        return new

    def open(self, name: str, customer: str) -> TenantId:
        """An account on trial whose customer that is."""
        tenant = TenantId(name)
        self.statuses[tenant] = account_status_on(PLANS[TRIAL], NOON + 14 * DAY, "trial_ended")
        self.records[tenant] = BillingRecord(tenant, version=1, customer_id=customer)
        self.owners[customer] = tenant
        return tenant


@dataclass
class State:
    """What Stripe has of each customer at one moment: subscriptions, and invoices by subscription."""

    subscriptions: dict[str, list[Thing]]
    invoices: dict[str, list[Thing]] = field(default_factory=dict)


@dataclass
class Playback:
    """A Stripe that has what was recorded, in the state that tests choose."""

    states: list[State]
    at: int = 0
    asked: Callable[[], None] = lambda: None
    """Called at each look, before what is there is read."""

    def subscriptions(self, customer: str) -> list[Thing]:
        self.asked()
        return self.states[self.at].subscriptions.get(customer, [])

    def invoices(self, which: str) -> list[Thing]:
        return self.states[self.at].invoices.get(which, [])


@dataclass
class MemoryEvents:
    """functions.billing.subscriptions.processed_events.ProcessedEvents without DynamoDB.

    `forgets`: marks are lost.
    """

    marked: set[str] = field(default_factory=set)
    forgets: bool = False

    def done(self, event_id: str) -> bool:
        return event_id in self.marked

    def mark(self, event_id: str) -> None:
        if not self.forgets:
            self.marked.add(event_id)
