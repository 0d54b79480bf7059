"""From a request to the invoice, on the real engine: what is billed is what was counted is what is stored.

Sync dies at each of its steps, meter and report at theirs; then the reconciliation is asked, and shown what
it must not pass over.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from obstore.store import MemoryStore

from bench.in_process import embedded_engine
from functions.billing.catalogue import METER_EVENT, prices_of
from functions.billing.reconcile import publish_result
from functions.billing.reconciliation.comparison import DAYS_BACK, UsageComparison
from functions.billing.reconciliation.differences import ReconciliationResult
from functions.billing.reconciliation.erased_rows import ErasedRows
from functions.billing.reconciliation.stored_rows import StoredRows
from functions.billing.subscriptions.subscription import snapshot
from functions.ingest.accept import accept
from functions.ingest.staging_writer import StagingWriter
from functions.ingest.streamed import Window
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import RetryableError
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from infra.topology import table
from local.tables import definition
from tests.crash.faults import POINTS, Crash, Trap, TrappedLedger, TrappedLoader, TrappedStaged
from tests.crash.metering_world import HOUR, MeteringWorld, metering_world, share
from tests.crash.world import World
from tests.fake_stripe.shop import Plan, buy

TIME = Deadline(lambda: 60.0, 30.0)
RETENTION_DAYS = 30
A_DAY = timedelta(days=1)
UNDER_WAY = '{"removed": {"rows": 1}, "pending": {"rows": 1}}'


@dataclass
class Road:
    """Ingest, sync, meter, report and the reconciliation, for two tenants."""

    here: World
    billing: MeteringWorld
    tenants: tuple[TenantId, TenantId]
    rows: Counter[TenantId] = field(default_factory=Counter)
    raw_bytes: Counter[TenantId] = field(default_factory=Counter)
    pauses: list[float] = field(default_factory=list)
    queue: list[StagedObject] = field(default_factory=list)

    def accept(self, tenant: TenantId, lines: int, day: date | None = None) -> str:
        """One request of so many lines, received now or at noon of `day`."""
        now = datetime.fromtimestamp(self.billing.clock(), UTC)
        at = now if day is None else datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        receipt = ReceiptContext(tenant, "p", at, RETENTION_DAYS)
        body = json.dumps([{"message": f"line {number}"} for number in range(lines)]).encode()
        package = accept([Window(body, ndjson=False)], receipt).package
        key = StagingWriter(self.here.bucket).put(package, receipt)
        self.rows[tenant] += package.rows
        self.raw_bytes[tenant] += package.raw_bytes
        listed = next(each for each in self.here.bucket.under("staged/") if each.key == key)
        self.queue.append(StagedObject(key, listed.etag, listed.size_bytes))
        return key

    def sync(self, *deaths: str) -> None:
        """Deliver what is queued until all is loaded; sync dies at the steps named."""
        for point in (*deaths, *[None] * 4):
            if not self.queue:
                return
            self.here.now = self.billing.clock()
            trap = Trap(point)
            ledger = TrappedLedger(self.here.ledger, trap)
            driver = BatchProcessor(
                ledger, TrappedStaged(self.here.bucket, trap), TrappedLoader(self.here.warehouse, trap)
            )
            with suppress(Crash):
                settled = Settler(ledger, driver).settle(self.queue, TIME)
                self.queue = [each for each in self.queue if each.key not in settled]
            self.billing.wait(91)
        assert not self.queue

    def stored(self, tenant: TenantId) -> int:
        found = self.here.warehouse.select(
            "SELECT count() AS rows FROM events WHERE tenant_id = {tenant:String}", {"tenant": str(tenant)}
        )
        return int(found.rows[0]["rows"])

    def reconcile(self) -> ReconciliationResult:
        """As of the day after tomorrow, when today is over."""
        reconciliation = UsageComparison(
            self.billing.usage,
            self.billing.batches,
            StoredRows(self.here.warehouse),
            ErasedRows("erasures", self.billing.client),
            self.billing.fragile.gate,
            self.billing.meter_id,
            lambda: self.billing.clock() + 2 * 86_400,
            self.pauses.append,
        )
        return reconciliation.run(self.billing.shelf.records.values())


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[World, MeteringWorld]]:
    with metering_world() as billing, embedded_engine() as room:
        billing.client.create_table(**definition(table("erasures"), "erasures"))
        warehouse = room.database("stored")
        warehouse.command("SYSTEM START MERGES events")
        yield World(PlatformBucket(MemoryStore()), warehouse, warehouse), billing


@pytest.fixture
def road(both: tuple[World, MeteringWorld]) -> Road:
    """With nothing in the warehouse and nobody's usage."""
    here, billing = both
    billing.begin_anew()
    for name in ("usage", "erasures"):
        keys = [each["AttributeName"] for each in definition(table(name), name)["KeySchema"]]
        for item in billing.client.scan(TableName=name)["Items"]:
            billing.client.delete_item(TableName=name, Key={key: item[key] for key in keys})
    billing.shelf.records.clear()
    here.warehouse.command("TRUNCATE TABLE events")
    made = Road(here, billing, (TenantId(f"road{billing.runs}-a"), TenantId(f"road{billing.runs}-b")))
    for tenant in made.tenants:
        billing.subscribe(tenant)
        billing.follow_ups.follow_up(tenant)
    return made


