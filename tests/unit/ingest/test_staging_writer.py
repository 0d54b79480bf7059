"""Staged once under an Idempotency-Key: at the same moment, past midnight, and for 24 hours."""

from datetime import UTC, datetime, timedelta

import pytest
from obstore.store import MemoryStore

from functions.ingest.idempotency import IdempotencyKey
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.contract import Bucket, BucketRefusedError, BucketUnavailableError, ObjectBody
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import HttpError
from functions.shared.events.package import Package
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import is_staged
from functions.shared.tenancy import TenantId

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


def receipt(received_at: datetime, tenant: str = "acme") -> ReceiptContext:
    return ReceiptContext(TenantId(tenant), "default", received_at, 30)


def package(rows: int = 2) -> Package:
    return Package(b"frames", rows, 100)


def once(key: str = "key", body: bytes = b"body") -> IdempotencyKey:
    sent = IdempotencyKey(key)
    assert list(sent.reading(iter((body,)))) == [body]
    return sent


def staged(bucket: Bucket) -> list[str]:
    return sorted(each.key for each in bucket.under("") if is_staged(each.key))


@pytest.fixture
def bucket() -> PlatformBucket:
    return PlatformBucket(MemoryStore())


@pytest.fixture
def staging(bucket: PlatformBucket) -> StagingWriter:
    return StagingWriter(bucket)


def test_without_a_key_each_request_is_a_batch_of_its_own(
    staging: StagingWriter, bucket: PlatformBucket
) -> None:
    keys = {staging.put(package(), receipt(NOON)) for _ in range(5)}
    assert len(keys) == 5
    assert staged(bucket) == sorted(keys)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=13), DAY - MOMENT])
def test_a_key_used_again_within_24_hours_is_the_same_batch(
    staging: StagingWriter, bucket: PlatformBucket, later: timedelta
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    assert staging.put_once(package(), receipt(NOON + later), once()) == first
    assert staged(bucket) == [first]


def test_a_key_used_again_after_midnight_is_the_same_batch(
    staging: StagingWriter, bucket: PlatformBucket
) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    first = staging.put_once(package(), receipt(midnight - MOMENT), once())
    assert "/day=2026-11-23/" in first
    assert staging.put_once(package(), receipt(midnight), once()) == first
    assert staged(bucket) == [first]


def test_a_key_used_again_after_24_hours_is_a_new_batch_for_another_24(
    staging: StagingWriter, bucket: PlatformBucket
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    second = staging.put_once(package(3), receipt(NOON + DAY), once(body=b"other"))
    assert second != first
    assert staging.put_once(package(3), receipt(NOON + 2 * DAY - MOMENT), once(body=b"other")) == second
    assert staged(bucket) == sorted([first, second])


def test_two_who_find_a_key_too_old_around_midnight_stage_one_batch(
    staging: StagingWriter, bucket: PlatformBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    first = staging.put_once(package(), receipt(midnight - 2 * DAY), once())
    others: list[str] = []
    get = bucket.get

    def get_while_another_stages(key: str) -> ObjectBody | None:
        found = get(key)
        if not others:
            others.append("under way")
            others[0] = staging.put_once(package(), receipt(midnight - MOMENT), once())
        return found

    monkeypatch.setattr(bucket, "get", get_while_another_stages)
    second = staging.put_once(package(), receipt(midnight), once())
    assert [second] == others
    assert staged(bucket) == sorted([first, second])


@pytest.mark.parametrize(
    ("rows", "body"), [(2, b"another body"), (3, b"body")], ids=["another-body", "another-count"]
)
def test_a_key_used_for_another_batch_is_refused(
    staging: StagingWriter, bucket: PlatformBucket, rows: int, body: bytes
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    with pytest.raises(HttpError) as refusal:
        staging.put_once(package(rows), receipt(NOON), once(body=body))
    assert (refusal.value.status, refusal.value.code) == (409, "idempotency_key_reused")
    assert staged(bucket) == [first]


def test_tenants_do_not_share_keys(staging: StagingWriter, bucket: PlatformBucket) -> None:
    keys = [staging.put_once(package(), receipt(NOON, tenant), once()) for tenant in ("acme", "globex")]
    assert staged(bucket) == sorted(keys)
    assert len(set(keys)) == 2


def test_an_attempt_that_died_after_its_mark_is_taken_up_by_the_next(
    staging: StagingWriter, bucket: PlatformBucket
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    bucket.delete([first])
    assert staging.put_once(package(), receipt(NOON + timedelta(minutes=1)), once()) == first
    assert staged(bucket) == [first]


@pytest.mark.parametrize("fault", [BucketUnavailableError("SlowDown"), BucketRefusedError("NoSuchBucket")])
@pytest.mark.parametrize("broken", ["create", "etag_of", "get"])
def test_whatever_a_bucket_does_not_do_is_answered_503_and_journaled_by_its_reason(
    staging: StagingWriter,
    bucket: PlatformBucket,
    broken: str,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_arguments: object) -> None:
        raise fault

    first = staging.put_once(package(), receipt(NOON), once())
    monkeypatch.setattr(bucket, broken, fails)
    with pytest.raises(HttpError) as refusal:
        staging.put_once(package(), receipt(NOON), once())
    assert (refusal.value.status, refusal.value.code) == (503, "staging_unavailable")
    assert f'"error_type":"{fault.args[0].removeprefix("S3: ")}"' in capsys.readouterr().out
    assert not staging.wait_until_loaded(first, 0.2)


def test_a_mark_that_vanishes_while_it_is_read_is_answered_503(
    staging: StagingWriter, bucket: PlatformBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging.put_once(package(), receipt(NOON), once())
    monkeypatch.setattr(bucket, "get", lambda _key: None)
    with pytest.raises(HttpError) as refusal:
        staging.put_once(package(), receipt(NOON), once())
    assert refusal.value.status == 503
