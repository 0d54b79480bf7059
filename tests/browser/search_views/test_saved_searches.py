"""Journeys of saved searches: by link, by name and by keyboard alone."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.accessibility import scrolls_sideways, violations
from tests.browser.search_views.elements import PHONE_WIDTH, counted, press_by_keyboard, query_is
from tests.browser.visitor import Visitor


def _saved(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog", name="Saved searches")


def test_a_saved_search_is_opened_by_its_short_link_and_by_its_name(
    visitor: Visitor, colleague: Visitor
) -> None:
    page, address = visitor.page, "/search?q=order&from=-6h&view=patterns&column=region&column=took&wrap=1"
    visitor.open(address)
    page.get_by_role("button", name="Save or open").click()
    _saved(visitor).get_by_label("Name", exact=True).fill("Orders by pattern")
    page.keyboard.press("Enter")
    entry = _saved(visitor).get_by_role("listitem").filter(has_text="Orders by pattern")
    entry.get_by_text("Last 6 hours").wait_for()
    assert violations(page) == []
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.stack.api)
    entry.get_by_role("button", name="Copy the link to").click()
    entry.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(re.escape(visitor.stack.api) + "/s/[0-9a-z]{12}", link)
    colleague.page.goto(link)
    colleague.page.wait_for_url("**" + address)
    colleague.page.keyboard.press("Control+k")
    colleague.page.get_by_role("combobox", name="Command").fill("orders by")
    colleague.page.get_by_role("option", name="Open Orders by pattern").click()
    query_is(colleague, "order")
    stranger = Visitor(page, visitor.stack, "reader-of-links@example.org")
    page.context.clear_cookies()
    stranger.join()
    page.goto(link)
    page.get_by_text("This account has no saved search with this link").wait_for()
    stranger.open("/search")
    page.get_by_role("button", name="Save or open").click()
    _saved(stranger).get_by_text("Nothing is saved yet").wait_for()
    page.context.clear_cookies()
    visitor.open("/search")
    visitor.fill_in_sign_in()
    page.get_by_role("navigation", name="Main").wait_for()


def test_by_keyboard_alone_on_a_phone_a_search_is_saved_renamed_replaced_and_deleted(
    visitor: Visitor,
) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 800})
    keyboard.press("s")
    expect(_saved(visitor).get_by_label("Name", exact=True)).to_be_focused()
    keyboard.type("zz mine")
    keyboard.press("Enter")
    _saved(visitor).get_by_text("zz mine is saved.").wait_for()
    assert not scrolls_sideways(page)
    press_by_keyboard(visitor, page.get_by_role("button", name="Rename zz mine"))
    expect(_saved(visitor).get_by_label("New name")).to_be_focused()
    keyboard.press("Control+a")
    keyboard.type("zz yours")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Rename zz yours")).to_be_focused()
    keyboard.press("Escape")
    visitor.search("declined")
    counted(visitor, 1)
    keyboard.press("Escape")
    keyboard.press("s")
    press_by_keyboard(visitor, page.get_by_role("button", name="Replace zz yours"))
    expect(page.get_by_role("button", name="Replace the search")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Replace zz yours")).to_be_focused()
    expect(_saved(visitor).get_by_role("listitem").filter(has_text="zz yours")).to_contain_text("declined")
    press_by_keyboard(visitor, page.get_by_role("button", name="Delete zz yours"))
    expect(page.get_by_role("button", name="Delete the search")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("link", name="zz yours")).to_have_count(0)
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Escape")
    expect(_saved(visitor)).to_have_count(0)
