"""What a batch's members come to, and what of a customer's own keys is believed."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.batch_usage import SHARDS, UsageShare, packed, shard_of, unpacked
from functions.shared.errors import PermanentError
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.tenancy import TenantId, own_destination, owner_of
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED
from functions.sync.usage_shares import MAX_TRUSTED_BYTES, MAX_TRUSTED_ROWS, usage_of

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DAY = date(2026, 11, 23)
SIZE = 200

tenants = st.sampled_from([ACME, GLOBEX, TenantId("initech")])
days = st.integers(0, 3).map(lambda number: DAY + timedelta(number))
numbers = st.integers(1, 10**6)


def staged(
    tenant: TenantId, rows: int, raw_bytes: int, day: date = DAY, *, size: int = SIZE, number: int = 1
) -> StagedObject:
    key = StagedKey(tenant, day, base32(number << 80), rows, raw_bytes, day + timedelta(30))
    return StagedObject(str(key), "etag", size)


@given(st.lists(st.tuples(tenants, days, numbers, numbers)))
def test_every_row_and_byte_of_the_members_is_in_one_share(
    members: list[tuple[TenantId, date, int, int]],
) -> None:
    objects = [
        staged(tenant, rows, raw, day, number=at) for at, (tenant, day, rows, raw) in enumerate(members)
    ]
    shares = usage_of(MANAGED, objects)

    rows, sizes = Counter[tuple[TenantId, date]](), Counter[tuple[TenantId, date]]()
    for tenant, day, count, raw_bytes in members:
        rows[tenant, day] += count
        sizes[tenant, day] += raw_bytes
    assert {(each.tenant, each.day): each.rows for each in shares} == rows
    assert {(each.tenant, each.day): each.raw_bytes for each in shares} == sizes
    assert list(shares) == sorted(shares, key=lambda each: (each.tenant, each.day))
    assert usage_of(MANAGED, reversed(objects)) == shares
    assert unpacked(packed(shares)) == shares


def test_a_key_that_names_another_tenant_is_the_bucket_owners_to_pay() -> None:
    forged = [staged(GLOBEX, 5, 500), staged(ACME, 1, 300, number=2)]

    assert usage_of(own_destination(ACME), forged) == (UsageShare(ACME, DAY, 6, 800),)
    assert {each.tenant for each in usage_of(MANAGED, forged)} == {ACME, GLOBEX}


def test_a_key_that_says_less_than_the_object_weighs_counts_what_it_weighs() -> None:
    own = own_destination(ACME)
    assert usage_of(own, [staged(ACME, 1, 1, size=4_000_000)]) == (UsageShare(ACME, DAY, 1, 4_000_000),)
    assert usage_of(MANAGED, [staged(ACME, 1, 1, size=4_000_000)]) == (UsageShare(ACME, DAY, 1, 1),)


def test_a_key_that_says_the_impossible_breaks_no_sum() -> None:
    """DynamoDB's numbers have 38 digits, and one batch that cannot be counted would hold up all."""
    (share,) = usage_of(own_destination(ACME), [staged(ACME, 10**40, 10**50), staged(ACME, 1, 1, number=2)])
    assert share == UsageShare(ACME, DAY, MAX_TRUSTED_ROWS + 1, MAX_TRUSTED_BYTES + SIZE)


def test_what_is_no_staged_object_is_no_usage() -> None:
    with pytest.raises(PermanentError):
        usage_of(MANAGED, [StagedObject("staged/v1/something", "etag", 1)])


def test_a_destination_names_its_owner() -> None:
    assert owner_of(own_destination(ACME)) == ACME
    assert owner_of(MANAGED) is None


def test_batches_are_spread_over_all_shards() -> None:
    assert {shard_of(f"{first:x}" + "0" * 31) for first in range(16)} == set(SHARDS)
