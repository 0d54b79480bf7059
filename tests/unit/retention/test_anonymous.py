"""Telemetry is anonymous: no name, no small group, and nothing by subtraction."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.retention.anonymous import (
    FIELDS,
    LARGEST_SHARE,
    MIN_TENANTS,
    OTHER,
    SERVICE,
    VOLUME,
    WITHHELD,
    FunctionHealth,
    TenantUsage,
    allowed,
    document,
    encoded,
    may_be_shown,
    publishable_groups,
    two_digits,
)
from functions.shared.errors import PermanentError
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId

DAY = date(2026, 11, 23)
INGEST = FunctionHealth("ingest", 123_456, 12.3, 45.6, 78.9, 0.00123, 0.0456)

some_plans = st.sampled_from([*PLANS, "enterprise-of-acme", "custom@acme.example"])


def used(number: int, plan: str = "managed_15", rows: int = 1000, raw_bytes: int = 400_000) -> TenantUsage:
    return TenantUsage(TenantId(f"tenant-{number}"), plan, rows, raw_bytes)


@st.composite
def fifty(draw: st.DrawFn) -> list[TenantUsage]:
    """Up to fifty tenants whose ids are in none of our words and figures.

    Mostly of a few plans and alike in what they use, for of tenants who have nothing in common no group is
    ever shown; `test_the_examples_are_of_all_kinds` sees to that.
    """
    suffix = draw(st.from_regex(r"[0-9a-z_-]{4,20}", fullmatch=True))
    count, chance = draw(st.sampled_from([50, 50, 50, 30, 10, 9, 0])), Random(draw(st.integers(0, 2**64)))
    plans = draw(st.lists(some_plans, unique=True, min_size=1, max_size=4))
    least, most = draw(st.sampled_from([(50_000, 10**6), (50_000, 10**6), (0, 3), (0, 10**12)]))

    def amount() -> int:
        return chance.randint(least, most)

    shares = [chance.choice([1, 1, 5]) for _ in plans]
    return [
        TenantUsage(TenantId(f"zq{number}{suffix}"), *chance.choices(plans, shares), amount(), amount())
        for number in range(count)
    ]


def test_the_examples_are_of_all_kinds() -> None:
    """Or what is said of them below would be said of documents in which nothing is shown.

    Of 300 examples, at least 23 were of each kind for any of 48 seeds. Which are drawn cannot be fixed:
    Hypothesis takes constants from the modules that were imported before.
    """
    kinds: Counter[str] = Counter()

    @settings(database=None, derandomize=True, max_examples=300)
    @given(fifty())
    def look(some: list[TenantUsage]) -> None:
        groups = publishable_groups([each for each in some if each.rows and each.raw_bytes])
        kinds["several" if len(groups) > 1 else "one" if groups else "none"] += 1
        kinds["folded beside another"] += len(groups) > 1 and OTHER in groups

    look()
    assert min(kinds[kind] for kind in ("none", "one", "several", "folded beside another")) >= 3, kinds


@given(fifty())
def test_the_document_names_no_tenant(some: list[TenantUsage]) -> None:
    """Neither an id, nor a plan made for one customer, nor the exact figures of one tenant."""
    text = encoded(document(some, [INGEST], DAY)).decode()
    for each in some:
        assert each.tenant not in text
        assert each.plan in PLANS or each.plan not in text
        for amount in (each.rows, each.raw_bytes):
            if two_digits(amount) != amount:
                assert f":{amount}," not in text
                assert f":{amount}}}" not in text


@given(fifty())
def test_no_group_is_small_or_made_of_one_and_no_tenant_is_left_out(some: list[TenantUsage]) -> None:
    """Every tenant is in a group that is shown, or none is: there is nothing to subtract."""
    active = [each for each in some if each.rows and each.raw_bytes]
    groups = publishable_groups(active)
    for group in groups.values():
        assert len(group) >= MIN_TENANTS
        assert max(each.rows for each in group) <= LARGEST_SHARE * sum(each.rows for each in group)
        assert may_be_shown(group)
    shown = Counter(each.tenant for group in groups.values() for each in group)
    assert shown in (Counter(each.tenant for each in active), Counter())
    if not groups:
        assert not may_be_shown(active)
    assert set(groups) <= {*PLANS, OTHER}


@given(fifty(), st.randoms())
def test_the_order_of_tenants_makes_no_difference(some: list[TenantUsage], chance: object) -> None:
    mixed = sorted(some, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert document(mixed, [INGEST], DAY) == document(some, [INGEST], DAY)


@given(fifty())
def test_every_line_has_the_fields_on_the_list_and_no_others(some: list[TenantUsage]) -> None:
    for line in map(json.loads, encoded(document(some, [INGEST], DAY)).splitlines()):
        assert line.keys() == FIELDS[line["kind"]]
        assert line["day"] == "2026-11-23"


def test_fifty_tenants_of_three_plans() -> None:
    some = [used(number, ("managed_15", "managed_30", "byoc")[number % 3]) for number in range(50)]
    lines = document(some, [INGEST], DAY)
    assert [line for line in lines if line["kind"] == VOLUME] == [
        {
            "kind": VOLUME,
            "day": "2026-11-23",
            "group": plan,
            "tenants": n,
            "rows": n * 1000,
            "bytes": n * 400_000,
        }
        for plan, n in (("byoc", 16), ("managed_15", 17), ("managed_30", 17))
    ]


def test_a_group_of_nine_is_folded_together_with_the_smallest_of_the_others() -> None:
    """Alone it would follow from what is missing, for a reader who knows the total from elsewhere."""
    some = [used(number, "byoc") for number in range(9)]
    some += [used(number, "managed_15") for number in range(100, 130)]
    some += [used(number, "managed_30") for number in range(200, 212)]
    assert {name: len(group) for name, group in publishable_groups(some).items()} == {
        "managed_15": 30,
        OTHER: 21,
    }


def test_two_small_groups_that_are_enough_together_leave_the_others_as_they_are() -> None:
    some = [used(number, "byoc") for number in range(5)] + [used(number, "trial") for number in range(10, 15)]
    some += [used(number, "managed_15") for number in range(100, 130)]
    assert {name: len(group) for name, group in publishable_groups(some).items()} == {
        "managed_15": 30,
        OTHER: 10,
    }


def test_who_stored_nothing_makes_no_group_larger() -> None:
    some = [used(number) for number in range(9)] + [
        used(number, rows=0, raw_bytes=0) for number in range(20, 90)
    ]
    assert document(some, [INGEST], DAY) == [
        {"kind": WITHHELD, "day": "2026-11-23", "what": VOLUME},
        {"kind": WITHHELD, "day": "2026-11-23", "what": SERVICE},
    ]


def test_a_group_that_is_nearly_all_one_tenant_s_is_not_shown() -> None:
    some = [used(number) for number in range(20)] + [used(99, rows=10**9, raw_bytes=10**9)]
    lines = document(some, [INGEST], DAY)
    assert lines[0] == {"kind": WITHHELD, "day": "2026-11-23", "what": VOLUME}
    assert lines[1]["kind"] == SERVICE, "how fast the service was reveals no tenant's volume"


@given(st.integers(0, 10**15))
def test_two_digits_are_all_there_is(number: int) -> None:
    rounded = str(two_digits(number))
    assert rounded[2:] in ("", "0" * len(rounded[2:]))
    assert abs(two_digits(number) - number) <= number / 20


def test_a_field_that_is_not_on_the_list_stops_it_all() -> None:
    with pytest.raises(PermanentError, match="tenant_id"):
        allowed({"kind": VOLUME, "tenant_id": "acme"})


def test_the_page_about_telemetry_lists_every_field() -> None:
    page = Path("docs/telemetry.md").read_text()
    reported = {line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")}
    assert reported == set.union(*map(set, FIELDS.values()))
