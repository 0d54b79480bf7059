"""Parameters, prices, shares, periods and card numbers, for generated values."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from fake_stripe import money, params, periods
from fake_stripe.cards import passes_luhn

NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
TREES = st.recursive(
    st.text(max_size=8),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, TREES, max_size=5))
def test_what_the_sdk_encodes_is_decoded_to_the_same(tree: dict[str, Any]) -> None:
    form = str(httpx.QueryParams([(key, value) for key, value in _api_encode(tree)]))
    assert params.decode(form) == tree


@given(st.integers(0, 10**7), st.lists(st.tuples(st.integers(1, 10**5), st.integers(0, 10**4)), max_size=4))
def test_graduated_tiers_cost_what_their_units_cost_one_by_one(
    quantity: int, steps: list[tuple[int, int]]
) -> None:
    bounds = [sum(size for size, _ in steps[: n + 1]) for n in range(len(steps))] + [None]
    units = [cents for _, cents in steps] + [3]
    tiers = [
        {"up_to": bound, "unit_amount_decimal": str(unit), "flat_amount_decimal": None}
        for bound, unit in zip(bounds, units, strict=True)
    ]
    price = {"billing_scheme": "tiered", "tiers_mode": "graduated"}
    parts = money.parts(price, tiers, quantity)
    assert sum(part.units for part in parts) == quantity
    edges = [0, *(min(quantity, bound) for bound in bounds if bound is not None), quantity]
    expected = sum((b - a) * unit for a, b, unit in zip(edges, edges[1:], units, strict=False))
    assert sum(part.amount for part in parts) == expected


@given(st.integers(0, 10**6), st.integers(0, 1000), st.integers(1, 1000), st.integers(-50, 2100))
def test_a_share_never_exceeds_the_whole_and_both_shares_make_it(
    amount: int, start: int, length: int, at: int
) -> None:
    rest = money.share(amount, start, start + length, at)
    assert 0 <= rest <= amount
    exact = Decimal(amount) * (start + length - min(max(at, start), start + length)) / length
    assert abs(rest - exact) <= Decimal("0.5")


@given(st.integers(0, 4 * 10**9), st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 6))
def test_periods_follow_on_each_other_without_a_gap(anchor: int, interval: str, count: int) -> None:
    bounds = [periods.step(anchor, interval, count, n) for n in range(6)]
    assert bounds == sorted(set(bounds))
    for before, after in pairwise(bounds):
        assert periods.next_boundary(anchor, interval, count, before) == after
        assert periods.next_boundary(anchor, interval, count, after - 1) == after


@given(st.text("0123456789", min_size=11, max_size=18), st.integers(1, 9))
def test_a_wrong_digit_fails_the_check(digits: str, by: int) -> None:
    (right,) = [f"{digits}{n}" for n in range(10) if passes_luhn(f"{digits}{n}")]
    wrong = str((int(right[0]) + by) % 10) + right[1:]
    assert not passes_luhn(wrong)
