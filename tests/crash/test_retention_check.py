"""What rests with us for too long is found by looking, whoever put it there and however it came."""

import json
from datetime import timedelta

import pytest

from functions.retention.check import Inspection, places, run
from functions.shared.account.retention_terms import RetentionTerms, terms_after
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.own import OwnBucket
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    idempotency_prefix,
    quarantine_prefix,
)
from tests.crash.retention_office import LONG, OWN, SHORT, Office


def look(office: Office, *, days: float = 0) -> dict[str, object]:
    office.now += timedelta(days=days)
    upkeep = office.upkeep
    where = places(upkeep.staging, office.drops)
    return run(Inspection(upkeep.partitions, upkeep.accounts, where, upkeep.reports), office.now)


def test_where_all_is_well_there_is_nothing_to_tell(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant, standing, days in (("acme", SHORT, 15), ("globex", LONG, 30)):
        office.account(tenant, standing)
        office.deliver(office.send(tenant, "a", "b", retention_days=days))
    office.account("byoc", OWN)
    told = look(office)
    assert told == {
        "rows": 4,
        "tenants": 2,
        "oldest_received": "2029-12-02T10:00:00+00:00",
        "rows_overdue": 0,
        "tenants_overdue": 0,
        "byoc_tenants": 1,
        "byoc_rows_at_rest": 0,
        "byoc_objects_at_rest": 0,
        "rows_of_nobody": 0,
    }
    assert '"RowsOverdue":0,"ByocAtRest":0,"RowsOfNobody":0' in capsys.readouterr().out


def test_rows_that_outlive_their_plan_are_found_tenant_by_tenant(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if no purge had run; the other tenant's are as old and have half of their time before them."""
    for tenant, standing, days in (("acme", SHORT, 15), ("globex", LONG, 30)):
        office.account(tenant, standing)
        office.deliver(office.send(tenant, "old", retention_days=days))
    office.now += timedelta(days=15)
    office.deliver(office.send("acme", "young"))
    assert look(office)["rows_overdue"] == 0
    told = look(office, days=2)
    assert (told["rows_overdue"], told["tenants_overdue"]) == (1, 1)
    said = capsys.readouterr().out
    assert '"tenant_id":"acme","place":"warehouse","count":1' in said
    assert "globex" not in said
    assert '"RowsOverdue":1' in said


def test_rows_in_a_partition_to_come_are_found_too(office: Office) -> None:
    """Stamped with 30 days, and their tenant has had 15 for more than a day: no partition would show it."""
    changed = terms_after(RetentionTerms(30), SHORT, int(office.now.timestamp()) - 8 * 86_400)
    office.account("acme", SHORT, changed)
    office.deliver(office.send("acme", "old", retention_days=30))
    assert look(office, days=18)["rows_overdue"] == 1
    office.purge()
    assert look(office)["rows_overdue"] == 0


def test_a_planted_row_and_a_planted_object_of_a_byoc_customer_are_found(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two BYOC customers, one of whom has something with us, and a managed one who may."""
    for tenant, standing in (("planted", OWN), ("clean", OWN), ("managed", SHORT)):
        office.account(tenant, standing)
    office.deliver(office.send("planted", "row"), office.send("managed", "row"))
    office.send("managed", "staged")
    office.send("planted", "staged")
    for tenant in ("planted", "managed"):
        for prefix in (quarantine_prefix, idempotency_prefix, checkpoint_prefix):
            office.here.bucket.create(f"{prefix(TenantId(tenant))}x", b"x")
        office.drop(f"{dropin_prefix(TenantId(tenant))}a//file+ of.theirs", b"x")
    told = look(office)
    assert (told["byoc_tenants"], told["byoc_rows_at_rest"], told["byoc_objects_at_rest"]) == (2, 1, 5)
    said = capsys.readouterr().out
    for place in ("warehouse", "staged", "quarantine", "idempotency", "uploads", "dropin"):
        assert '"event":"byoc_at_rest"' in said
        assert f'"tenant_id":"planted","place":"{place}","count":1' in said
    assert "clean" not in said
    assert '"tenant_id":"managed","place"' not in said
    assert '"ByocAtRest":6' in said


def test_who_moves_to_their_own_cloud_has_nothing_left_with_us_after_the_grace(office: Office) -> None:
    office.account("moving", SHORT)
    office.deliver(office.send("moving", "before"))
    moved = terms_after(RetentionTerms(15), OWN, int(office.now.timestamp()))
    office.account("moving", OWN, moved)
    assert look(office, days=6)["byoc_rows_at_rest"] == 0
    office.now += timedelta(days=1)
    assert office.purge()["rows"] == 1
    told = look(office, days=2)
    assert (told["byoc_tenants"], told["byoc_rows_at_rest"]) == (1, 0)


def test_nor_have_our_buckets_and_who_stays_keeps_all_of_it(office: Office) -> None:
    """Until the grace is over it stays: it may be taken back until then."""
    now = int(office.now.timestamp())
    for tenant, standing in (("moving", OWN), ("fewer", SHORT)):
        office.account(tenant, standing, terms_after(RetentionTerms(30), standing, now))
        for prefix in (quarantine_prefix, idempotency_prefix, checkpoint_prefix):
            office.here.bucket.create(f"{prefix(TenantId(tenant))}x", b"x")
        office.drop(f"{dropin_prefix(TenantId(tenant))}a//file+ of.theirs", b"x")
    assert office.purge(days=6.9)["left_behind"] == 0
    assert office.purge(days=0.2)["left_behind"] == 4
    assert office.purge()["left_behind"] == 0
    left = [each.key for bucket in (office.here.bucket, office.drops) for each in bucket.under("")]
    assert sum("tenant=fewer/" in each for each in left) == 4
    assert not any("tenant=moving/" in each for each in left)
    assert look(office, days=2)["byoc_objects_at_rest"] == 0


def test_had_it_stayed_somebody_would_be_told(office: Office) -> None:
    moved = terms_after(RetentionTerms(15), OWN, int(office.now.timestamp()))
    office.account("moving", OWN, moved)
    office.deliver(office.send("moving", "before"))
    assert look(office, days=7.9)["byoc_rows_at_rest"] == 0
    assert look(office, days=0.2)["byoc_rows_at_rest"] == 1


def test_rows_of_a_tenant_without_an_account_are_counted(office: Office) -> None:
    office.deliver(office.send("erased", "left over"))
    assert look(office)["rows_of_nobody"] == 1


def test_the_report_names_nobody(office: Office) -> None:
    office.account("somebody", OWN)
    office.deliver(office.send("somebody", "row"))
    told = look(office)
    (key,) = [each.key for each in office.reports.under("checks/")]
    kept = office.reports.get(key)
    assert kept
    assert json.loads(bytes(kept.body)) == {"at": office.now.isoformat(), **told}
    assert b"somebody" not in bytes(kept.body)


def test_a_bucket_that_cannot_be_listed_is_not_an_empty_one_and_hides_no_row(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_bucket: OwnBucket, _prefix: str) -> None:
        raise BucketUnavailableError("SlowDown")

    office.account("byoc", OWN)
    office.account("acme", SHORT)
    office.deliver(office.send("acme", "old"))
    with monkeypatch.context() as broken:
        broken.setattr(OwnBucket, "under", fail)
        with pytest.raises(BucketUnavailableError):
            look(office, days=18)
    assert '"RowsOverdue":1' in capsys.readouterr().out
    assert list(office.reports.under("checks/")) == []
