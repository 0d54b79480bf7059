"""Batches: every object in exactly one, whatever their order, and none too large."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId
from functions.sync import plan as planning
from functions.sync.notifications import StagedObject
from functions.sync.plan import (
    BULK_BYTES,
    BULK_ROWS,
    MANAGED,
    MAX_BULK_RAW_BYTES,
    MAX_BYTES,
    MAX_OBJECTS,
    MAX_RAW_BYTES,
    MAX_ROWS,
    is_bulk,
    plan,
    rows_of,
)


def staged(
    number: int, tenant: str = "acme", rows: int = 1, size: int = 100, expires_day: int = 1, raw: int = 300
) -> StagedObject:
    key = StagedKey(
        TenantId(tenant), date(2026, 11, 23), time_ordered_id(number), rows, raw, date(2026, 12, expires_day)
    )
    return StagedObject(str(key), f"etag{number}", size)


objects = st.lists(
    st.builds(
        staged,
        st.integers(0, 10**6),
        st.sampled_from(["acme", "globex"]),
        st.integers(1, 2 * MAX_ROWS),
        st.integers(1, 2 * MAX_BYTES),
        st.integers(1, 3),
        st.integers(1, 2 * MAX_RAW_BYTES),
    ),
    max_size=60,
)


@given(objects, st.randoms())
def test_every_object_is_in_exactly_one_batch(some: list[StagedObject], chance: random.Random) -> None:
    manifests = plan(some)
    members = [each.key for manifest in manifests for each in manifest.objects]
    assert sorted(members) == sorted({each.key for each in some})
    shuffled = some + some[: len(some) // 2]
    chance.shuffle(shuffled)
    assert {manifest.batch_id for manifest in plan(shuffled)} == {manifest.batch_id for manifest in manifests}


@given(objects)
def test_a_batch_has_one_expiry_day_and_keeps_the_limits(some: list[StagedObject]) -> None:
    for manifest in plan(some):
        assert {StagedKey.parse(each.key).expires_on for each in manifest.objects} == {manifest.expires_on}
        if len(manifest.objects) > 1:
            assert len(manifest.objects) <= MAX_OBJECTS
            assert sum(each.size_bytes for each in manifest.objects) <= MAX_BYTES
            assert rows_of(manifest.objects) <= MAX_ROWS
            assert raw_bytes_of(manifest) <= MAX_RAW_BYTES


def raw_bytes_of(manifest: planning.Manifest) -> int:
    return sum(StagedKey.parse(each.key).raw_bytes for each in manifest.objects)


def test_rows_that_shrink_to_a_thousandth_are_not_one_batch_of_gigabytes() -> None:
    """The parts of a Parquet bomb have 16 MB of rows in 20 KB each; a thousand were one insert of 16 GB."""
    parts = [staged(number, "flood", 160, size=20_000, raw=16_000_000) for number in range(MAX_OBJECTS)]
    small = [staged(number, f"t{number}", 10, size=1_000, raw=9_000_000) for number in range(MAX_OBJECTS)]
    for some, most in ((parts, MAX_BULK_RAW_BYTES), (small, MAX_RAW_BYTES)):
        manifests = plan(some)
        sizes = [raw_bytes_of(each) for each in manifests]
        assert max(sizes) <= most
        assert min(sizes[:-1]) > most - 16_000_000, "each is full"
    large = [staged(number, raw=2 * MAX_RAW_BYTES) for number in range(3)]
    assert len(plan(large)) == 3, "an object above the limit is alone"


@pytest.mark.parametrize(("rows", "raw"), [(50_000, 300), (100, 10_000_000)], ids=["many rows", "large rows"])
def test_the_rows_of_a_small_tenant_are_not_in_the_batch_of_a_large_one_and_are_loaded_first(
    rows: int, raw: int
) -> None:
    """One batch had both, and a request waited for the insert of a million rows of another tenant."""
    flood = [staged(number, "flood", rows, raw=raw) for number in range(30)]
    small = [staged(1000 + number, tenant, 20) for number, tenant in enumerate(("acme", "globex"))]
    first, *others = plan([*flood, *small])
    assert list(first.objects) == small, "which are younger"
    assert [each.key for manifest in others for each in manifest.objects] == [each.key for each in flood]


def test_small_tenants_come_first_on_every_expiry_day() -> None:
    some = [
        staged(day, tenant, rows, expires_day=day)
        for day in (1, 2)
        for tenant, rows in (("acme", planning.BULK_ROWS // 2), ("globex", planning.BULK_ROWS // 2 + 1))
    ]
    tenants = [{StagedKey.parse(each.key).tenant for each in manifest.objects} for manifest in plan(some)]
    assert tenants == [{"acme"}, {"acme"}, {"globex"}, {"globex"}], "both days of a tenant count together"


def test_many_small_objects_of_many_tenants_share_a_batch() -> None:
    some = [staged(number, f"tenant-{number % 50}") for number in range(MAX_OBJECTS)]
    assert len(plan(some)) == 1
    assert len(plan([*some, staged(MAX_OBJECTS)])) == 2


def test_a_batch_is_known_by_its_members_and_their_order() -> None:
    one, two, three = staged(1), staged(2), staged(3)
    manifest = planning.Manifest("managed", date(2026, 12, 1), (one, two))
    assert manifest.batch_id == planning.Manifest("managed", date(2026, 12, 1), (one, two)).batch_id
    others = [
        planning.Manifest("managed", date(2026, 12, 1), (two, one)),
        planning.Manifest("managed", date(2026, 12, 1), (one, three)),
        planning.Manifest("other", date(2026, 12, 1), (one, two)),
        planning.Manifest("managed", date(2026, 12, 2), (one, two)),
        planning.Manifest("managed", date(2026, 12, 1), (StagedObject(one.key, "changed", 1), two)),
    ]
    assert len({manifest.batch_id, *(other.batch_id for other in others)}) == 6


@given(objects)
def test_what_is_not_kept_apart_has_little_of_each_tenant(some: list[StagedObject]) -> None:
    for manifest in plan(some):
        keys = [StagedKey.parse(each.key) for each in manifest.objects]
        of_tenant = [[key for key in keys if key.tenant == tenant] for tenant in {key.tenant for key in keys}]
        little = all(
            sum(key.rows for key in own) <= BULK_ROWS and sum(key.raw_bytes for key in own) <= BULK_BYTES
            for own in of_tenant
        )
        assert is_bulk(MANAGED, manifest.objects) is not little
        assert not is_bulk(manifest.batch_id, manifest.objects), "a destination of one tenant"


@pytest.mark.parametrize("few", [staged(1, rows=1), staged(1, "globex", rows=BULK_ROWS)])
def test_bulk_of_one_tenant_is_in_no_batch_with_few_rows_of_another(few: StagedObject) -> None:
    bulk = [staged(number, "flood", rows=BULK_ROWS) for number in range(2, 5)]
    first, *others = plan([*bulk, few])
    assert first.objects == (few,)
    assert [is_bulk(MANAGED, each.objects) for each in (first, *others)] == [False, True]
