"""The scheduled functions of usage, as they are wired: a failure of one account affects no other."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.billing import bookkeeper, closer, meter, reconcile, report
from functions.billing.catalogue import METER_EVENT, meter_of
from functions.billing.reconciliation.comparison import UsageComparison
from functions.billing.reconciliation.differences import MAX_LISTED
from functions.billing.reconciliation.erased_rows import ErasedRows
from functions.billing.reconciliation.stored_rows import StoredRows
from functions.billing.reporting import reported_usage
from functions.billing.usage.done_batches import DoneBatches
from functions.billing.usage.usage_store import UsageStore
from functions.shared import secret_store
from functions.shared.accounts.account_status import account_status_on
from functions.shared.batch_usage import UsageShare, packed
from functions.shared.plans import GIGABYTE, PLANS, TRIAL
from functions.shared.tables.ledger import LedgerItem, batch_entry
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Selection
from functions.sync.commit_log import CommitLog
from infra.topology import function
from tests.fake_stripe.server import API_KEY, SECRET
from tests.integration.billing.test_usage import follow_ups, store, today
from tests.operating import operate
from tests.unit.billing.shop import DAY, INVOICE_SECONDS, LOADING_SECONDS, Shop


@dataclass
class Context:
    """Lambda's, with all the time there is."""

    seconds: int = 300

    def get_remaining_time_in_millis(self) -> int:
        return self.seconds * 1000


