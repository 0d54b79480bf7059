"""The fake Stripe's own pages, clicked through in Chromium."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import expect

from tests.browser.chromium import PATIENCE_MS, Browser
from tests.browser.elsewhere import Elsewhere, elsewhere
from tests.browser.hands import DECLINED, GOOD, MASTERCARD, NAME, alert, fill_card, press, sections
from tests.fake_stripe.server import CARD, Stripe, fake_stripe_server
from tests.fake_stripe.shop import Plan, buy, checkout, meter, plan, portal
from tests.integration.stack import wait_until


@pytest.fixture
def here() -> Iterator[Stripe]:
    with fake_stripe_server() as made:
        yield made


@pytest.fixture
def small(here: Stripe) -> Plan:
    return plan(here, "Managed, 15 days", 1000, meter(here).id)


@pytest.fixture
def two(here: Stripe) -> tuple[str, str]:
    first, second = (here.api.customers.create({"email": f"{name}@example.com"}).id for name in "ab")
    return first, second


@pytest.fixture
def shop() -> Iterator[Elsewhere]:
    """Where the shop's own pages are."""
    with elsewhere() as site:
        yield site


def leading_to(shop: Elsewhere) -> dict[str, Any]:
    """Where a checkout leads on and back."""
    return {
        "success_url": f"{shop.url}/done?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{shop.url}/left",
    }


def subscriptions(here: Stripe, customer: str) -> list[Any]:
    return here.api.subscriptions.list({"customer": customer, "status": "all"}).data


def test_a_card_that_is_declined_and_one_that_is_good(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser, shop: Elsewhere
) -> None:
    page = browser.page
    page.goto(checkout(here, two[0], small, **leading_to(shop)).url)
    assert "Managed, 15 days: 10.00 USD" in page.inner_text("body")
    fill_card(page, DECLINED)
    press(page, "Subscribe")
    assert alert(page) == "Your card was declined."
    assert page.get_by_label("Name on card").input_value() == NAME
    assert page.get_by_label("Card number").input_value() == ""
    assert subscriptions(here, two[0]) == []
    fill_card(page, GOOD)
    press(page, "Subscribe")
    assert page.url.startswith(f"{shop.url}/done?session=cs_test_")
    assert [each.status for each in subscriptions(here, two[0])] == ["active"]
    assert subscriptions(here, two[1]) == []


