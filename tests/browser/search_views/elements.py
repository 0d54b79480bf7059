"""What tests look for on the pages of a search."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor

PHONE_WIDTH = 390
MOST_TABS = 60
FEW = frozenset({1, 2})
"""Counts of lines that are all in the page, which keeps only those that are seen."""


def counted(visitor: Visitor, count: int | None = None) -> str:
    """The status line, once it has the exact count: this one, or any. FEW lines are in the list, too."""
    wanted = "[0-9,]+" if count is None else f"{count:,}"
    status = visitor.page.locator(".status .count")
    expect(status).to_contain_text(re.compile(rf"^{wanted} events? "))
    if count is not None and count in FEW:
        expect(visitor.page.get_by_role("listbox", name="Log lines").get_by_role("option")).to_have_count(
            count
        )
    return status.inner_text().split(" ")[0]


def query_is(visitor: Visitor, query: str) -> None:
    expect(visitor.page.get_by_label("Query")).to_have_value(query)


def event_panel(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("complementary", name="Event")


def fields_panel(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("complementary", name="Fields")


def url_parameters(visitor: Visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query, keep_blank_values=True)


def press_by_keyboard(visitor: Visitor, button: Locator) -> None:
    """Press Tab until the button has the focus, then Enter."""
    button.wait_for()
    for _ in range(MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            visitor.page.keyboard.press("Enter")
            return
    raise AssertionError(f"{MOST_TABS} tabs do not reach {button}")
