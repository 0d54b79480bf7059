"""A small world to meter in: DynamoDB on moto, the fake Stripe with its clock, and deaths at any write.

Batches are put into the ledger as sync leaves them when they are done; tests/crash/test_billed_is_stored.py
has sync itself do it, on the real engine.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from functions.billing.catalogue import meter_of, sync
from functions.billing.meter import Meter
from functions.billing.reporting.meter_event_sender import MeterEventSender
from functions.billing.reporting.reported_usage import ReportedUsage
from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import StripeUnavailableError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.subscription import Subscription
from functions.billing.usage.done_batches import DoneBatches
from functions.billing.usage.follow_ups import FollowUps
from functions.billing.usage.usage_store import UsageStore
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.batch_usage import UsageShare, packed, shard_of
from functions.shared.plans import PLANS
from functions.shared.secret_text import SecretText
from functions.shared.tables.ledger import LedgerItem, log_entry
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.commit_log import CommitLog
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.aws_environment import set_aws_environment
from tests.crash.faults import Crash
from tests.fake_stripe.server import API_KEY, Stripe, fake_stripe_server

TABLES = ("ledger", "usage", "billing", "accounts", "notices", "audit")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
MINUTE, HOUR = 60, 3600
SUMMARIES_LAG_SECONDS = 5 * MINUTE
"""For so long Stripe's sums do not show an event that it has taken: they are consistent eventually."""

ANSWERS = ("given", "lost", "none", "dies before", "dies after")
"""What becomes of a call to Stripe: answered; done, and the answer lost; not done and no answer; we die."""


@dataclass(slots=True)
class Doom:
    """What happens at a write of DynamoDB: the process dies `before` it or after it, or another cuts in."""

    at_write: int | None = None
    before: bool = True
    does: Callable[[], None] | None = None
    writes: int = 0

    def arm(self, at_write: int | None, *, before: bool, does: Callable[[], None] | None = None) -> None:
        self.at_write, self.before, self.does, self.writes = at_write, before, does, 0

    def reached(self, *, before: bool) -> None:
        if before:
            self.writes += 1
        if self.writes != self.at_write or before is not self.before:
            return
        self.at_write = None
        if self.does is None:
            raise Crash(f"write {self.writes}")
        self.does()


@dataclass
class Fragile:
    """The gate to the fake Stripe, whose next answers are those of `answers`; its sums lag."""

    gate: StripeSdkClient
    clock: Callable[[], float]
    answers: list[str] = field(default_factory=list)
    taken: list[tuple[str, int, int, float]] = field(default_factory=list)

    def customer_exists(self, customer: str) -> bool:
        return self.gate.customer_exists(customer)

    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None:
        def send() -> None:
            self.gate.send_meter_event(event_name, customer, value, identifier, timestamp)
            self.taken.append((customer, timestamp, value, self.clock()))

        self._answered(send)

    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int:
        found = self.gate.usage_between(meter, customer, start, end)
        unseen = self.clock() - SUMMARIES_LAG_SECONDS
        late = (
            value
            for whose, dated, value, at in self.taken
            if whose == customer and start <= dated < end and at > unseen
        )
        return found - sum(late)

    def _answered(self, send: Callable[[], None]) -> None:
        becomes = self.answers.pop(0) if self.answers else "given"
        if becomes == "dies before":
            raise Crash(becomes)
        if becomes == "none":
            raise StripeUnavailableError("no answer")
        send()
        if becomes == "dies after":
            raise Crash(becomes)
        if becomes == "lost":
            raise StripeUnavailableError("the answer was lost")


@dataclass
class MemoryRecords:
    """Accounts' billing records, in memory."""

    records: dict[TenantId, BillingRecord] = field(default_factory=dict)
    settled: list[TenantId] = field(default_factory=list)

    def of(self, tenant: TenantId) -> BillingRecord:
        return self.records.get(tenant, BillingRecord(tenant))

    def account_status(self, _tenant: TenantId) -> AccountStatus:
        return account_status_on(PLANS["managed_15"])

    def recompute_status(self, tenant: TenantId) -> BillingRecord:
        self.settled.append(tenant)
        return self.of(tenant)