class HeldCheckouts:
    """Holds what completes a checkout until it was sent twice, then handles both."""

    def __init__(self) -> None:
        self.arrived = 0
        self._twice = asyncio.Event()

    @web.middleware
    async def hold(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.method == "POST" and request.path.startswith("/pay/"):
            await request.post()  # read in full: the browser closes the first connection
            self.arrived += 1
            if self.arrived == 2:
                self._twice.set()
            await asyncio.wait_for(self._twice.wait(), PATIENCE_MS / 1000)
        return await handler(request)  # type: ignore[no-any-return]


def test_a_button_that_is_pressed_twice_subscribes_once(browser: Browser, shop: Elsewhere) -> None:
    """The second press aborts the navigation of the first, so the test waits for the URL alone."""
    held = HeldCheckouts()
    with fake_stripe_server(held.hold) as here:
        mine, theirs = (here.api.customers.create({"email": f"{name}@example.com"}).id for name in "ab")
        session = checkout(
            here, mine, plan(here, "Managed, 15 days", 1000, meter(here).id), **leading_to(shop)
        )
        browser.page.goto(session.url)
        fill_card(browser.page, GOOD)
        box = browser.page.get_by_role("button", name="Subscribe").bounding_box()
        assert box
        for presses in (1, 2):
            browser.page.mouse.click(box["x"] + 5, box["y"] + 5)
            wait_until(lambda presses=presses: held.arrived == presses, PATIENCE_MS / 1000, "it is sent")
        expect(browser.page).to_have_url(re.compile(re.escape(f"{shop.url}/done")), timeout=PATIENCE_MS)
        again = here.http.post(session.url, data=CARD)
        assert again.headers["Location"] == browser.page.url
        assert len(subscriptions(here, mine)) == 1
        assert subscriptions(here, theirs) == []


def test_a_checkout_says_until_when_a_trial_is_free(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser
) -> None:
    with_trial = checkout(here, two[0], small, subscription_data={"trial_end": 2_000_000_000})
    browser.page.goto(with_trial.url)
    assert "Free until 18 May 2033" in browser.page.inner_text("body")
    browser.page.goto(checkout(here, two[1], small).url)
    assert "Free until" not in browser.page.inner_text("body")


def test_the_portal_shows_plan_card_and_invoices_and_its_buttons_work(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser
) -> None:
    page = browser.page
    mine, theirs = (buy(here, customer, small) for customer in two)
    page.goto(portal(here, two[0]))
    shown = sections(page)
    assert "Status: active" in shown["Managed, 15 days"]
    assert "Visa ending in 4242, expires 12/2040" in shown["Payment method"]
    (invoice,) = (text for heading, text in shown.items() if heading.startswith("Invoice "))
    assert "paid, 0.00 USD due, of 10.00 USD" in invoice

    page.get_by_role("link", name="View").click()
    assert "Managed, 15 days: 10.00 USD" in page.inner_text("body")
    page.go_back()

    press(page, "Cancel plan")
    assert "Ends on" in sections(page)["Managed, 15 days"]
    assert here.api.subscriptions.retrieve(mine.id).cancel_at
    press(page, "Don't cancel plan")
    assert here.api.subscriptions.retrieve(mine.id).cancel_at is None

    fill_card(page, DECLINED)
    press(page, "Save card")
    assert alert(page) == "Your card was declined."
    assert "ending in 4242" in sections(page)["Payment method"]
    fill_card(page, MASTERCARD)
    press(page, "Save card")
    assert "Mastercard ending in 4444" in sections(page)["Payment method"]
    assert here.api.subscriptions.retrieve(theirs.id) == theirs


def test_an_open_invoice_is_paid_on_its_own_page(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser
) -> None:
    late = buy(here, two[0], small)
    here.post_form(portal(here, two[0]), "Save card", **{**CARD, "number": "4000 0000 0000 0341"})
    here.advance(32)
    assert here.api.subscriptions.retrieve(late.id).status == "past_due"
    browser.page.goto(portal(here, two[0]))
    press(browser.page, "Pay now")
    assert alert(browser.page) == "Your card was declined."
    browser.page.get_by_role("link", name="View").first.click()
    fill_card(browser.page, GOOD)
    press(browser.page, "Pay")
    assert "paid, 0.00 USD due" in browser.page.inner_text("body")
    assert here.api.subscriptions.retrieve(late.id).status == "active"


@pytest.mark.parametrize("policy", ["no-referrer", "unsafe-url"])
def test_another_site_can_press_no_button(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser, shop: Elsewhere, policy: str
) -> None:
    """Whether it hides itself, which makes Origin "null", or not."""
    mine = buy(here, two[0], small)
    button = f"{portal(here, two[0])}/cancel"
    shop.pages["/trap"] = (
        f'<meta name="referrer" content="{policy}"><form method="post" action="{button}">'
        f'<input type="hidden" name="subscription" value="{mine.id}"><button>Win a prize</button></form>'
    )
    browser.page.goto(f"{shop.url}/trap")
    press(browser.page, "Win a prize")
    assert "Forms come from the page itself." in browser.page.inner_text("body")
    assert here.api.subscriptions.retrieve(mine.id).cancel_at is None


def test_the_shop_does_not_get_the_address_that_opens_the_portal(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser, shop: Elsewhere
) -> None:
    buy(here, two[0], small)
    browser.page.goto(portal(here, two[0], f"{shop.url}/billing"))
    browser.page.get_by_role("link", name="Return").click()
    browser.page.wait_for_url(f"{shop.url}/billing")
    (returned,) = (request for request in browser.log if request.url == f"{shop.url}/billing")
    assert "referer" not in returned.headers


def test_what_people_are_called_is_text_and_nothing_else(
    here: Stripe, two: tuple[str, str], browser: Browser
) -> None:
    dialogs: list[str] = []
    browser.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    name = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
    buy(here, two[0], plan(here, name, 1000, meter(here).id))
    browser.page.goto(portal(here, two[0]))
    assert name in sections(browser.page)
    assert dialogs == []


def test_no_field_is_wider_than_its_page(
    here: Stripe, small: Plan, two: tuple[str, str], browser: Browser
) -> None:
    browser.page.set_viewport_size({"width": 360, "height": 740})
    browser.page.goto(checkout(here, two[0], small).url)
    assert browser.page.evaluate("document.documentElement.scrollWidth") <= 360
    box = browser.page.get_by_label("Card number").bounding_box()
    label = browser.page.locator("label", has_text="Card number").bounding_box()
    assert box
    assert label
    assert box["x"] + box["width"] <= label["x"] + label["width"] + 0.5