def agree(road: Road) -> ReconciliationResult:
    """What was accepted, is stored, was counted, told, and billed, are the same; nothing differs."""
    for tenant in road.tenants:
        tally = road.billing.usage.tally(tenant)
        assert road.stored(tenant) == tally.rows == road.rows[tenant]
        assert road.billing.billed(tenant) == tally.raw_bytes == road.raw_bytes[tenant]
    found = road.reconcile()
    assert (found.difference_rows, found.difference_bytes) == (0, 0)
    assert found.stored_rows == found.counted_rows == sum(road.rows.values())
    assert found.billed_bytes == found.told_bytes == sum(road.raw_bytes.values())
    return found


@pytest.mark.parametrize("point", POINTS)
def test_wherever_sync_dies_what_is_stored_is_what_is_billed(road: Road, point: str) -> None:
    chance = random.Random(point)
    for number in range(6):
        road.accept(road.tenants[number % 2], chance.randint(1, 9))
    road.sync(*(["answer lost", point] if point == "probe" else [point]))
    road.billing.meter()
    road.billing.doom.arm(2, before=False)
    for tenant in road.tenants:
        with suppress(Crash):
            road.billing.report(tenant)
    road.billing.doom.arm(None, before=True)
    road.billing.wait(25 * HOUR)
    for tenant in road.tenants:
        road.billing.report(tenant)
    agree(road)
    assert road.pauses == [], "nothing differed at the first look"


def loaded(road: Road) -> None:
    """Something of both tenants, in a batch each, stored, counted and told."""
    for number in range(4):
        road.accept(road.tenants[number % 2], 3 + number)
        road.sync()
    road.billing.meter()
    for tenant in road.tenants:
        road.billing.report(tenant)
    road.billing.wait(2 * HOUR)


def test_the_invoice_asks_for_the_bytes_that_are_stored(road: Road) -> None:
    billing, tenant = road.billing, road.tenants[0]
    gate = billing.fragile.gate
    customer = billing.shelf.of(tenant).customer_id
    plan = Plan("astralog_managed_30", *prices_of(gate, "managed_30"))
    subscription = gate.subscriptions(customer)
    assert subscription == []
    buy(billing.stripe, customer, plan)
    (thing,) = gate.subscriptions(customer)
    billing.shelf.records[tenant] = replace(billing.shelf.of(tenant), subscription=snapshot(thing))
    billing.follow_ups.follow_up(tenant)

    road.accept(tenant, 50)
    road.sync()
    billing.meter()
    billing.fragile.answers = ["lost"]
    with suppress(RetryableError):
        billing.report(tenant)
    billing.wait(25 * HOUR)
    billing.report(tenant)
    billing.wait(32 * 24 * HOUR)
    quantities = [
        line["quantity"]
        for invoice in gate.invoices(thing["id"])
        for line in invoice["lines"]["data"]
        if line["pricing"]["price_details"]["price"] == plan.metered
    ]
    assert sum(quantities) == road.raw_bytes[tenant]
    assert road.stored(tenant) == 50


