"""Data left with us after a move to BYOC is deleted step by step, and not while it may be in use."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from obstore.store import MemoryStore

from functions.retention import byoc_leftovers
from functions.retention.byoc_leftovers import A_TENANT_SECONDS, UNDER_WAY, delete_leftovers
from functions.shared.buckets.contract import ListedObject
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.tenancy import TenantId, checkpoint_prefix, dropin_prefix, staged_prefix
from functions.shared.turns import TurnClock

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
PUT_AT = datetime(2026, 11, 24, tzinfo=UTC)
LATER = datetime.now(UTC) + timedelta(days=1)
SLOW_SECONDS = 5


class Files:
    """A drop bucket with these keys."""

    name = "drop"

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)

    def under(self, prefix: str) -> Iterator[ListedObject]:
        return iter([ListedObject(each, "etag", 1, PUT_AT) for each in self.keys if each.startswith(prefix)])

    def delete(self, file: DroppedFile) -> None:
        assert file == DroppedFile("drop", file.key, "etag", 1)
        self.keys.remove(file.key)


def staging(*keys: str) -> PlatformBucket:
    bucket = PlatformBucket(MemoryStore())
    for key in keys:
        bucket.create(key, b"x")
    return bucket


def test_what_is_staged_and_what_is_anothers_stays() -> None:
    kept = [f"{staged_prefix(ACME)}x", f"{checkpoint_prefix(GLOBEX)}x"]
    bucket, files = staging(f"{checkpoint_prefix(ACME)}x", *kept), Files(f"{dropin_prefix(GLOBEX)}x")
    assert delete_leftovers(bucket, files, [ACME], LATER) == 1
    assert sorted(each.key for each in bucket.under("")) == sorted(kept)
    assert files.keys == [f"{dropin_prefix(GLOBEX)}x"]


def test_a_file_that_was_just_put_is_left_to_its_reader() -> None:
    files = Files(f"{dropin_prefix(ACME)}x")
    assert delete_leftovers(staging(), files, [ACME], PUT_AT + UNDER_WAY) == 0
    assert delete_leftovers(staging(), files, [ACME], PUT_AT + UNDER_WAY + timedelta(seconds=1)) == 1


def test_more_than_a_step_holds_goes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byoc_leftovers, "KEYS_A_STEP", 2)
    bucket = staging(
        *(f"{checkpoint_prefix(tenant)}{number}" for tenant in (ACME, GLOBEX) for number in range(5))
    )
    assert delete_leftovers(bucket, Files(), [ACME, GLOBEX], LATER) == 10
    assert list(bucket.under("")) == []


def test_where_time_runs_out_the_next_run_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byoc_leftovers, "KEYS_A_STEP", 2)
    bucket = staging(*(f"{checkpoint_prefix(ACME)}{number}" for number in range(5)))
    files = Files(*(f"{dropin_prefix(ACME)}{number}" for number in range(3)))
    turns = iter([True, True, False, *[False] * 9])
    assert delete_leftovers(bucket, files, [ACME], LATER, lambda: next(turns)) == 4
    assert delete_leftovers(bucket, files, [ACME], LATER) == 4


def test_what_one_has_left_takes_no_more_than_its_share_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of them is first."""
    files = Slow(*(f"{dropin_prefix(ACME)}{number:03}" for number in range(100)), f"{dropin_prefix(GLOBEX)}x")
    monkeypatch.setattr(
        byoc_leftovers, "TurnClock", lambda run_left: TurnClock(run_left, lambda: files.seconds)
    )
    assert delete_leftovers(staging(), files, [ACME, GLOBEX], LATER) == A_TENANT_SECONDS / SLOW_SECONDS + 1
    assert f"{dropin_prefix(GLOBEX)}x" not in files.keys


class Slow(Files):
    """Takes SLOW_SECONDS for each file, of a clock of its own."""

    seconds = 0.0

    def delete(self, file: DroppedFile) -> None:
        self.seconds += SLOW_SECONDS
        super().delete(file)
