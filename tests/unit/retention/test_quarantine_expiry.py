"""The quarantine is held to the days of its rows, each tenant's own."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from functions.retention import quarantine_expiry
from functions.retention.limits import Limit
from functions.retention.quarantine_expiry import ExpiredDocuments, delete_expired
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import PermanentError
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.quarantine import QuarantineHeader, document_key, header_of, pack
from functions.shared.tenancy import TenantId, quarantine_prefix

TODAY = date(2026, 11, 23)
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def put(bucket: PlatformBucket, tenant: TenantId, received: int, kept_days: int, rows: int = 2) -> str:
    """A document of rows that were received so many days ago."""
    day = TODAY - timedelta(days=received)
    source = StagedKey(tenant, day, time_ordered_id(), 9, 300, day + timedelta(days=kept_days))
    header = QuarantineHeader(
        reason="refused",
        engine_code=27,
        source=str(source),
        batch_id="b",
        positions=list(range(rows)),
        rows=rows,
        expires_on=source.expires_on,
        quarantined_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    key = document_key(tenant, source.object_id)
    bucket.create(key, pack(header, [b"{}"] * rows))
    return key


def left(bucket: PlatformBucket) -> set[str]:
    return {each.key for each in bucket.under("quarantine/")}


def test_a_document_goes_when_the_days_of_its_rows_are_over() -> None:
    bucket = PlatformBucket(MemoryStore())
    put(bucket, ACME, 16, 15)
    put(bucket, GLOBEX, 31, 30, rows=5)
    stays = {put(bucket, ACME, 15, 15), put(bucket, GLOBEX, 30, 30)}
    limits = {ACME: Limit(15), GLOBEX: Limit(30)}
    assert delete_expired(bucket, limits, TODAY) == ExpiredDocuments(2, 7)
    assert left(bucket) == stays
    assert delete_expired(bucket, limits, TODAY) == ExpiredDocuments(0, 0)


def test_a_shorter_plan_counts_and_a_longer_one_prolongs_nothing() -> None:
    bucket = PlatformBucket(MemoryStore())
    put(bucket, ACME, 16, 30)
    put(bucket, GLOBEX, 16, 15)
    stays = put(bucket, ACME, 15, 30)
    delete_expired(bucket, {ACME: Limit(15, binding=True), GLOBEX: Limit(30, binding=True)}, TODAY)
    assert left(bucket) == {stays}


def test_an_unreadable_object_is_left_to_the_bucket_and_hides_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket = PlatformBucket(MemoryStore())
    torn = f"{quarantine_prefix(ACME)}torn.ndjson.zst"
    bucket.create(torn, b"no zstd")
    put(bucket, ACME, 16, 15)
    assert delete_expired(bucket, {}, TODAY).documents == 1
    assert left(bucket) == {torn}
    assert "quarantine_unreadable" in capsys.readouterr().out


def test_where_time_runs_out_found_documents_are_deleted_and_the_rest_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quarantine_expiry, "KEYS_A_STEP", 2)
    bucket, times = PlatformBucket(MemoryStore()), iter([True, True, False])
    for _ in range(5):
        put(bucket, ACME, 16, 15)
    assert delete_expired(bucket, {}, TODAY, lambda: next(times)) == ExpiredDocuments(4, 8, undone=1)
    assert '"event":"purge_failed"' in capsys.readouterr().out
    assert len(left(bucket)) == 1
    assert delete_expired(bucket, {}, TODAY) == ExpiredDocuments(1, 2)


def test_a_tenant_with_many_documents_does_not_keep_another_s_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quarantine_expiry, "KEYS_A_STEP", 2)
    bucket, times = PlatformBucket(MemoryStore()), iter([True, False])
    for _ in range(40):
        put(bucket, ACME, 16, 15)
    theirs = put(bucket, GLOBEX, 16, 15)
    assert delete_expired(bucket, {}, TODAY, lambda: next(times)).documents == 2
    assert theirs not in left(bucket)


def test_deletions_are_reported_though_the_bucket_fails_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_expiry, "KEYS_A_STEP", 2)
    bucket, fails = PlatformBucket(MemoryStore()), iter([False, True])
    for _ in range(4):
        put(bucket, ACME, 16, 15)
    delete = bucket.delete

    def delete_once(keys: Sequence[str]) -> None:
        if next(fails):
            raise BucketUnavailableError("SlowDown")
        delete(keys)

    monkeypatch.setattr(bucket, "delete", delete_once)
    assert delete_expired(bucket, {}, TODAY) == ExpiredDocuments(2, 4, undone=2)
    fails = iter([True])
    with pytest.raises(BucketUnavailableError):
        delete_expired(bucket, {}, TODAY)


@pytest.mark.parametrize("said", [{"source": "staged/v1/of-an-older-form"}, {"reason": "\udcff"}])
def test_a_header_of_another_form_keeps_no_other_document_here(said: dict[str, str]) -> None:
    bucket = PlatformBucket(MemoryStore())
    put(bucket, ACME, 16, 15)
    strange = document_key(GLOBEX, "strange")
    reported = {
        "reason": "refused", "engine_code": 27, "source": "s", "batch_id": "b", "positions": [0], "rows": 1,
        "expires_on": "2026-11-01", "set_aside_at": "2026-11-01T00:00:00Z", **said,
    }  # fmt: skip
    text = json.dumps(reported, ensure_ascii=False).encode(errors="surrogateescape")
    bucket.create(strange, zstd.compress(text + b"\n{}\n"))
    assert delete_expired(bucket, {}, TODAY).documents == 1
    assert left(bucket) == {strange}


@given(st.integers(0, 20_000), st.binary(max_size=300))
def test_a_header_is_read_alone(positions: int, row: bytes) -> None:
    header = QuarantineHeader(
        "r", 27, "s", "b", list(range(positions)), positions, TODAY, datetime(2026, 1, 1, tzinfo=UTC)
    )
    document = pack(header, [row.replace(b"\n", b"") * 100] * 50)
    assert header_of(document) == header


@pytest.mark.parametrize("document", [b"", b"x", b"\x28\xb5\x2f\xfd", zstd.compress(b'{"reason": "\xff"}\n')])
def test_what_is_no_document_has_no_header(document: bytes) -> None:
    with pytest.raises(PermanentError):
        header_of(document)


def test_a_document_that_was_cut_off_has_no_header() -> None:
    header = QuarantineHeader(
        "r", 27, "s", "b", list(range(5000)), 1, TODAY, datetime(2026, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(PermanentError):
        header_of(pack(header, [])[:40])
