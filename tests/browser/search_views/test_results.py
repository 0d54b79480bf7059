"""Journeys on what a search shows: histogram, fields, tables, patterns, live tail; and its accessibility."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import keyboard_trap, scrolls_sideways, violations
from tests.browser.search_views.account import ORDERS, TRACE, Owner
from tests.browser.search_views.elements import (
    PHONE_WIDTH,
    counted,
    event_panel,
    fields_panel,
    query_is,
    url_parameters,
)
from tests.browser.visitor import Visitor


def test_the_histogram_zooms_by_dragging_and_by_keyboard_and_back_is_instant(visitor: Visitor) -> None:
    page, total = visitor.page, counted(visitor)
    plot = page.get_by_role("group", name=re.compile("Events over time"))
    box = plot.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.8, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, y, steps=4)
    expect(plot.get_by_role("status")).to_contain_text("all")
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    shown = page.locator(".status .count b")
    expect(shown).not_to_have_text(total)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.go_back()
    expect(shown).to_have_text(total)
    assert [url for url in requests if url.endswith("/v1/search")] == []
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    expect(plot.get_by_role("status")).to_contain_text("to")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=*to=*")


def test_a_facet_narrows_widens_and_becomes_a_column_that_a_reload_keeps(visitor: Visitor) -> None:
    fields = fields_panel(visitor)
    eu = fields.get_by_role("button", name="Include @region eu")
    eu.click()
    query_is(visitor, "@region:eu")
    expect(eu).to_have_attribute("aria-pressed", "true")
    eu.click()
    query_is(visitor, "")
    fields.get_by_role("button", name="Column region").click()
    visitor.page.get_by_role("button", name="Wrap").click()
    visitor.page.reload()
    counted(visitor)
    assert url_parameters(visitor) == {"column": ["region"], "wrap": ["1"]}
    assert visitor.page.locator(".line-head").inner_text().split() == ["Time", "Service", "region", "Message"]
    fields.get_by_label("Find a field").fill("tok")
    expect(fields.get_by_text("No field has this name")).to_be_visible()


def test_numbers_have_their_middle_and_ends(visitor: Visitor) -> None:
    summary = fields_panel(visitor).locator(".facet", has_text="@took").locator(".summary")
    expect(summary).to_have_text("p50 120 · p95 228 · max 239")


def test_a_query_with_pipes_makes_a_table(visitor: Visitor) -> None:
    visitor.search("order | stats count() as n by service | sort -n")
    table = visitor.page.get_by_role("region", name="Table")
    table.get_by_role("row").nth(2).wait_for()
    assert table.inner_text().split() == ["service", "n", "checkout", "120", "web", "120"]


def test_patterns_group_messages_and_show_their_lines(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Patterns").click()
    pattern = visitor.page.get_by_role("listitem").filter(has_text="order <*> shipped")
    pattern.get_by_role("button", name="Show").click()
    counted(visitor, ORDERS)
    expect(visitor.page.get_by_role("option").nth(10)).to_be_visible()


def test_live_shows_an_event_when_it_is_stored_and_stays_while_the_person_reads(
    visitor: Visitor, owner: Owner
) -> None:
    page = visitor.page
    page.get_by_role("link", name="Live", exact=True).first.click()
    page.get_by_role("option").first.wait_for()
    visitor.send_log(owner.key, "a live one")
    page.get_by_role("option").filter(has_text="a live one").wait_for()
    assert page.get_by_role("option").last.inner_text().endswith("a live one")
    page.get_by_role("listbox", name="Log lines").hover()
    page.mouse.wheel(0, -800)
    page.get_by_text("Paused: the lines stay").wait_for()
    visitor.send_log(owner.key, "another one")
    page.get_by_role("button", name="1 new event").click()
    page.get_by_role("option").filter(has_text="another one").wait_for()
    page.get_by_label("Query").fill("level:error declined")
    page.keyboard.press("Enter")
    page.get_by_role("option").filter(has_text="declined by the bank").wait_for()
    expect(page.get_by_role("option")).to_have_count(1)


def test_hostile_text_is_shown_and_never_run(visitor: Visitor) -> None:
    for query, count in (("service:hostile", 1), ("service:long", 1)):
        visitor.search(query)
        counted(visitor, count)
        visitor.page.get_by_role("option").click()
        event_panel(visitor).wait_for()
    assert "Show the other" in event_panel(visitor).inner_text()
    visitor.search("service:hostile")
    line = visitor.page.get_by_role("option")
    expect(line).to_contain_text("<img src=x onerror='window.broken = 1'> red·[2J U+202EevilU+200B")
    expect(line.locator(".ansi-red")).to_have_text("red")
    assert visitor.page.evaluate("window.broken ?? 0") == 0
    assert visitor.page.locator(".rows img, .event img").count() == 0


def test_signing_out_leaves_no_query_and_no_event(visitor: Visitor) -> None:
    visitor.search("declined")
    counted(visitor, 1)
    visitor.page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()
    assert visitor.page.evaluate("sessionStorage.length") == 0
    assert "declined" not in visitor.page.content()
    visitor.fill_in_sign_in()
    visitor.page.get_by_role("navigation", name="Main").wait_for()


VIEWS = {
    "lines and an event": "/search?q=declined",
    "patterns": "/search?view=patterns&compare=1",
    "a table": "/search?q=*+%7C+stats+count()+by+service",
    "nothing": "/search?q=nowhere",
    "an error": "/search?q=(",
    "a trace": f"/trace/{TRACE}",
    "live": "/live",
}


def _shows(page: Page, view: str) -> None:
    """Wait until the view has what it is for."""
    match view:
        case "patterns":
            page.get_by_role("listitem").filter(has_text="order <*> shipped").wait_for()
        case "a table":
            page.get_by_role("region", name="Table").get_by_role("row").nth(2).wait_for()
        case "nothing":
            page.get_by_text("No event matches in this range").wait_for()
        case "an error":
            page.get_by_role("alert").first.wait_for()
            return
        case "a trace":
            expect(page.get_by_role("list", name="Spans").get_by_role("listitem")).to_have_count(2)
        case _:
            page.get_by_role("option").first.wait_for()
    expect(page.get_by_text("Loading…")).to_have_count(0)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_holds_wcag_on_a_desktop_and_a_phone(visitor: Visitor, view: str) -> None:
    page = visitor.page
    for width in (1280, PHONE_WIDTH):
        page.set_viewport_size({"width": width, "height": 800})
        visitor.open(VIEWS[view])
        _shows(page, view)
        if view == "lines and an event":
            page.get_by_role("option").click()
            event_panel(visitor).wait_for()
        assert violations(page) == []
        assert not scrolls_sideways(page)
    assert keyboard_trap(page) is None
