"""From signing up to cancelling: the money's part in Chromium on Stripe's pages, the rest by our API."""

import time
from collections.abc import Callable

from tests.browser.card_numbers import cards_in
from tests.browser.customer import moment
from tests.browser.walk import DAY, Walk

SECONDS_UNTIL_ACTIVE = 10


def test_who_signs_up_is_on_trial(walk: Walk) -> None:
    billing = walk.seen["signed up"]
    assert (billing["plan"], billing["status"], billing["accepting"]) == ("trial", "none", True)


def test_a_declined_card_says_so_and_changes_nothing(walk: Walk) -> None:
    assert walk.shown["declined"] == "Your card was declined."
    assert walk.seen["declined"] == walk.seen["signed up"]


def test_a_good_card_makes_the_plan_active_within_seconds(
    walk: Walk, record_property: Callable[[str, object], None]
) -> None:
    record_property("seconds_until_active", walk.seconds_until_active)
    print(f"the plan is active {walk.seconds_until_active:.2f} s after the button is pressed")
    billing = walk.seen["subscribed"]
    assert walk.seconds_until_active <= SECONDS_UNTIL_ACTIVE
    assert (billing["plan"], billing["status"], billing["accepting"]) == ("managed_30", "trialing", True)
    assert walk.shown["subscribed"] == f"{walk.stack.api}/billing?checkout=done"
    assert walk.shown["log"] == 202


def test_what_is_left_of_the_trial_stays_free_and_then_the_plan_is_paid(walk: Walk) -> None:
    assert abs(moment(walk.seen["subscribed"]["trial_ends_at"]) - time.time() - 14 * DAY) < 3600
    assert walk.seen["trial over"]["status"] == "active"
    invoices = [text for heading, text in walk.shown["portal"].items() if heading.startswith("Invoice ")]
    assert ["of 39.00 USD" in invoices[0], "of 0.00 USD" in invoices[1], len(invoices)] == [True, True, 2]
    assert all("paid, 0.00 USD due" in text for text in invoices)


def test_the_portal_shows_plan_payment_method_and_invoices(walk: Walk) -> None:
    shown = walk.shown["portal"]
    assert "Status: active" in shown["AstraLog Managed, 30 days"]
    assert "Visa ending in 4242, expires 12/2040" in shown["Payment method"]
    assert [text for heading, text in shown.items() if heading.startswith("Invoice ")]


def test_a_downgrade_is_there_at_once_here_and_at_stripe(walk: Walk) -> None:
    billing = walk.seen["downgraded"]
    assert (billing["plan"], billing["status"], billing["accepting"]) == ("managed_15", "active", True)
    assert "AstraLog Managed, 15 days" in walk.shown["downgraded"]
    assert "AstraLog Managed, 30 days" not in walk.shown["downgraded"]


def test_cancelled_in_the_portal_it_runs_to_the_end_of_what_is_paid(walk: Walk) -> None:
    billing = walk.seen["cancelled"]
    assert "Ends on" in walk.shown["cancelled"]["AstraLog Managed, 15 days"]
    assert billing["ends_at"] == billing["accepts_until"]
    paid_days = (moment(billing["ends_at"]) - moment(walk.seen["subscribed"]["trial_ends_at"])) / DAY
    assert 28 <= paid_days <= 31
    assert (billing["plan"], billing["status"], billing["accepting"]) == ("managed_15", "active", True)
    assert walk.shown["last log"] == 202


def test_who_stands_beside_sees_nothing_of_it(walk: Walk) -> None:
    assert walk.seen["bystander after"] == walk.seen["bystander before"]
    assert walk.seen["bystander before"]["plan"] == "trial"


def test_only_stripe_gets_the_card_number(walk: Walk) -> None:
    """By the browser's own log of its requests, of which some went to us."""
    with_card = [request for request in walk.log if cards_in(request.text.encode())]
    assert {(request.method, request.origin) for request in with_card} == {("POST", walk.stack.stripe)}
    assert len(with_card) == 2
    assert {request.origin for request in walk.log} == {walk.stack.stripe, walk.stack.api}
