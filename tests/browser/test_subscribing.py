"""From signing up to cancelling: the money's part in Chromium on Stripe's pages, the rest by our API."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.browser.card_numbers import cards_in
from tests.browser.chromium import Asked, Browser, chromium
from tests.browser.customer import Customer, moment
from tests.browser.hands import DECLINED, GOOD, alert, fill_card, press, sections
from tests.integration.stack import RunningStack, running_stack, wait_until

SECONDS_UNTIL_ACTIVE = 10
PATIENCE_SECONDS = 30
DAY = 86_400

Billing = dict[str, Any]


@dataclass
class Walk:
    """What was seen on the way: of the subscriber step by step, of the bystander before and after."""

    stack: RunningStack
    subscriber: Customer
    bystander: Customer
    seen: dict[str, Billing] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    seconds_until_active: float = 0.0

    def waits_for(self, step: str, holds: Callable[[Billing], bool]) -> None:
        """Ask for the subscriber's billing until `holds`; what was said then is `seen` as `step`."""

        def looks() -> bool:
            self.seen[step] = self.subscriber.billing()
            return holds(self.seen[step])

        wait_until(looks, PATIENCE_SECONDS, step)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The whole way, once, in a stack of its own: Stripe's clock is moved in it."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        walk = Walk(stack, Customer(stack), Customer(stack))
        with chromium(tmp_path_factory.mktemp("profile")) as browser:
            _walk(walk, browser)
            walk.log = browser.log
        yield walk


def _walk(walk: Walk, browser: Browser) -> None:
    page, subscriber = browser.page, walk.subscriber
    walk.seen["signed up"], walk.seen["bystander before"] = subscriber.billing(), walk.bystander.billing()

    page.goto(subscriber.checkout("managed_30"))
    fill_card(page, DECLINED)
    press(page, "Subscribe")
    walk.shown["declined"] = alert(page)
    walk.seen["declined"] = subscriber.billing()

    fill_card(page, GOOD)
    pressed_at = time.monotonic()
    press(page, "Subscribe")
    walk.waits_for("subscribed", lambda billing: _has(billing, "managed_30", "trialing"))
    walk.seconds_until_active = time.monotonic() - pressed_at
    walk.shown["subscribed"] = page.url
    walk.shown["log"] = subscriber.sends_a_log("the first of a paying customer")

    httpx.post(f"{walk.stack.stripe}/_clock", json={"advance_seconds": 15 * DAY}).raise_for_status()
    walk.waits_for("trial over", lambda billing: _has(billing, "managed_30", "active"))

    page.goto(subscriber.portal())
    walk.shown["portal"] = sections(page)

    subscriber.ask("POST", "/v1/billing/plan", {"plan": "managed_15"})
    walk.waits_for("downgraded", lambda billing: _has(billing, "managed_15", "active"))
    page.reload()
    walk.shown["downgraded"] = sections(page)

    press(page, "Cancel plan")
    walk.shown["cancelled"] = sections(page)
    walk.waits_for("cancelled", lambda billing: billing["ends_at"] is not None)
    walk.shown["last log"] = subscriber.sends_a_log("taken until the end")
    page.get_by_role("link", name="Return").click()
    page.wait_for_url(f"{walk.stack.api}/**")
    walk.seen["bystander after"] = walk.bystander.billing()


def _has(billing: Billing, plan: str, status: str) -> bool:
    return (billing["plan"], billing["status"]) == (plan, status)


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


def test_the_card_is_told_to_stripe_alone(walk: Walk) -> None:
    """By the browser's own log of its requests, of which some went to us."""
    told = [asked for asked in walk.log if cards_in(asked.whole.encode())]
    assert {(asked.method, asked.origin) for asked in told} == {("POST", walk.stack.stripe)}
    assert len(told) == 2
    assert {asked.origin for asked in walk.log} == {walk.stack.stripe, walk.stack.api}