@pytest.fixture
def wired(here: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The functions' own settings, as the topology names them, for what is in memory here."""
    names = {"service:stripe": here.here.url}
    for name in ("meter", "report", "reconcile", "bookkeeper", "closer"):
        for setting, value in function(name).settings.items():
            kind, _, resource = value.partition(":")
            monkeypatch.setenv(f"ASTRALOG_{setting.upper()}", names.get(value, resource or kind))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    secret_store._store.cache_clear()
    secrets = boto3.client("secretsmanager")
    secret = {"api_key": API_KEY, "webhook_secret": SECRET}
    secrets.create_secret(Name="stripe", SecretString=json.dumps(secret))
    address = {"host": "127.0.0.1", "port": 1, "secure": False, "user": "u", "password": "p", "database": "d"}
    secrets.create_secret(Name="warehouse", SecretString=json.dumps(address))
    made = (meter._meter, bookkeeper._bookkeeper, closer._offboarding)
    for each in made:
        each.cache_clear()
    yield here
    for each in made:
        each.cache_clear()


def done(here: Shop, number: int, *shares: UsageShare) -> None:
    """A batch that sync has committed."""
    batch_id = f"{number:032x}"
    table = Table(LedgerItem, "ledger", here.client)
    table.put(LedgerItem(batch_entry(batch_id), forget_at=2**40, page=0, usage=packed(shares)))
    long_ago = datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()
    CommitLog(table, here.client, lambda: long_ago).append("managed", batch_id, 0)


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """The lines of the log, without the numbers of warnings (tests/infra/test_alarms.py)."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "Alarm" not in line]


def tally(here: Shop, tenant: TenantId) -> Any:
    return UsageStore("usage", here.client).tally(tenant)


def test_meter_counts_for_all_and_says_how_much_and_how_late(
    wired: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    acme, globex = wired.subscribed("acme"), wired.account("globex")
    day = today(wired)
    done(wired, 1, UsageShare(acme, day, 1, 100), UsageShare(globex, day, 2, 10))
    done(wired, 2, UsageShare(acme, day, 1, 1))
    capsys.readouterr()

    run = meter.handler({}, Context())
    assert run == {"batches": 2, "rows": 4, "bytes": 111, "tenants": 2}
    (line,) = log_lines(capsys)
    assert (line["CountedBytes"], line["CountedBatches"]) == (111, 2)
    assert line["OldestUncountedSeconds"] > 0
    assert meter.handler({}, Context())["batches"] == 0
    assert (tally(wired, acme).raw_bytes, tally(wired, globex).raw_bytes) == (101, 10)


def test_an_account_whose_follow_up_fails_does_not_stop_the_counting_of_others(
    wired: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage of an account that is gone still comes in; and DynamoDB has its moments."""
    acme = wired.account("acme")
    done(wired, 1, UsageShare(TenantId("gone"), today(wired), 1, 5), UsageShare(acme, today(wired), 1, 7))
    built = meter._meter()
    follow_up = built._follow_up.__self__.follow_up  # type: ignore[attr-defined]
    followed_up: list[TenantId] = []

    def falter(_self: Any, tenant: TenantId) -> None:
        followed_up.append(tenant)
        if tenant == acme:
            raise StoreUnavailableError("throttled")
        follow_up(tenant)

    monkeypatch.setattr(type(built._follow_up.__self__), "follow_up", falter)  # type: ignore[attr-defined]
    assert meter.handler({}, Context())["rows"] == 2
    assert sorted(followed_up) == [acme, "gone"]
    assert [each["tenant_id"] for each in log_lines(capsys) if "event" in each] == [acme]


def test_counted_usage_is_reported_although_there_is_no_time_for_all_follow_ups(here: Shop) -> None:
    """Looking after very many would outlast the function, at the same ones each minute."""
    tenants = [here.account(f"acme-{number}") for number in range(4)]
    for number in range(40):
        done(here, number, *(UsageShare(tenant, today(here), 1, 100) for tenant in tenants))
    looked_after: list[TenantId] = []
    batches, usage = DoneBatches("ledger", here.client), UsageStore("usage", here.client)
    counter = meter.Meter(batches, usage, here.client, looked_after.append)
    run = counter.run(here.now(), lambda: len(looked_after) < 1)
    assert (run.batches, len(looked_after)) == (40, 1)
    for number in range(40, 240, 5):
        done(here, number, *(UsageShare(tenant, today(here), 1, 100) for tenant in tenants))
        so_far = len(looked_after)
        counter.run(here.now(), lambda so_far=so_far: len(looked_after) < so_far + 1)  # type: ignore[misc]
    assert set(looked_after) == set(tenants)


def test_report_covers_all_accounts_and_one_that_fails_delays_no_other(
    wired: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    acme, globex = wired.subscribed("acme"), wired.subscribed("globex")
    trying = wired.account("trying")
    report.handler({}, Context())
    for tenant in (acme, globex, trying):
        store(wired, tenant, 1_000)
    wired.gate.delete_customer(wired.record(acme).customer_id)
    capsys.readouterr()

    figures = report.handler({}, Context())
    assert (figures["accounts"], figures["bytes"], figures["refused"]) == (2, 1_000, 1)
    assert [each["tenant_id"] for each in log_lines(capsys) if each.get("event") == "usage_not_reported"] == [
        acme
    ]
    assert tally(wired, globex).reported.landed_bytes == 1_000
    assert tally(wired, trying).reported.version == 0

    # Usage of a deleted Stripe customer is never billed.
    assert report.handler({}, Context())["refused"] == 0
    assert tally(wired, acme).reported.waived_bytes == 1_000


def test_report_says_for_how_long_a_report_has_been_pending(
    wired: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = wired.subscribed("acme")
    report.handler({}, Context())
    store(wired, acme, 1_000)
    monkeypatch.setenv("ASTRALOG_STRIPE_ADDRESS", "http://127.0.0.1:1")
    assert report.handler({}, Context())["failed"] == 1
    reported = tally(wired, acme).reported
    began = reported.pending.began_at - 5 * 3600
    item = wired.client.get_item(
        TableName="usage", Key={"tenant_id": {"S": acme}, "entry": {"S": "reported"}}
    )["Item"]
    item["pending"]["M"]["began_at"] = {"N": str(began)}
    wired.client.put_item(TableName="usage", Item=item)
    assert report.handler({}, Context())["oldest_seconds"] >= 5 * 3600


@pytest.mark.parametrize("there", [True, False])
def test_a_report_that_stripes_figures_leave_in_doubt_is_settled_by_an_operator(
    wired: Shop, there: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator sent usage by hand, in the very minute of a report whose answer was lost a day ago."""
    acme, globex = wired.subscribed("acme"), wired.subscribed("globex")
    report.handler({}, Context())
    store(wired, acme, 1_000)
    begun = reported_usage.begun(tally(wired, acme).reported, 1_000, 0, wired.now() - 25 * 3600)
    assert begun
    assert begun.pending
    UsageStore("usage", wired.client).write(begun)
    customer, dated = begun.customer_id, begun.pending.first_dated
    wired.gate.send_meter_event(METER_EVENT, customer, 7, "by hand", dated)
    if there:
        wired.gate.send_meter_event(METER_EVENT, customer, 1_000, begun.pending.identifier, dated)
    assert report.handler({}, Context())["refused"] == 1
    capsys.readouterr()

    settle = ["settle-report", acme, "--landed" if there else "--not-there"]
    assert operate(*settle, client=wired.client) == 1, "not without a confirmation"
    assert operate(*settle, "--yes", client=wired.client) == 0
    assert operate(*settle, "--yes", client=wired.client) == 1, "once"
    capsys.readouterr()
    assert operate("show-usage", acme, client=wired.client) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown[shown.index("{") :])["left_bytes"] == (0 if there else 1_000)
    assert report.handler({}, Context())["refused"] == 0
    whole_day = (dated - dated % 60 - 60, int(wired.now()) // 60 * 60 + 600)
    assert wired.gate.usage_between(meter_of(wired.gate), customer, *whole_day) == 1_007
    assert tally(wired, globex).reported.landed_bytes == 0


class Empty:
    """A warehouse without rows."""

    def __init__(self, *_: Any) -> None: ...

    def select(self, *_: Any) -> Selection:
        return Selection([], 0, 0)

    def close(self) -> None: ...


def reported_for_all(wired: Shop, *tenants: TenantId) -> None:
    """Each has used 1,000 bytes, reported to Stripe."""
    report.handler({}, Context())
    for tenant in tenants:
        store(wired, tenant, 1_000)
    report.handler({}, Context())


def test_reconcile_is_wired(wired: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reported_for_all(wired, wired.subscribed("acme"))
    monkeypatch.setattr(reconcile, "PlatformWarehouse", Empty)
    result = reconcile.handler({}, Context())
    assert (result["customers"], result["reported_bytes"], result["bytes_differ"]) == (1, 1_000, [])


def test_a_customer_that_is_gone_at_stripe_keeps_no_other_from_being_reconciled(
    wired: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex = wired.subscribed("acme"), wired.subscribed("globex")
    reported_for_all(wired, acme, globex)
    wired.gate.delete_customer(wired.record(acme).customer_id)
    monkeypatch.setattr(reconcile, "PlatformWarehouse", Empty)
    result = reconcile.handler({}, Context())
    assert (result["customers"], result["reported_bytes"], result["bytes_differ"]) == (1, 1_000, [])


def test_of_who_has_only_tried_a_reconciliation_reads_nothing(
    wired: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each account that ever tried has a record; with two reads of each, a day's run would not end."""
    acme = wired.subscribed("acme")
    for number in range(3):
        assert wired.ask("PATCH /v1/billing", wired.account(f"trying-{number}"), {"soft_cap_gb": 1})
    reported_for_all(wired, acme)
    read: list[TenantId] = []
    tally_of = UsageStore.tally

    def tally(usage: UsageStore, tenant: TenantId) -> Any:
        read.append(tenant)
        return tally_of(usage, tenant)

    monkeypatch.setattr(UsageStore, "tally", tally)
    monkeypatch.setattr(reconcile, "PlatformWarehouse", Empty)
    assert reconcile.handler({}, Context())["customers"] == 1
    assert read == [acme]


class Doubled:
    """A warehouse with uncounted rows of very many tenants, in very many batches."""

    def __init__(self, day: str, tenants: int, batches: int) -> None:
        self._by_day = [{"tenant_id": f"tenant-{n:050}", "day": day, "rows": 1} for n in range(tenants)]
        self._by_batch = [{"batch_id": f"{n:064x}", "day": day, "rows": 1} for n in range(batches)]

    def select(self, statement: str, parameters: dict[str, Any], *_: Any) -> Selection:
        assert len(str(parameters)) < 4_000, "this goes into a URL"
        return Selection(self._by_batch if "batch_id" in statement else self._by_day, 0, 0)


def test_a_reconciliation_with_very_many_differences_is_still_reported(
    here: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """DynamoDB keeps no item beyond 400 KB: when most was wrong, nothing would have been said."""
    now = here.now() + 2 * 86_400
    day = datetime.fromtimestamp(now - 86_400, UTC).date().isoformat()
    rows = StoredRows(Doubled(day, tenants=300, batches=300))  # type: ignore[arg-type]
    result = UsageComparison(
        UsageStore("usage", here.client),
        DoneBatches("ledger", here.client),
        rows,
        ErasedRows("erasures", here.client),
        here.gate,
        lambda: "",
        lambda: now,
        lambda _seconds: None,
    ).run([])
    reconcile.publish_result(result)
    lines = log_lines(capsys)
    assert lines[-1]["UsageDifferenceRows"] == 300
    assert len(lines) <= MAX_LISTED + 1
    kept = here.client.get_item(
        TableName="usage", Key={"tenant_id": {"S": "*"}, "entry": {"S": f"reconciled#{result.last}"}}
    )["Item"]["report"]["S"]
    report = json.loads(kept)
    assert (report["days_differing"], report["difference_rows"]) == (300, 300)
    assert len(report["rows_differ"]) == MAX_LISTED
    assert len(kept) < 400_000
    assert len(json.dumps(result.as_json())) < 6_000_000


def test_a_round_without_time_says_so_and_skips_no_account_for_ever(
    wired: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stripe hangs: Lambda would end the function before it has said how many were left, at the same ones."""
    names = ["acme", "globex", "initech"]
    for name in names:
        wired.account(name, account_status_on(PLANS[TRIAL], int(time.time()) + DAY, "trial_ended"))
    closing = [wired.account(f"closing-{name}") for name in names]
    for tenant in closing:
        wired.closings.request(tenant)
    capsys.readouterr()
    assert bookkeeper.handler({}, Context(seconds=20))["failed"] == 3
    assert log_lines(capsys)[-1]["AccountsNotKept"] == 3
    assert closer.handler({}, Context(seconds=20)) == {"closed": 0, "waiting": 3, "slow": 0}

    once = iter([True, False] * 500)
    for _ in range(40):
        wired.bookkeeper.run(lambda: next(once))
    assert [wired.mails(name) for name in names] == [["trial_ending"]] * 3
    made, records = closer._offboarding()
    once = iter([True, *[False] * 2] * 500)
    while closer.run(made, records, lambda: next(once))["waiting"]:
        pass
    assert all(wired.record(tenant).closed_at for tenant in closing)


def test_what_was_used_last_is_on_the_last_invoice(here: Shop) -> None:
    """Closing an account reports the remaining usage before it ends the subscription."""
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    here.here.order("/_settings", draft_seconds=100 * 3600)
    for tenant in (acme, globex):
        follow_ups(here).follow_up(tenant)
        store(here, tenant, 150 * GIGABYTE)
    customer, subscription = here.record(acme).customer_id, here.subscription(acme)["id"]
    assert here.closings.request(acme)
    for _ in range(6):
        if here.close()["waiting"] == 0:
            break
        here.pass_by(max(LOADING_SECONDS, INVOICE_SECONDS) + 1)
    assert here.record(acme).closed_at
    assert tally(here, acme).reported.landed_bytes == 150 * GIGABYTE
    lines = [
        line["amount"]
        for invoice in here.gate.invoices(subscription)
        for line in invoice["lines"]["data"]
        if line["quantity"] and line["amount"] == 50 * 20
    ]
    assert len(lines) == 1, "50 GB beyond what is included, at 20 cents"
    assert not here.gate.customer_exists(customer)
    assert tally(here, globex).reported.landed_bytes == 0
    assert here.record(globex).live
