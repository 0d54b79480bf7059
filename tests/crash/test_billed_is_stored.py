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
from functions.ingest.protocols.contract import Window
from functions.ingest.staging_writer import StagingWriter
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
from tests.signed_connection import signed_requests_to

TIME = Deadline(lambda: 60.0, 30.0)
RETENTION_DAYS = 30
A_DAY = timedelta(days=1)
UNDER_WAY = '{"removed": {"rows": 1}, "pending": {"rows": 1}}'


@dataclass
class UsagePath:
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
        result = self.here.warehouse.select(
            "SELECT count() AS rows FROM events WHERE tenant_id = {tenant:String}", {"tenant": str(tenant)}
        )
        return int(result.rows[0]["rows"])

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
        return reconciliation.run(self.billing.record_store.records.values())


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[World, MeteringWorld]]:
    with metering_world() as billing, signed_requests_to(billing.client), embedded_engine() as room:
        billing.client.create_table(**definition(table("erasures"), "erasures"))
        warehouse = room.database("stored")
        warehouse.command("SYSTEM START MERGES events")
        yield World(PlatformBucket(MemoryStore()), warehouse, warehouse), billing


@pytest.fixture
def path(both: tuple[World, MeteringWorld]) -> UsagePath:
    """With nothing in the warehouse and no usage."""
    here, billing = both
    billing.begin_anew()
    for name in ("usage", "erasures"):
        keys = [each["AttributeName"] for each in definition(table(name), name)["KeySchema"]]
        for item in billing.client.scan(TableName=name)["Items"]:
            billing.client.delete_item(TableName=name, Key={key: item[key] for key in keys})
    billing.record_store.records.clear()
    here.warehouse.command("TRUNCATE TABLE events")
    made = UsagePath(here, billing, (TenantId(f"road{billing.runs}-a"), TenantId(f"road{billing.runs}-b")))
    for tenant in made.tenants:
        billing.subscribe(tenant)
        billing.follow_ups.follow_up(tenant)
    return made


def agree(path: UsagePath) -> ReconciliationResult:
    """What was accepted, is stored, was counted, reported and billed, are the same; nothing differs."""
    for tenant in path.tenants:
        tally = path.billing.usage.tally(tenant)
        assert path.stored(tenant) == tally.rows == path.rows[tenant]
        assert path.billing.billed(tenant) == tally.raw_bytes == path.raw_bytes[tenant]
    result = path.reconcile()
    assert (result.difference_rows, result.difference_bytes) == (0, 0)
    assert result.stored_rows == result.counted_rows == sum(path.rows.values())
    assert result.billed_bytes == result.reported_bytes == sum(path.raw_bytes.values())
    return result


@pytest.mark.parametrize("point", POINTS)
def test_wherever_sync_dies_what_is_stored_is_what_is_billed(path: UsagePath, point: str) -> None:
    chance = random.Random(point)
    for number in range(6):
        path.accept(path.tenants[number % 2], chance.randint(1, 9))
    path.sync(*(["answer lost", point] if point == "probe" else [point]))
    path.billing.meter()
    path.billing.doom.arm(2, before=False)
    for tenant in path.tenants:
        with suppress(Crash):
            path.billing.report(tenant)
    path.billing.doom.arm(None, before=True)
    path.billing.wait(25 * HOUR)
    for tenant in path.tenants:
        path.billing.report(tenant)
    agree(path)
    assert path.pauses == [], "nothing differed at the first look"


def loaded(path: UsagePath) -> None:
    """Something of both tenants, in a batch each, stored, counted and reported."""
    for number in range(4):
        path.accept(path.tenants[number % 2], 3 + number)
        path.sync()
    path.billing.meter()
    for tenant in path.tenants:
        path.billing.report(tenant)
    path.billing.wait(2 * HOUR)


def test_the_invoice_asks_for_the_bytes_that_are_stored(path: UsagePath) -> None:
    billing, tenant = path.billing, path.tenants[0]
    gate = billing.fragile.gate
    customer = billing.record_store.of(tenant).customer_id
    plan = Plan("astralog_managed_30", *prices_of(gate, "managed_30"))
    subscription = gate.subscriptions(customer)
    assert subscription == []
    buy(billing.stripe, customer, plan)
    (thing,) = gate.subscriptions(customer)
    billing.record_store.records[tenant] = replace(
        billing.record_store.of(tenant), subscription=snapshot(thing)
    )
    billing.follow_ups.follow_up(tenant)

    path.accept(tenant, 50)
    path.sync()
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
    assert sum(quantities) == path.raw_bytes[tenant]
    assert path.stored(tenant) == 50


