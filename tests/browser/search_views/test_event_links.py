"""Journeys from a search to an event, its context and trace, and by a link to another person."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import scrolls_sideways
from tests.browser.chromium import Browser
from tests.browser.search_views.account import ORDERS, TRACE
from tests.browser.search_views.elements import (
    PHONE_WIDTH,
    counted,
    event_panel,
    fields_panel,
    press_by_keyboard,
    query_is,
)
from tests.browser.visitor import Visitor


def _assert_sees_the_event(colleague: Visitor, link: str, query: str) -> None:
    """The link shows the same search with the same open event."""
    colleague.page.goto(link)
    counted(colleague, 1)
    query_is(colleague, query)
    expect(event_panel(colleague)).to_contain_text("payment 567831 declined by the bank")


@pytest.mark.parametrize("width", [1280, PHONE_WIDTH], ids=["desktop", "phone"])
def test_from_a_search_by_facets_context_and_trace_to_a_link_that_a_colleague_opens(
    visitor: Visitor, colleague: Visitor, width: int
) -> None:
    page = visitor.page
    page.set_viewport_size({"width": width, "height": 800})
    visitor.search("payment OR order")
    counted(visitor, ORDERS + 1)
    if width == PHONE_WIDTH:
        page.locator("summary", has_text="Fields").click()
    fields_panel(visitor).get_by_role("button", name="Exclude service checkout").click()
    query_is(visitor, "(payment OR order) -service:checkout")
    counted(visitor, ORDERS // 2 + 1)
    fields_panel(visitor).get_by_role("button", name="Include level error").click()
    counted(visitor, 1)
    page.get_by_role("option").click()
    event_panel(visitor).get_by_role("tab", name="Context").click()
    context = event_panel(visitor).locator(".context-line")
    expect(context).to_have_count(2)
    expect(context.first).to_contain_text("asking the bank")
    event_panel(visitor).get_by_role("button", name="All", exact=True).click()
    expect(context.filter(has_text="POST /pay began")).to_have_count(1)
    assert not scrolls_sideways(page)
    link = page.url
    event_panel(visitor).get_by_role("button", name="Same trace").click()
    page.get_by_role("heading", name="Trace").wait_for()
    expect(page.get_by_role("list", name="Spans").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("option")).to_have_count(4)
    page.get_by_role("list", name="Spans").get_by_role("button", name="payment").click()
    expect(page.get_by_role("option")).to_have_count(2)
    assert not scrolls_sideways(page)
    _assert_sees_the_event(colleague, link, "(payment OR order) -service:checkout level:error")


def test_by_keyboard_alone_from_a_facet_to_a_link_that_a_colleague_opens(
    visitor: Visitor, colleague: Visitor
) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.stack.api)
    keyboard.press("/")
    keyboard.type("payment OR order")
    keyboard.press("Enter")
    counted(visitor, ORDERS + 1)
    keyboard.press("Escape")
    fields = fields_panel(visitor)
    keyboard.press("/")
    press_by_keyboard(visitor, fields.get_by_role("button", name="Exclude service checkout"))
    expect(fields.get_by_role("button", name="Include service checkout")).to_have_count(0)
    keyboard.press("/")
    press_by_keyboard(visitor, fields.get_by_role("button", name="Include level error"))
    query_is(visitor, "(payment OR order) -service:checkout level:error")
    counted(visitor, 1)
    keyboard.press("j")
    keyboard.press("c")
    expect(event_panel(visitor).locator(".context-line")).to_have_count(2)
    keyboard.press("y")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('event=')")
    link = page.evaluate("navigator.clipboard.readText()")
    keyboard.press("t")
    page.get_by_role("heading", name="Trace").wait_for()
    colleague.page.goto(link)
    expect(event_panel(colleague)).to_contain_text("payment 567831 declined by the bank")


def test_another_account_sees_neither_the_event_nor_the_trace_of_a_link(
    visitor: Visitor, browser: Browser
) -> None:
    page = visitor.page
    visitor.search("declined")
    counted(visitor, 1)
    page.get_by_role("option").click()
    page.wait_for_url("**event=*")
    with browser.another() as other:
        stranger = Visitor(other.page, visitor.stack, "stranger-to-the-viewer@example.org")
        stranger.join()
        other.page.goto(page.url)
        other.page.get_by_text("There is no event with this id.").wait_for()
        stranger.open(f"/trace/{TRACE}")
        other.page.get_by_text("No event of this account has this trace").wait_for()
        assert "567831" not in other.page.content()


def test_by_keyboard_alone_from_the_query_to_context_trace_and_the_live_page(visitor: Visitor) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    keyboard.press("/")
    keyboard.type("declined")
    keyboard.press("Enter")
    counted(visitor, 1)
    keyboard.press("Escape")
    keyboard.press("j")
    keyboard.press("c")
    page.get_by_role("tab", name="Context", selected=True).wait_for()
    expect(event_panel(visitor).locator(".context-line")).to_have_count(2)
    keyboard.press("e")
    query_is(visitor, "declined -service:payment")
    page.go_back()
    counted(visitor, 1)
    keyboard.press("j")
    keyboard.press("t")
    page.get_by_role("heading", name="Trace").wait_for()
    keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").wait_for()
    keyboard.type("go live")
    keyboard.press("Enter")
    page.wait_for_url("**/live")
