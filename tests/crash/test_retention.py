"""Logs leave when their days are over, on the real engine: late, replayed, after a change, in a crash."""

import json
import random
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

import boto3
import pytest
from backports import zstd

from bench.in_process import load
from functions.quarantine.documents import QuarantineStore
from functions.retention.handler import run
from functions.retention.limits import Limit
from functions.retention.partitions import Partitions
from functions.retention.plan import Partition, Rewriting, TenantRows
from functions.retention.purge import purge
from functions.shared.accounts.retention_terms import RetentionTerms, terms_after
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import OutcomeUnknownError, Selection
from functions.sync.batch_processor import BatchProcessor
from functions.sync.notifications import StagedObject
from tests.crash.retention_world import RECEIVED, SHORT, RetentionWorld, create_accounts
from tests.crash.world import World
from tests.unit.retention.test_sixty_days import Group, Table, story


def test_late_logs_are_kept_from_their_receipt_on(retention: RetentionWorld) -> None:
    """An event of three weeks ago is as young as its receipt, however slowly it is loaded."""
    retention.account("late", SHORT)
    reported = retention.send("late", "late event", timestamp="2029-11-10T00:00:00Z")
    retention.now += timedelta(days=9)
    retention.deliver(reported)
    assert retention.purge(days=6)["partitions"] == 0
    assert retention.messages("late") == ["late event"]
    assert retention.purge(days=1)["partitions"] == 1
    assert retention.messages("late") == []


def test_a_late_delivery_does_not_restore_purged_rows(retention: RetentionWorld) -> None:
    retention.account("replayed", SHORT)
    reported = retention.send("replayed", "once")
    retention.deliver(reported)
    retention.purge(days=16)
    assert retention.deliver(retention.again(reported), reported) == {reported.key}
    assert retention.messages("replayed") == []
    assert not retention.here.has(reported.key)


def test_a_late_delivery_does_not_restore_rows_of_a_shorter_plan(retention: RetentionWorld) -> None:
    """The day its rows were stamped with is yet to come: it is the ledger that knows."""
    terms = terms_after(RetentionTerms(30), SHORT, int(retention.now.timestamp()))
    retention.account("shortened", SHORT, terms)
    reported = retention.send("shortened", "once", retention_days=30)
    retention.deliver(reported)
    assert retention.purge(days=16)["shortened"] == 1
    assert retention.deliver(retention.again(reported), reported) == {reported.key}
    assert retention.messages("shortened") == []