def test_rows_that_are_gone_are_found_with_their_batch(
    path: UsagePath, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(path)
    tenant, other = path.tenants
    (batch,) = delete_some(path, tenant, 1)

    result = path.reconcile()
    (difference,) = result.rows_differ
    assert (difference.tenant, difference.rows) == (tenant, 1)
    assert [(each.batch_id, each.counted - each.stored) for each in difference.batches] == [(batch, 1)]
    assert 0 < difference.confirmed_bytes < path.raw_bytes[tenant]
    assert path.pauses == [60], "looked at twice"
    publish_result(result)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["tenant_id"] for each in written if each.get("event") == "rows_differ"] == [tenant]
    assert written[-1]["UsageDifferenceRows"] == 1
    kept = path.billing.client.get_item(
        TableName="usage",
        Key={"tenant_id": {"S": "*"}, "entry": {"S": f"reconciled#{result.last}"}},
    )["Item"]
    assert json.loads(kept["report"]["S"]) == result.as_json()
    assert other not in kept["report"]["S"]


def test_rows_that_are_there_twice_are_found(path: UsagePath) -> None:
    loaded(path)
    path.here.warehouse.command(
        "INSERT INTO events (tenant_id, message, received_at, batch_id, expires_on) "
        "SELECT tenant_id, message, received_at, batch_id, expires_on FROM events "
        "WHERE tenant_id = {tenant:String}",
        {"tenant": path.tenants[0]},
        {"async_insert": 0, "insert_deduplication_token": "twice"},
    )
    (difference,) = path.reconcile().rows_differ
    assert difference.stored == 2 * difference.counted == 2 * path.rows[path.tenants[0]]


def test_what_was_counted_and_is_in_no_batch_is_found(path: UsagePath) -> None:
    loaded(path)
    day = datetime.fromtimestamp(path.billing.clock() - 2 * HOUR, UTC).date()
    add_rows(path, path.tenants[1], day, 5)
    (difference,) = path.reconcile().rows_differ
    assert (difference.tenant, difference.counted - difference.stored) == (path.tenants[1], 5)
    assert difference.batches == ()


def test_usage_at_stripe_that_was_never_reported_is_found(path: UsagePath) -> None:
    loaded(path)
    tenant = path.tenants[0]
    customer, now = path.billing.record_store.of(tenant).customer_id, int(path.billing.clock())
    path.billing.fragile.gate.send_meter_event(METER_EVENT, customer, 7, f"stray {now}", now)
    (difference,) = path.reconcile().bytes_differ
    assert (difference.tenant, difference.billed - difference.reported) == (tenant, 7)
    assert path.pauses == [60], "looked at twice"