@dataclass
class MeteringWorld:
    """What survives a crash."""

    client: Any
    stripe: Stripe
    doom: Doom
    ahead: float = 0
    runs: int = 0
    stored: int = 0
    record_store: MemoryRecords = field(default_factory=MemoryRecords)

    def __post_init__(self) -> None:
        self.began = int(self.clock())
        self.usage = UsageStore("usage", self.client)
        self.batches = DoneBatches("ledger", self.client)
        self.outbox = NoticeOutbox("notices", self.client, self.clock)
        gate = StripeSdkClient(lambda: SecretText(API_KEY), self.stripe.url)
        self.fragile = Fragile(gate, self.clock)
        self.follow_ups = FollowUps(self.record_store, self.usage, self.record_store, self.outbox, self.clock)
        self.meter_id = cache(lambda: meter_of(gate))
        self.make_reporter: Callable[[], MeterEventSender] = lambda: MeterEventSender(
            self.usage, self.fragile, self.meter_id, self.clock
        )
        self.make_meter: Callable[[], Meter] = lambda: Meter(
            self.batches, self.usage, self.client, self.follow_ups.try_follow_up
        )

    def clock(self) -> float:
        return time.time() + self.ahead

    def wait(self, seconds: int) -> None:
        """Turn our clock and Stripe's."""
        self.stripe.order("/_clock", advance_seconds=seconds)
        self.ahead += seconds

    def subscribe(self, tenant: TenantId, **caps: int | None) -> BillingRecord:
        """A customer with a live subscription, as SUBSCRIPTIONS would have it written down."""
        known = self.record_store.of(tenant)
        now = int(self.clock())
        customer = known.customer_id or str(self.stripe.api.customers.create({}).id)
        subscription = Subscription(
            f"sub_{uuid4().hex}", "active", "managed_30", now, now, now + 30 * 86_400, meters=True
        )
        record = BillingRecord(tenant, 1, customer, subscription, **caps)
        self.record_store.records[tenant] = record
        return record

    def store(self, shares: Iterable[UsageShare], owner: TenantId | None = None) -> str:
        """A batch that sync has committed: every fifth as the version before docs/adr/0064 made it done.

        Returns the entry by which it is counted.
        """
        batch_id, shares = uuid4().hex, sorted(shares, key=lambda each: (each.tenant, each.day))
        destination = own_destination(owner) if owner else "managed"
        texts = {"entry": f"batch#{batch_id}", "destination": destination, "usage": packed(shares)}
        item = {name: {"S": text} for name, text in texts.items()}
        self.stored += 1
        if self.stored % 5 == 0:
            done_at = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
            more = {"state": "done", "unmetered": shard_of(batch_id), "done_at": done_at}
            item |= {name: {"S": text} for name, text in more.items()}
            self.client.put_item(TableName="ledger", Item=item)
            return texts["entry"]
        log = CommitLog(Table(LedgerItem, "ledger", self.client), self.client, self.clock)
        page = log.page(destination)
        self.client.put_item(TableName="ledger", Item={**item, "page": {"N": str(page)}})
        log.append(destination, batch_id, page)
        return log_entry(destination, log.search(destination, batch_id, page).page)

    def begin_anew(self) -> None:
        """Another run: what one left behind that was found wrong does not wait for the next."""
        self.runs += 1
        self.doom.arm(None, before=True)
        self.fragile.answers = []
        for item in self.client.scan(TableName="ledger")["Items"]:
            self.client.delete_item(TableName="ledger", Key={"entry": item["entry"]})

    def meter(self) -> None:
        self.make_meter().run(self.clock())

    def report(self, tenant: TenantId) -> ReportedUsage:
        return self.make_reporter().report(self.record_store.of(tenant))

    def uncounted(self) -> int:
        """Entries with uncounted batches."""
        return len(list(self.batches.waiting()))

    def billed(self, tenant: TenantId) -> int:
        """All that Stripe has of the tenant's customer, without any lag."""
        customer = self.record_store.of(tenant).customer_id
        if not customer:
            return 0
        start = self.began - self.began % MINUTE
        end = int(self.clock()) // MINUTE * MINUTE + 10 * MINUTE
        return self.fragile.gate.usage_between(self.meter_id(), customer, start, end)


def share(tenant: TenantId, raw_bytes: int, day: date = date(2026, 11, 23), rows: int = 1) -> UsageShare:
    return UsageShare(tenant, day, rows, raw_bytes)


@contextmanager
def metering_world() -> Iterator[MeteringWorld]:
    """One world for many runs, which share its tables but none of their tenants."""
    transactions.install()
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with mock_aws(), fake_stripe_server() as stripe:
            client = boto3.client("dynamodb")
            for name in TABLES:
                client.create_table(**definition(table(name), name))
            doom = Doom()
            for operation in WRITES:
                events = client.meta.events
                events.register(f"before-call.dynamodb.{operation}", lambda **_: doom.reached(before=True))
                events.register(f"after-call.dynamodb.{operation}", lambda **_: doom.reached(before=False))
            here = MeteringWorld(client, stripe, doom)
            sync(here.fragile.gate)
            yield here
