"""A customer's whole way with money, walked once: what was seen on it, for tests to look at."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.browser.chromium import Browser, LoggedRequest
from tests.browser.customer import Customer
from tests.browser.hands import DECLINED, GOOD, alert, fill_card, press, sections
from tests.integration.stack import RunningStack, wait_until

PATIENCE_SECONDS = 30
DAY = 86_400

Billing = dict[str, Any]


@dataclass
class Walk:
    """What was seen on the way.

    `seen`: step -> what GET /v1/billing said, to the subscriber or to the bystander. `shown`: step -> what
    Stripe's pages showed. `log`: every request of the browser's.
    """

    stack: RunningStack
    subscriber: Customer
    bystander: Customer
    seen: dict[str, Billing] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    log: list[LoggedRequest] = field(default_factory=list)
    seconds_until_active: float = 0.0

    def waits_for(self, step: str, plan: str, status: str) -> None:
        """Ask until the subscriber has this plan in this status."""
        self.waits_until(step, lambda billing: (billing["plan"], billing["status"]) == (plan, status))

    def waits_until(self, step: str, holds: Callable[[Billing], bool]) -> None:
        """Ask for the subscriber's billing until `holds`; what was said then is `seen` as `step`."""

        def looks() -> bool:
            self.seen[step] = self.subscriber.billing()
            return holds(self.seen[step])

        wait_until(looks, PATIENCE_SECONDS, step)


def walked(stack: RunningStack, browser: Browser) -> Walk:
    """Sign up, have a card declined, subscribe, see the portal, downgrade, cancel."""
    walk = Walk(stack, Customer(stack), Customer(stack))
    walk.seen["signed up"] = walk.subscriber.billing()
    walk.seen["bystander before"] = walk.bystander.billing()
    _subscribe(walk, browser)
    moved = httpx.post(f"{stack.stripe}/_clock", json={"advance_seconds": 15 * DAY})
    assert moved.status_code == 200
    walk.waits_for("trial over", "managed_30", "active")
    _use_the_portal(walk, browser)
    walk.seen["bystander after"] = walk.bystander.billing()
    walk.log = browser.log
    return walk


def _subscribe(walk: Walk, browser: Browser) -> None:
    page = browser.page
    page.goto(walk.subscriber.checkout("managed_30"))
    fill_card(page, DECLINED)
    press(page, "Subscribe")
    walk.shown["declined"] = alert(page)
    walk.seen["declined"] = walk.subscriber.billing()
    fill_card(page, GOOD)
    pressed_at = time.monotonic()
    press(page, "Subscribe")
    walk.waits_for("subscribed", "managed_30", "trialing")
    walk.seconds_until_active = time.monotonic() - pressed_at
    walk.shown["subscribed"] = page.url
    walk.shown["log"] = walk.subscriber.sends_a_log("the first of a paying customer")


def _use_the_portal(walk: Walk, browser: Browser) -> None:
    page = browser.page
    page.goto(walk.subscriber.portal())
    walk.shown["portal"] = sections(page)
    walk.subscriber.ask("POST", "/v1/billing/plan", {"plan": "managed_15"})
    walk.waits_for("downgraded", "managed_15", "active")
    page.reload()
    walk.shown["downgraded"] = sections(page)
    press(page, "Cancel plan")
    walk.shown["cancelled"] = sections(page)
    walk.waits_until("cancelled", lambda billing: billing["ends_at"] is not None)
    walk.shown["last log"] = walk.subscriber.sends_a_log("taken until the end")
    page.get_by_role("link", name="Return").click()
    page.wait_for_url(f"{walk.stack.api}/**")