def test_a_report_that_lands_while_this_looks_is_no_difference(
    path: UsagePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hourly report comes between what was read of it here and what Stripe is asked."""
    loaded(path)
    tenant = path.tenants[0]
    path.accept(tenant, 5)
    path.sync()
    path.billing.meter()
    gate = path.billing.fragile.gate
    usage_between = gate.usage_between

    def late(*asked: Any) -> int:
        monkeypatch.setattr(gate, "usage_between", usage_between)
        path.billing.report(tenant)
        return usage_between(*asked)

    monkeypatch.setattr(gate, "usage_between", late)
    monkeypatch.setattr("functions.billing.reconciliation.comparison.THREADS", 1)
    result = path.reconcile()
    assert result.billed_bytes > result.reported_bytes, "at the first look"
    assert result.bytes_differ == ()
    assert path.pauses == [60]


def test_a_report_that_is_pending_is_no_difference_whether_it_is_there_or_not(path: UsagePath) -> None:
    loaded(path)
    for tenant, becomes in zip(path.tenants, ("lost", "none"), strict=True):
        path.accept(tenant, 5)
        path.sync()
        path.billing.meter()
        path.billing.fragile.answers = [becomes]
        with suppress(RetryableError):
            path.billing.report(tenant)
        assert path.billing.usage.tally(tenant).reported.pending
    assert path.reconcile().bytes_differ == ()


def test_what_is_on_its_way_is_no_difference(path: UsagePath) -> None:
    """Rows are stored and the batch not yet counted; it is, when this looks again."""
    loaded(path)
    path.accept(path.tenants[0], 5)
    path.sync()
    pauses = path.pauses

    class Meanwhile(list[float]):
        def append(self, seconds: float) -> None:
            pauses.append(seconds)
            path.billing.meter()

    path.pauses = Meanwhile()
    assert path.reconcile().difference_rows == 0
    assert pauses == [60]


def test_rows_of_a_request_that_was_repeated_after_midnight_have_moved(path: UsagePath) -> None:
    """Its object's key is that of the first request, its rows carry the day of the second."""
    loaded(path)
    tenant, bucket = path.tenants[0], path.here.bucket
    key = StagedKey.parse(path.accept(tenant, 4))
    (at,) = (number for number, each in enumerate(path.queue) if each.key == str(key))
    body = bucket.get(str(key))
    assert body
    bucket.delete([str(key)])
    before = str(key._replace(day=key.day - timedelta(days=1)))
    path.queue[at] = StagedObject(before, bucket.create(before, bytes(body.body)) or "", len(body.body))
    path.sync()
    path.billing.meter()
    assert path.reconcile().difference_rows == 0
    (batch,) = delete_some(path, tenant, 1)
    days = path.reconcile().rows_differ
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
    path: UsagePath, record: dict[str, str] | None, remaining: int
) -> None:
    loaded(path)
    tenant, other = path.tenants
    delete_some(path, tenant, 2)
    delete_some(path, other, 1)
    if record:
        put_erasure(path, tenant, record, int(path.billing.clock()))
        put_erasure(path, other, {"kind": "person", "state": "verified", "counts": '{"rows": 9}'}, 0)
    assert {each.tenant: each.rows for each in path.reconcile().rows_differ} == {
        name: rows for name, rows in ((tenant, remaining), (other, 1)) if rows
    }


def test_a_byoc_customers_usage_is_counted_and_not_compared(path: UsagePath) -> None:
    loaded(path)
    tenant = path.tenants[0]
    path.billing.store(
        [share(tenant, 1_000, datetime.fromtimestamp(path.billing.clock(), UTC).date())], tenant
    )
    path.billing.meter()
    assert path.billing.usage.tally(tenant).raw_bytes == path.raw_bytes[tenant] + 1_000
    assert path.reconcile().difference_rows == 0


def test_only_days_that_are_over_are_compared(path: UsagePath) -> None:
    loaded(path)
    add_rows(
        path,
        path.tenants[0],
        datetime.fromtimestamp(path.billing.clock(), UTC).date() + 2 * A_DAY,
        5,
    )
    add_rows(
        path,
        path.tenants[0],
        datetime.fromtimestamp(path.billing.clock(), UTC).date() - 9 * A_DAY,
        5,
    )
    result = path.reconcile()
    assert result.difference_rows == 0
    assert (result.last - result.first).days == DAYS_BACK - 1


def delete_some(path: UsagePath, tenant: TenantId, rows: int) -> list[str]:
    """Remove rows of the tenant's last batch, past all code; return the batch's id."""
    of_tenant = {"tenant": str(tenant)}
    result = path.here.warehouse.select(
        "SELECT batch_id, message FROM events WHERE tenant_id = {tenant:String} "
        "ORDER BY received_at DESC, message LIMIT {rows:UInt8}",
        {**of_tenant, "rows": rows},
    ).rows
    for row in result:
        path.here.warehouse.command(
            "ALTER TABLE events DELETE WHERE tenant_id = {tenant:String} AND batch_id = {batch:String} "
            "AND message = {message:String}",
            {**of_tenant, "batch": row["batch_id"], "message": row["message"]},
            {"mutations_sync": 2},
        )
    return sorted({row["batch_id"] for row in result})


def add_rows(path: UsagePath, tenant: TenantId, day: date, rows: int) -> None:
    path.billing.client.update_item(
        TableName="usage",
        Key={"tenant_id": {"S": tenant}, "entry": {"S": f"day#{day}"}},
        UpdateExpression="ADD #rows :rows",
        ExpressionAttributeNames={"#rows": "rows"},
        ExpressionAttributeValues={":rows": {"N": str(rows)}},
    )


def put_erasure(path: UsagePath, tenant: TenantId, record: dict[str, str], requested_at: int) -> None:
    item: dict[str, Any] = {name: {"S": text} for name, text in record.items()}
    item |= {"tenant_id": {"S": tenant}, "erasure_id": {"S": "e1"}, "requested_at": {"N": str(requested_at)}}
    path.billing.client.put_item(TableName="erasures", Item=item)
