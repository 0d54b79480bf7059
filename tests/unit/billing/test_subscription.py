"""What is kept of Stripe's objects: which subscription counts, and since when it owes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.billing.subscriptions.subscription import (
    LIVE,
    chosen,
    has_two_subscriptions,
    plan_of,
    snapshot,
)
from tests.unit.billing.things import DAY, NOON, Thing, invoice, price, subscription

DEAD = ["canceled", "incomplete", "incomplete_expired"]


def ended(which: str, at: int) -> Thing:
    return subscription(which, status="canceled", ended_at=at)


def test_a_live_one_counts_before_ended_ones_and_of_those_the_last() -> None:
    old, last, live = ended("sub_1", NOON), ended("sub_2", NOON + DAY), subscription("sub_3")
    found = [old, last, live]
    for _ in range(6):
        random.shuffle(found)
        assert chosen(found) is live
        assert chosen([each for each in found if each is not live]) is last


def test_one_that_never_began_decides_nothing() -> None:
    last = ended("sub_1", NOON)
    for status in ("incomplete", "incomplete_expired"):
        assert chosen([subscription("sub_2", status=status), last]) is last
        assert chosen([subscription("sub_2", status=status)]) is None


def test_of_two_live_ones_the_older_counts_and_the_double_is_seen() -> None:
    older, newer = subscription("sub_9"), subscription("sub_1", created=NOON + 1)
    assert chosen([newer, older]) is older
    assert has_two_subscriptions([newer, older])
    assert not has_two_subscriptions([newer, ended("sub_9", NOON)])


@pytest.mark.parametrize(
    "product", ["prod_other", "astralog_", "astralog_trial", "astralog_gold", "managed_15"]
)
def test_a_price_of_another_product_is_none_of_our_plans(product: str) -> None:
    assert plan_of({"product": product}) is None
    foreign = subscription()
    foreign["items"]["data"][0]["price"] = {**price(), "product": product}
    assert chosen([foreign]) is None


def test_the_plan_is_the_flat_price_s_and_no_metadata_s_nor_a_lookup_key_s() -> None:
    thing = subscription(plan="managed_15", metadata={"plan": "byoc", "tenant": "globex"})
    thing["items"]["data"][0]["price"] |= {"lookup_key": "astralog_byoc_month", "metadata": {"plan": "byoc"}}
    assert snapshot(thing).plan == "managed_15"
    thing["items"]["data"].reverse()
    assert (snapshot(thing).plan, snapshot(thing).meters) == ("managed_15", True)


@pytest.mark.parametrize(
    ("said", "ends_at"),
    [
        ({}, None),
        ({"cancel_at": NOON + DAY}, NOON + DAY),
        ({"cancel_at_period_end": True}, NOON + 30 * DAY),
        ({"cancel_at_period_end": True, "cancel_at": NOON + DAY}, NOON + DAY),
        ({"cancel_at": NOON + DAY, "ended_at": NOON + DAY, "status": "canceled"}, None),
    ],
)
def test_an_end_is_known_whichever_way_stripe_says_it(said: Thing, ends_at: int | None) -> None:
    assert snapshot(subscription(**said)).ends_at == ends_at


def test_it_owes_since_the_first_of_the_payments_in_a_row_that_are_missing() -> None:
    months = [NOON + n * 30 * DAY for n in range(5)]
    invoices = [
        invoice("draft", months[4], status_transitions={"finalized_at": None}),
        invoice("open", months[3], attempt_count=4, next_payment_attempt=months[4]),
        invoice("void", months[2] + DAY),
        invoice("uncollectible", months[2], attempt_count=2),
        invoice("paid", months[1]),
        invoice("open", months[0]),
    ]
    kept = snapshot(subscription(status="past_due"), invoices)
    assert (kept.owes_since, kept.failed_payments, kept.tries_again_at) == (months[2], 6, months[4])


def test_unpaid_without_an_open_invoice_it_owes_since_its_period_began() -> None:
    assert snapshot(subscription(status="unpaid"), [invoice("paid", NOON - DAY)]).owes_since == NOON


@pytest.mark.parametrize("status", sorted(LIVE - {"past_due", "unpaid"}) + DEAD)
def test_who_is_not_past_due_owes_nothing_whatever_is_open(status: str) -> None:
    kept = snapshot(subscription(status=status), [invoice("open", NOON)])
    assert (kept.owes_since, kept.failed_payments, kept.tries_again_at) == (None, 0, None)


things = st.builds(
    lambda which, status, at, created: subscription(
        f"sub_{which}", status=status, created=created, ended_at=at if status == "canceled" else None
    ),
    st.integers(0, 50),
    st.sampled_from([*sorted(LIVE), *DEAD]),
    st.integers(NOON, NOON + 100),
    st.integers(NOON - 3, NOON),
)


@given(st.lists(things, max_size=6, unique_by=lambda each: each["id"]), st.randoms())
def test_the_same_one_is_chosen_in_whatever_order_they_come(found: list[Thing], seed: random.Random) -> None:
    before = chosen(found)
    seed.shuffle(found)
    assert chosen(found) == before
    if any(each["status"] in LIVE for each in found):
        assert before
        assert before["status"] in LIVE