def test_rows_that_are_gone_are_found_with_their_batch(
    road: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(road)
    tenant, other = road.tenants
    (batch,) = delete_some(road, tenant, 1)

    found = road.reconcile()
    (difference,) = found.rows_differ
    assert (difference.tenant, difference.rows) == (tenant, 1)
    assert [(each.batch_id, each.counted - each.stored) for each in difference.batches] == [(batch, 1)]
    assert 0 < difference.confirmed_bytes < road.raw_bytes[tenant]
    assert road.pauses == [60], "looked at twice"
    publish_result(found)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["tenant_id"] for each in written if each.get("event") == "rows_differ"] == [tenant]
    assert written[-1]["UsageDifferenceRows"] == 1
    kept = road.billing.client.get_item(
        TableName="usage",
        Key={"tenant_id": {"S": "*"}, "entry": {"S": f"reconciled#{found.last}"}},
    )["Item"]
    assert json.loads(kept["report"]["S"]) == found.as_json()
    assert other not in kept["report"]["S"]


def test_rows_that_are_there_twice_are_found(road: Road) -> None:
    loaded(road)
    road.here.warehouse.command(
        "INSERT INTO events (tenant_id, message, received_at, batch_id, expires_on) "
        "SELECT tenant_id, message, received_at, batch_id, expires_on FROM events "
        "WHERE tenant_id = {tenant:String}",
        {"tenant": road.tenants[0]},
        {"async_insert": 0, "insert_deduplication_token": "twice"},
    )
    (difference,) = road.reconcile().rows_differ
    assert difference.stored == 2 * difference.counted == 2 * road.rows[road.tenants[0]]


def test_what_was_counted_and_is_in_no_batch_is_found(road: Road) -> None:
    loaded(road)
    day = datetime.fromtimestamp(road.billing.clock() - 2 * HOUR, UTC).date()
    add_rows(road, road.tenants[1], day, 5)
    (difference,) = road.reconcile().rows_differ
    assert (difference.tenant, difference.counted - difference.stored) == (road.tenants[1], 5)
    assert difference.batches == ()


def test_usage_at_stripe_that_nobody_told_of_is_found(road: Road) -> None:
    loaded(road)
    tenant = road.tenants[0]
    customer, now = road.billing.shelf.of(tenant).customer_id, int(road.billing.clock())
    road.billing.fragile.gate.send_meter_event(METER_EVENT, customer, 7, f"stray {now}", now)
    (difference,) = road.reconcile().bytes_differ
    assert (difference.tenant, difference.billed - difference.told) == (tenant, 7)
    assert road.pauses == [60], "looked at twice"