def test_what_expired_before_it_was_loaded_is_deleted_and_its_message_settled(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    reported, young = retention.send("slow", "too late"), retention.send("slow", "in time", retention_days=30)
    retention.now += timedelta(days=16)
    assert retention.deliver(reported, young) == {reported.key, young.key}
    assert retention.messages("slow") == ["in time"]
    assert not retention.here.has(reported.key)
    assert '"ExpiredObjects":1' in capsys.readouterr().out


def test_on_its_last_day_it_is_still_loaded(retention: RetentionWorld) -> None:
    reported = retention.send("last-day", "just in time")
    retention.now += timedelta(days=15)
    retention.deliver(reported)
    assert retention.messages("last-day") == ["just in time"]


def test_into_a_customers_own_clickhouse_everything_is_loaded(retention: RetentionWorld) -> None:
    reported = retention.send("byoc-late", "theirs to keep")
    retention.now += timedelta(days=16)
    retention.deliver(reported, destination="byoc:byoc-late")
    assert retention.messages("byoc-late") == ["theirs to keep"]


def test_an_object_that_cannot_be_deleted_stays_on_the_queue_and_delays_no_other(
    retention: RetentionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported, young = (
        retention.send("stuck", "too late"),
        retention.send("stuck", "in time", retention_days=30),
    )
    retention.now += timedelta(days=16)

    def fail(_driver: BatchProcessor, _objects: list[StagedObject]) -> None:
        raise BucketUnavailableError("SlowDown")

    monkeypatch.setattr(BatchProcessor, "discard", fail)
    assert retention.deliver(reported, young) == {young.key}
    assert retention.messages("stuck") == ["in time"]


def test_a_replay_from_the_quarantine_keeps_the_day_of_its_receipt(retention: RetentionWorld) -> None:
    tenant = retention.account("poisoned", SHORT)
    retention.deliver(retention.poisoned(retention.send("poisoned", "bad", "good")))
    documents, day = QuarantineStore(retention.here.bucket), timedelta(days=1)
    (document_id,) = documents.listed(tenant)[0]
    document = documents.read(tenant, document_id)
    assert document.header.expires_on == RECEIVED.date() + 15 * day

    last = RECEIVED.date() + 15 * day
    assert documents.replay(tenant, document, last) == 1
    (replayed,) = retention.here.bucket.under(f"staged/v1/tenant={tenant}/")
    assert f"day={RECEIVED.date()}" in replayed.key
    assert f"-x{last:%Y%m%d}" in replayed.key
    with pytest.raises(HttpError) as refused:
        documents.replay(tenant, document, last + day)
    assert refused.value.status == 409


def test_the_quarantine_is_emptied_with_the_same_run(retention: RetentionWorld) -> None:
    retention.account("poisoned-too", SHORT)
    retention.deliver(retention.poisoned(retention.send("poisoned-too", "bad")))
    assert retention.purge(days=15)["quarantined"] == {"documents": 0, "rows": 0, "undone": 0}
    assert retention.purge(days=1)["quarantined"] == {"documents": 1, "rows": 1, "undone": 0}


def test_a_quarantine_there_is_no_time_for_is_reported_and_waits_for_the_next_run(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    retention.account("poisoned-late", SHORT)
    retention.deliver(retention.poisoned(retention.send("poisoned-late", "bad")))
    retention.now += timedelta(days=16)
    reported = run(retention.service, retention.now, lambda: 59.0)
    assert reported["quarantined"] == {"documents": 0, "rows": 0, "undone": 1}
    assert '"PurgesFailed":1' in capsys.readouterr().out
    assert len(list(retention.reports.under("purges/"))) == 1
    assert retention.purge()["quarantined"] == {"documents": 1, "rows": 1, "undone": 0}


def test_a_run_that_removed_something_leaves_a_report_without_tenants(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant in ("named-acme", "named-globex"):
        retention.account(tenant, SHORT)
        retention.deliver(
            retention.send(tenant, "secret of a person"), retention.send(tenant, "kept", retention_days=30)
        )
    reported = retention.purge(days=16)
    (key,) = [each.key for each in retention.reports.under("purges/")]
    kept = retention.reports.get(key)
    assert kept
    report = json.loads(bytes(kept.body))
    assert report == {"at": retention.now.isoformat(), **reported}
    assert (report["partitions"], report["rows"], report["oldest_left"]) == (1, 2, "2030-01-01")
    assert report["bytes"] > 0
    assert report["oldest_received"].startswith("2029-12-02 10:00")
    output = capsys.readouterr().out
    assert '"RowsPurged":2' in output
    assert "named-" not in bytes(kept.body).decode() + key
    retention.purge()
    assert len(list(retention.reports.under("purges/"))) == 1


def test_nothing_is_removed_while_the_accounts_cannot_be_read(retention: RetentionWorld) -> None:
    """Who has a longer plan since is to be seen there."""
    retention.deliver(retention.send("unknown", "stays"))
    boto3.client("dynamodb").delete_table(TableName="accounts")
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        retention.purge(days=16)
    assert retention.messages("unknown") == ["stays"]
    create_accounts(boto3.client("dynamodb"))


_numbers = count()


def put_rows(warehouse: Any, tenant: TenantId, expires_on: date, received_on: date, rows: int = 1) -> None:
    """Rows of the first and of the last moment of the day, in turns: where an off-by-one would show."""
    number = next(_numbers)
    stamp = f"{received_on} {'23:59:59.999999' if number % 2 else '00:00:00.000000'}"
    row = {"tenant_id": tenant, "message": "m", "timestamp": stamp, "received_at": stamp, "metadata": {}}
    empty = dict.fromkeys(("project_id", "level", "service", "trace_id", "span_id"), "")
    lines = (json.dumps({**empty, **row}) + "\n").encode() * rows
    load(warehouse, zstd.compress(lines), f"rows{number}", expires_on)


class DeathError(Exception):
    pass


class Mortal:
    """A warehouse whose caller dies before statement number `at`."""

    def __init__(self, warehouse: Any, at: int) -> None:
        self.warehouse, self.left = warehouse, at

    def select(self, *asked: Any, **more: Any) -> Selection:
        self._live()
        result: Selection = self.warehouse.select(*asked, **more)
        return result

    def command(self, *asked: Any, **more: Any) -> None:
        self._live()
        self.warehouse.command(*asked, **more)

    def _live(self) -> None:
        self.left -= 1
        if not self.left:
            raise DeathError


def test_a_run_that_dies_anywhere_is_finished_by_the_next(here: World) -> None:
    """One partition to drop, one to thin, one to shorten."""
    limits = {TenantId("up"): Limit(30), TenantId("down"): Limit(15, binding=True)}
    received = date(2029, 12, 2)
    today, statements, died = received + timedelta(days=16), 0, True
    while died:
        statements, died = statements + 1, False
        here.warehouse.command("TRUNCATE TABLE events")
        for tenant, days in (("up", 15), ("same", 15), ("same", 14), ("down", 30), ("same", 30)):
            put_rows(here.warehouse, TenantId(tenant), received + timedelta(days=days), received)
        mortal: Any = Mortal(here.warehouse, statements)
        try:
            purge(Partitions(mortal), today, limits, [TenantId("down")])
        except DeathError:
            died = True
        purge(Partitions(here.warehouse), today, limits, [TenantId("down")])
        left = {each.expires_on: each.rows for each in Partitions(here.warehouse).all()}
        assert left == {received + timedelta(days=days): 1 for days in (15, 30)}
    assert statements > 10


class Deaf:
    """A warehouse whose answers to rewritings are lost."""

    def __init__(self, warehouse: Any) -> None:
        self.warehouse, self.lost = warehouse, 0

    def select(self, *asked: Any, **more: Any) -> Selection:
        result: Selection = self.warehouse.select(*asked, **more)
        return result

    def command(self, statement: str, *asked: Any, **more: Any) -> None:
        self.warehouse.command(statement, *asked, **more)
        if "DELETE IN PARTITION" in statement:
            self.lost += 1
            raise OutcomeUnknownError("the answer of ClickHouse was lost")


def test_a_lost_answer_is_a_failure_until_the_next_run_finds_nothing_left(retention: RetentionWorld) -> None:
    retention.deliver(retention.send("deaf", "goes", retention_days=30))
    limits, today = {TenantId("deaf"): Limit(15, binding=True)}, (retention.now + timedelta(days=16)).date()
    first = purge(Partitions(Deaf(retention.here.warehouse)), today, limits, [TenantId("deaf")])  # type: ignore[arg-type]
    assert (first.shortened, first.failed) == (0, 1)
    assert not purge(Partitions(retention.here.warehouse), today, limits, [TenantId("deaf")]).is_notable


def test_what_the_engine_is_still_at_is_not_asked_for_twice(retention: RetentionWorld) -> None:
    """A rewriting that takes longer than a run is left to end, however many runs come by."""
    warehouse, tenant = retention.here.warehouse, TenantId("long")
    retention.deliver(retention.send("long", "goes", retention_days=30))
    limits, today = {tenant: Limit(15, binding=True)}, (retention.now + timedelta(days=16)).date()
    day = (retention.now + timedelta(days=30)).date()

    def begun() -> int:
        result = warehouse.select(
            "SELECT count() AS mutations FROM system.mutations "
            "WHERE database = currentDatabase() AND position(command, {text:String}) > 0",
            {"text": f"IN PARTITION ID '{day:%Y%m%d}-0' WHERE (tenant_id = 'long'"},
        )
        return int(result.rows[0]["mutations"])

    warehouse.command("SYSTEM STOP MERGES events")
    try:
        warehouse.command(
            f"ALTER TABLE events DELETE IN PARTITION ID '{day:%Y%m%d}-0' WHERE tenant_id = 'long' AND 1",
            settings={"mutations_sync": 0},
        )
        before = begun()
        for _ in range(3):
            assert purge(Partitions(warehouse), today, limits, [tenant]).failed == 1
        assert begun() == before
    finally:
        warehouse.command("SYSTEM START MERGES events")
    for _ in range(100):
        if not retention.messages("long"):
            break
        time.sleep(0.05)
    assert not purge(Partitions(warehouse), today, limits, [tenant]).failed
    assert retention.messages("long") == []


class Mirrored(Table):
    """The dictionary and the engine side by side: what one holds and does, the other must."""

    def __init__(self, warehouse: Any) -> None:
        super().__init__()
        self.warehouse, self.partitions = warehouse, Partitions(warehouse)
        self.rewritten = {False: 0, True: 0}

    def load(self, group: Group, rows: int) -> None:
        super().load(group, rows)
        put_rows(self.warehouse, *group, rows)

    def all(self) -> list[Partition]:
        ours, theirs = super().all(), self.partitions.all()
        assert {each.expires_on: each.rows for each in ours} == {
            each.expires_on: each.rows for each in theirs
        }
        return theirs

    def expired(self, today: date) -> list[TenantRows]:
        return self._same(super().expired(today), self.partitions.expired(today))

    def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
        return self._same(super().of(tenants, today), self.partitions.of(tenants, today))

    def drop(self, partition: Partition) -> None:
        super().drop(partition)
        self.partitions.drop(partition)

    def rewrite(self, rewritings: Sequence[Rewriting]) -> None:
        super().rewrite(rewritings)
        self.partitions.rewrite(rewritings)
        for each in rewritings:
            self.rewritten[each.others_stay] += 1

    @staticmethod
    def _same(ours: list[TenantRows], theirs: list[TenantRows]) -> list[TenantRows]:
        assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
        return theirs


def play(here: World, seed: int, tenants: int, days: int) -> None:
    """Days of logs, and forty more until the last of them is gone."""
    here.warehouse.command("TRUNCATE TABLE events")
    table = Mirrored(here.warehouse)
    ending = story(random.Random(seed), tenants, runs_a_day=2, days=days, table=table).play()
    assert (ending.lost, ending.outlived) == (0, 0)
    assert ending.gone > tenants * days / 2
    assert min(table.rewritten.values()) > 1, "both a longer and a shorter plan were met"


def test_weeks_on_the_engine_lose_nothing_young_and_keep_nothing_old(here: World) -> None:
    play(here, seed=22, tenants=3, days=7)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [3, 16, 19, 23])
def test_months_on_the_engine_do_neither(here: World, seed: int) -> None:
    play(here, seed, tenants=5, days=14)
