"""Journeys in the field of the query and of its time range."""

import re

from playwright.sync_api import expect

from tests.browser.search_views.account import ORDERS
from tests.browser.search_views.elements import counted, query_is, url_parameters
from tests.browser.visitor import Visitor


def test_the_query_is_completed_coloured_and_remembered(visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.get_by_label("Query")
    field.click()
    page.keyboard.type("serv")
    page.get_by_role("listbox", name="Completions").get_by_role("option", name="service").first.wait_for()
    page.keyboard.press("Tab")
    query_is(visitor, "service:")
    offered = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offered.filter(has_text="payment")).to_have_count(1)
    page.keyboard.type("pay")
    expect(offered).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    query_is(visitor, "service:payment")
    assert page.locator(".colours .tok-field").inner_text() == "service"
    page.keyboard.press("Enter")
    counted(visitor, 2)
    field.fill("")
    page.keyboard.press("Escape")
    field.click()
    page.keyboard.press("ArrowUp")
    query_is(visitor, "service:payment")


def test_a_query_is_formatted_while_it_is_written_and_by_key(visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.get_by_label("Query")
    field.fill("order   AND NOT level:(warn OR error OR fatal)")
    field.press("Alt+Shift+F")
    query_is(visitor, "order -level:>=warn")
    field.press("Control+z")
    query_is(visitor, "order   AND NOT level:(warn OR error OR fatal)")
    field.press("Enter")
    counted(visitor, ORDERS)
    page.keyboard.press("Escape")
    page.locator("body").press("f")
    query_is(visitor, "order -level:>=warn")
    field.fill("order level:errr")
    field.press("Alt+Shift+F")
    expect(page.locator(".colours .wrong-token")).to_have_text("errr")


def test_an_error_is_underlined_at_its_column_and_the_page_stays(visitor: Visitor) -> None:
    visitor.search("order level:errr")
    expect(visitor.page.locator(".colours .wrong-token")).to_have_text("errr")
    assert "expected trace, debug, info" in visitor.page.get_by_role("alert").inner_text()


def test_no_results_say_what_would_match(visitor: Visitor) -> None:
    visitor.search("order level:fatal")
    hint = visitor.page.get_by_role("button", name=f"Without level:fatal: {ORDERS} events")
    hint.click()
    query_is(visitor, "order")
    counted(visitor, ORDERS)


def test_a_range_is_written_in_words_and_shown_in_a_zone_of_choice(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name=re.compile("Last 1 hour")).click()
    page.get_by_label("Time zone").select_option("America/St_Johns")
    words = page.get_by_label("Time in words")
    words.fill("last 2 hours")
    words.press("Enter")
    page.wait_for_url("**/search?from=-2h")
    page.get_by_role("button", name=re.compile(r"UTC-3:30")).click()
    words.fill("2026-11-20 10:00 to 11:00")
    words.press("Enter")
    page.wait_for_url("**from=*")
    expect(page.get_by_text("No events in this range.")).to_be_visible()
    assert url_parameters(visitor) == {
        "from": ["2026-11-20T13:30:00.000Z"],
        "to": ["2026-11-20T14:30:00.000Z"],
    }
    page.get_by_role("button", name=re.compile(r"UTC-3:30")).click()
    page.get_by_label("Time zone").select_option("UTC")
