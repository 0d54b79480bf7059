"""Data kept for too long is found by listing it, however it was written."""

import json
from datetime import timedelta

import pytest

from functions.retention.check import RetentionCheck, places, run
from functions.shared.accounts.retention_terms import RetentionTerms, terms_after
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    idempotency_prefix,
    quarantine_prefix,
)
from tests.crash.retention_world import LONG, OWN, SHORT, RetentionWorld


def look(retention: RetentionWorld, *, days: float = 0) -> dict[str, object]:
    retention.now += timedelta(days=days)
    service = retention.service
    where = places(service.staging, retention.drops)
    return run(RetentionCheck(service.partitions, service.accounts, where, service.reports), retention.now)


def test_where_nothing_is_expired_there_is_nothing_to_report(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant, account_status, days in (("acme", SHORT, 15), ("globex", LONG, 30)):
        retention.account(tenant, account_status)
        retention.deliver(retention.send(tenant, "a", "b", retention_days=days))
    retention.account("byoc", OWN)
    reported = look(retention)
    assert reported == {
        "rows": 4,
        "tenants": 2,
        "oldest_received": "2029-12-02T10:00:00+00:00",
        "rows_past_retention": 0,
        "tenants_past_retention": 0,
        "byoc_tenants": 1,
        "byoc_rows_at_rest": 0,
        "byoc_objects_at_rest": 0,
        "rows_of_unknown_tenants": 0,
    }
    assert '"RowsPastRetention":0,"ByocAtRest":0,"RowsOfUnknownTenants":0' in capsys.readouterr().out


def test_rows_that_outlive_their_plan_are_found_tenant_by_tenant(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if no purge had run; the other tenant's are as old and have half of their time before them."""
    for tenant, account_status, days in (("acme", SHORT, 15), ("globex", LONG, 30)):
        retention.account(tenant, account_status)
        retention.deliver(retention.send(tenant, "old", retention_days=days))
    retention.now += timedelta(days=15)
    retention.deliver(retention.send("acme", "young"))
    assert look(retention)["rows_past_retention"] == 0
    reported = look(retention, days=2)
    assert (reported["rows_past_retention"], reported["tenants_past_retention"]) == (1, 1)
    output = capsys.readouterr().out
    assert '"tenant_id":"acme","place":"warehouse","count":1' in output
    assert "globex" not in output
    assert '"RowsPastRetention":1' in output


def test_rows_in_a_partition_to_come_are_found_too(retention: RetentionWorld) -> None:
    """Stamped with 30 days, and their tenant has had 15 for more than a day: no partition would show it."""
    changed = terms_after(RetentionTerms(30), SHORT, int(retention.now.timestamp()) - 8 * 86_400)
    retention.account("acme", SHORT, changed)
    retention.deliver(retention.send("acme", "old", retention_days=30))
    assert look(retention, days=18)["rows_past_retention"] == 1
    retention.purge()
    assert look(retention)["rows_past_retention"] == 0


def test_a_planted_row_and_a_planted_object_of_a_byoc_customer_are_found(
    retention: RetentionWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two BYOC customers, one of whom has something with us, and a managed one who may."""
    for tenant, account_status in (("planted", OWN), ("clean", OWN), ("managed", SHORT)):
        retention.account(tenant, account_status)
    retention.deliver(retention.send("planted", "row"), retention.send("managed", "row"))
    retention.send("managed", "staged")
    retention.send("planted", "staged")
    for tenant in ("planted", "managed"):
        for prefix in (quarantine_prefix, idempotency_prefix, checkpoint_prefix):
            retention.here.bucket.create(f"{prefix(TenantId(tenant))}x", b"x")
        retention.drop(f"{dropin_prefix(TenantId(tenant))}a//file+ of.theirs", b"x")
    reported = look(retention)
    assert (reported["byoc_tenants"], reported["byoc_rows_at_rest"], reported["byoc_objects_at_rest"]) == (
        2,
        1,
        5,
    )
    output = capsys.readouterr().out
    for place in ("warehouse", "staged", "quarantine", "idempotency", "uploads", "dropin"):
        assert '"event":"byoc_at_rest"' in output
        assert f'"tenant_id":"planted","place":"{place}","count":1' in output
    assert "clean" not in output
    assert '"tenant_id":"managed","place"' not in output
    assert '"ByocAtRest":6' in output


def test_an_account_that_moves_to_byoc_has_nothing_left_with_us_after_the_grace(
    retention: RetentionWorld,
) -> None:
    retention.account("moving", SHORT)
    retention.deliver(retention.send("moving", "before"))
    moved = terms_after(RetentionTerms(15), OWN, int(retention.now.timestamp()))
    retention.account("moving", OWN, moved)
    assert look(retention, days=6)["byoc_rows_at_rest"] == 0
    retention.now += timedelta(days=1)
    assert retention.purge()["rows"] == 1
    reported = look(retention, days=2)
    assert (reported["byoc_tenants"], reported["byoc_rows_at_rest"]) == (1, 0)


def test_nor_have_our_buckets_and_who_stays_keeps_all_of_it(retention: RetentionWorld) -> None:
    """Until the grace is over it stays: it may be taken back until then."""
    now = int(retention.now.timestamp())
    for tenant, account_status in (("moving", OWN), ("fewer", SHORT)):
        retention.account(tenant, account_status, terms_after(RetentionTerms(30), account_status, now))
        for prefix in (quarantine_prefix, idempotency_prefix, checkpoint_prefix):
            retention.here.bucket.create(f"{prefix(TenantId(tenant))}x", b"x")
        retention.drop(f"{dropin_prefix(TenantId(tenant))}a//file+ of.theirs", b"x")
    assert retention.purge(days=6.9)["left_behind"] == 0
    assert retention.purge(days=0.2)["left_behind"] == 4
    assert retention.purge()["left_behind"] == 0
    left = [each.key for bucket in (retention.here.bucket, retention.drops) for each in bucket.under("")]
    assert sum("tenant=fewer/" in each for each in left) == 4
    assert not any("tenant=moving/" in each for each in left)
    assert look(retention, days=2)["byoc_objects_at_rest"] == 0


def test_data_left_after_a_move_to_byoc_is_reported(retention: RetentionWorld) -> None:
    moved = terms_after(RetentionTerms(15), OWN, int(retention.now.timestamp()))
    retention.account("moving", OWN, moved)
    retention.deliver(retention.send("moving", "before"))
    assert look(retention, days=7.9)["byoc_rows_at_rest"] == 0
    assert look(retention, days=0.2)["byoc_rows_at_rest"] == 1


def test_rows_of_a_tenant_without_an_account_are_counted(retention: RetentionWorld) -> None:
    retention.deliver(retention.send("erased", "left over"))
    assert look(retention)["rows_of_unknown_tenants"] == 1


def test_the_report_has_no_tenants(retention: RetentionWorld) -> None:
    retention.account("somebody", OWN)
    retention.deliver(retention.send("somebody", "row"))
    reported = look(retention)
    (key,) = [each.key for each in retention.reports.under("checks/")]
    kept = retention.reports.get(key)
    assert kept
    assert json.loads(bytes(kept.body)) == {"at": retention.now.isoformat(), **reported}
    assert b"somebody" not in bytes(kept.body)


def test_a_bucket_that_cannot_be_listed_is_not_an_empty_one_and_hides_no_row(
    retention: RetentionWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_bucket: PlatformBucket, _prefix: str) -> None:
        raise BucketUnavailableError("SlowDown")

    retention.account("byoc", OWN)
    retention.account("acme", SHORT)
    retention.deliver(retention.send("acme", "old"))
    with monkeypatch.context() as broken:
        broken.setattr(PlatformBucket, "under", fail)
        with pytest.raises(BucketUnavailableError):
            look(retention, days=18)
    assert '"RowsPastRetention":1' in capsys.readouterr().out
    assert list(retention.reports.under("checks/")) == []