def test_a_report_that_lands_while_this_looks_is_no_difference(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hourly report comes between what was read of it here and what Stripe is asked."""
    loaded(road)
    tenant = road.tenants[0]
    road.accept(tenant, 5)
    road.sync()
    road.billing.meter()
    gate = road.billing.fragile.gate
    usage_between = gate.usage_between

    def late(*asked: Any) -> int:
        monkeypatch.setattr(gate, "usage_between", usage_between)
        road.billing.report(tenant)
        return usage_between(*asked)

    monkeypatch.setattr(gate, "usage_between", late)
    monkeypatch.setattr("functions.billing.reconciliation.comparison.THREADS", 1)
    found = road.reconcile()
    assert found.billed_bytes > found.told_bytes, "at the first look"
    assert found.bytes_differ == ()
    assert road.pauses == [60]


def test_a_report_that_is_pending_is_no_difference_whether_it_is_there_or_not(road: Road) -> None:
    loaded(road)
    for tenant, becomes in zip(road.tenants, ("lost", "none"), strict=True):
        road.accept(tenant, 5)
        road.sync()
        road.billing.meter()
        road.billing.fragile.answers = [becomes]
        with suppress(RetryableError):
            road.billing.report(tenant)
        assert road.billing.usage.tally(tenant).reported.pending
    assert road.reconcile().bytes_differ == ()


def test_what_is_on_its_way_is_no_difference(road: Road) -> None:
    """Rows are stored and the batch not yet counted; it is, when this looks again."""
    loaded(road)
    road.accept(road.tenants[0], 5)
    road.sync()
    pauses = road.pauses

    class Meanwhile(list[float]):
        def append(self, seconds: float) -> None:
            pauses.append(seconds)
            road.billing.meter()

    road.pauses = Meanwhile()
    assert road.reconcile().difference_rows == 0
    assert pauses == [60]


def test_rows_of_a_request_that_was_repeated_after_midnight_have_moved(road: Road) -> None:
    """Its object's key is that of the first request, its rows carry the day of the second."""
    loaded(road)
    tenant, bucket = road.tenants[0], road.here.bucket
    key = StagedKey.parse(road.accept(tenant, 4))
    (at,) = (number for number, each in enumerate(road.queue) if each.key == str(key))
    body = bucket.get(str(key))
    assert body
    bucket.delete([str(key)])
    before = str(replace(key, day=key.day - timedelta(days=1)))
    road.queue[at] = StagedObject(before, bucket.create(before, bytes(body.body)) or "", len(body.body))
    road.sync()
    road.billing.meter()
    assert road.reconcile().difference_rows == 0
    (batch,) = delete_some(road, tenant, 1)
    days = road.reconcile().rows_differ
    assert [each.batches[0].batch_id for each in days] == [batch] * 2, (
        "it is not whole: both days are in doubt"
    )


@pytest.mark.parametrize(
    ("record", "remaining"),
    [
        ({"kind": "person", "state": "verified", "counts": '{"rows": 2}'}, 0),
        ({"kind": "person", "state": "running", "progress": UNDER_WAY}, 0),
        ({"kind": "person", "state": "verified", "counts": '{"rows": 1}'}, 2),
        ({"kind": "person", "state": "requested"}, 2),
        ({"kind": "account", "state": "running", "progress": "{}"}, 0),
        (None, 2),
    ],
)  # fmt: skip
def test_what_an_erasure_took_is_missing_for_a_reason(
    road: Road, record: dict[str, str] | None, remaining: int
) -> None:
    loaded(road)
    tenant, other = road.tenants
    delete_some(road, tenant, 2)
    delete_some(road, other, 1)
    if record:
        put_erasure(road, tenant, record, int(road.billing.clock()))
        put_erasure(road, other, {"kind": "person", "state": "verified", "counts": '{"rows": 9}'}, 0)
    assert {each.tenant: each.rows for each in road.reconcile().rows_differ} == {
        name: rows for name, rows in ((tenant, remaining), (other, 1)) if rows
    }


def test_a_customers_own_cloud_is_counted_and_not_compared(road: Road) -> None:
    loaded(road)
    tenant = road.tenants[0]
    road.billing.store(
        [share(tenant, 1_000, datetime.fromtimestamp(road.billing.clock(), UTC).date())], tenant
    )
    road.billing.meter()
    assert road.billing.usage.tally(tenant).raw_bytes == road.raw_bytes[tenant] + 1_000
    assert road.reconcile().difference_rows == 0


def test_only_days_that_are_over_are_compared(road: Road) -> None:
    loaded(road)
    add_rows(road, road.tenants[0], datetime.fromtimestamp(road.billing.clock(), UTC).date() + 2 * A_DAY, 5)
    add_rows(road, road.tenants[0], datetime.fromtimestamp(road.billing.clock(), UTC).date() - 9 * A_DAY, 5)
    found = road.reconcile()
    assert found.difference_rows == 0
    assert (found.last - found.first).days == DAYS_BACK - 1


def delete_some(road: Road, tenant: TenantId, rows: int) -> list[str]:
    """Take rows away from the tenant's last batch, behind everybody's back; the batch's id."""
    of_tenant = {"tenant": str(tenant)}
    found = road.here.warehouse.select(
        "SELECT batch_id, message FROM events WHERE tenant_id = {tenant:String} "
        "ORDER BY received_at DESC, message LIMIT {rows:UInt8}",
        {**of_tenant, "rows": rows},
    ).rows
    for row in found:
        road.here.warehouse.command(
            "ALTER TABLE events DELETE WHERE tenant_id = {tenant:String} AND batch_id = {batch:String} "
            "AND message = {message:String}",
            {**of_tenant, "batch": row["batch_id"], "message": row["message"]},
            {"mutations_sync": 2},
        )
    return sorted({row["batch_id"] for row in found})


def add_rows(road: Road, tenant: TenantId, day: date, rows: int) -> None:
    road.billing.client.update_item(
        TableName="usage",
        Key={"tenant_id": {"S": tenant}, "entry": {"S": f"day#{day}"}},
        UpdateExpression="ADD #rows :rows",
        ExpressionAttributeNames={"#rows": "rows"},
        ExpressionAttributeValues={":rows": {"N": str(rows)}},
    )


def put_erasure(road: Road, tenant: TenantId, record: dict[str, str], requested_at: int) -> None:
    item: dict[str, Any] = {name: {"S": text} for name, text in record.items()}
    item |= {"tenant_id": {"S": tenant}, "erasure_id": {"S": "e1"}, "requested_at": {"N": str(requested_at)}}
    road.billing.client.put_item(TableName="erasures", Item=item)
