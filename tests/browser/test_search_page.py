"""Journeys on the search page: find a line, narrow by its values, share it, on a phone and by keyboard."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import scrolls_sideways, violations
from tests.browser.chromium import Browser
from tests.browser.seeded import send_to_drain
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack, wait_until
from tests.integration.test_rights import invoke

LINES = 1200
SCROLLED_SECONDS = 60
HOSTILE = "<img src=x onerror='window.broken = 1'> \x1b[31mred\x1b[0m \u202eevil\u200b"
TRACEBACK = "Traceback (most recent call last):\n  File 'shop.py', line 3\nValueError: 42"


@pytest.fixture(scope="module")
def owner(opened: Browser, stack: RunningStack) -> Visitor:
    """A person whose account has LINES lines; signed in, in the module's browser."""
    visitor = Visitor(opened.context.new_page(), stack, "searcher@example.org")
    visitor.join()
    key = visitor.create_first_key()
    send_to_drain(stack, key, _lines())
    visitor.page.close()
    return visitor


@pytest.fixture
def visitor(browser: Browser, owner: Visitor) -> Visitor:
    """The owner in a window of its own, on the search page, with all lines."""
    visitor = Visitor(browser.page, owner.stack, owner.email)
    visitor.open("/search")
    visitor.page.get_by_role("option").first.wait_for()
    return visitor


def _lines() -> list[dict[str, object]]:
    now = time.time()
    special = [
        {"message": HOSTILE, "service": "hostile", "level": "error"},
        {"message": TRACEBACK, "service": "shop", "level": "fatal"},
        {
            "message": "payment 567831 declined by the bank",
            "service": "payment",
            "level": "error",
            "trace_id": "716bc6d521f31dc3a1331812f3d220dd",
            "metadata": {"order": 567831, "amount": {"cents": 20017}, "big": 12345678901234567890},
        },
    ]
    ordinary = [
        {
            "message": f"request {number} answered",
            "service": "web",
            "level": "info",
            "timestamp": now - number / 10,
        }
        for number in range(LINES - len(special))
    ]
    return [*special, *ordinary]


def _lines_shown(visitor: Visitor, count: int) -> None:
    """Wait until the status line says that `count` events were found, and the list has them."""
    visitor.page.get_by_role("status").get_by_text(re.compile(rf"^{count:,} events?")).wait_for()
    lines = visitor.page.get_by_role("listbox", name="Log lines").get_by_role("option")
    expect(lines).to_have_count(count)


def test_a_line_is_found_opened_and_narrowed_by_its_values(visitor: Visitor) -> None:
    visitor.search('"declined by the bank"')
    _lines_shown(visitor, 1)
    line = visitor.page.get_by_role("option")
    assert line.locator("mark").inner_text() == "declined by the bank"
    line.click()
    event = visitor.page.get_by_role("complementary", name="Event")
    assert "12345678901234567890" in event.inner_text(), "digits are kept"
    event.get_by_role("button", name="Include @order 567831").click()
    visitor.page.wait_for_url("**/search?q=*order*")
    _lines_shown(visitor, 1)
    assert visitor.page.get_by_label("Query").input_value() == '"declined by the bank" @order:567831'
    visitor.page.go_back()
    visitor.page.wait_for_function(
        "document.querySelector('[aria-label=Query]').value === '\"declined by the bank\"'"
    )


def test_excluding_a_value_leaves_everything_else(visitor: Visitor) -> None:
    visitor.search("-service:web")
    _lines_shown(visitor, 3)
    visitor.page.get_by_role("option").filter(has_text="Traceback").click()
    event = visitor.page.get_by_role("complementary", name="Event")
    event.get_by_role("button", name="Exclude service shop").click()
    _lines_shown(visitor, 2)
    assert visitor.page.get_by_label("Query").input_value() == "-service:web -service:shop"


def test_hostile_text_is_shown_and_never_run(visitor: Visitor) -> None:
    visitor.search("service:hostile")
    _lines_shown(visitor, 1)
    line = visitor.page.get_by_role("option")
    assert "<img src=x onerror='window.broken = 1'>" in line.inner_text()
    line.click()
    event = visitor.page.get_by_role("complementary", name="Event")
    assert "<img src=x" in event.inner_text()
    event.get_by_role("tab", name="JSON").click()
    assert "<img src=x" in event.inner_text()
    assert visitor.page.evaluate("window.broken ?? 0") == 0
    assert visitor.page.locator(".rows img, .event img").count() == 0


def test_a_message_of_several_lines_says_how_many_follow(visitor: Visitor) -> None:
    visitor.search("level:fatal")
    _lines_shown(visitor, 1)
    line = visitor.page.get_by_role("option")
    assert "+2 lines" in line.inner_text()
    line.click()
    assert "ValueError: 42" in visitor.page.get_by_role("complementary", name="Event").inner_text()


def test_a_wrong_query_points_at_its_column(visitor: Visitor) -> None:
    visitor.search("level:error (service:web")
    pointed = visitor.page.get_by_role("alert").locator("pre")
    query, pointer = pointed.inner_text().split("\n")
    assert query == "level:error (service:web"
    assert pointer.strip() == "^"


def test_scrolling_loads_every_line_and_keeps_few_of_them_in_the_page(visitor: Visitor) -> None:
    rows = visitor.page.get_by_role("listbox", name="Log lines")
    last = visitor.page.get_by_role("option").filter(has_text=f"request {LINES - 4} answered")

    def reached_the_end() -> bool:
        rows.evaluate("element => element.scrollTo(0, element.scrollHeight)")
        visitor.page.wait_for_timeout(100)
        return last.count() > 0

    wait_until(reached_the_end, SCROLLED_SECONDS, "the last line is loaded")
    assert visitor.page.get_by_role("option").count() < 150


def test_by_keyboard_alone_a_line_is_found_and_opened(visitor: Visitor) -> None:
    keyboard = visitor.page.keyboard
    keyboard.press("/")
    keyboard.type("service:payment OR service:shop")
    keyboard.press("Enter")
    _lines_shown(visitor, 2)
    keyboard.press("Escape")
    keyboard.press("j")
    keyboard.press("j")
    keyboard.press("k")
    assert visitor.page.get_by_role("option").first.get_attribute("aria-selected") == "true"
    keyboard.press("Enter")
    visitor.page.get_by_role("complementary", name="Event").wait_for()
    keyboard.press("Escape")
    assert visitor.page.get_by_role("complementary", name="Event").count() == 0
    keyboard.press("?")
    visitor.page.get_by_role("dialog", name="Keys").wait_for()


def test_by_keyboard_the_events_of_a_query_are_exported_and_downloaded(visitor: Visitor) -> None:
    """Opened from the palette; a stranger's account has none of it."""
    page, keyboard = visitor.page, visitor.page.keyboard
    visitor.search("service:payment OR service:shop | stats count()")
    keyboard.press("Escape")
    page.locator("body").press("Control+k")
    keyboard.type("export the events")
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Export events")
    dialog.get_by_text("At most").wait_for()
    assert "service:payment OR service:shop" in dialog.inner_text()
    assert "stats" not in dialog.inner_text()
    dialog.get_by_label("Format").select_option("ndjson")
    dialog.get_by_label("Compression").select_option("none")
    dialog.get_by_role("button", name="Export", exact=True).focus()
    keyboard.press("Enter")
    dialog.get_by_role("row").filter(has_text=re.compile("requested|running|ready")).wait_for()
    invoke(visitor.stack, "search-exporter")
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="Download").click()
    lines = downloading.value.path().read_text().splitlines()
    assert sorted(json.loads(line)["service"] for line in lines) == ["payment", "shop"]
    assert downloading.value.suggested_filename.endswith(".ndjson")
    dialog.get_by_role("button", name="Download").press("Escape")
    dialog.wait_for(state="detached")
    page.evaluate("document.activeElement.blur()")
    keyboard.press("x")
    dialog.get_by_role("cell", name="ndjson").first.wait_for()
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert not scrolls_sideways(page)


def test_on_a_phone_the_event_is_a_sheet_and_nothing_scrolls_sideways(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.search("service:payment")
    _lines_shown(visitor, 1)
    visitor.page.get_by_role("option").click()
    box = visitor.page.get_by_role("complementary", name="Event").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_completions_leave_the_search_button_free(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.page.get_by_label("Query").fill("567831 or s")
    visitor.page.get_by_role("listbox", name="Completions").wait_for()
    visitor.page.get_by_role("button", name="Search", exact=True).click(timeout=5_000)


def test_a_shared_link_shows_the_same_search_to_a_colleague_and_nothing_to_another_account(
    visitor: Visitor,
) -> None:
    visitor.search("service:payment")
    _lines_shown(visitor, 1)
    link, page = visitor.page.url, visitor.page
    page.context.clear_cookies()
    page.goto(link)
    visitor.fill_in_sign_in()
    _lines_shown(visitor, 1)
    assert "567831" in page.get_by_role("option").inner_text()
    page.context.clear_cookies()
    Visitor(page, visitor.stack, "stranger@example.org").join()
    page.goto(link)
    page.get_by_text("No event matches in this range").wait_for()
    assert "567831" not in page.content()
    page.context.clear_cookies()
    visitor.open("/search")
    visitor.fill_in_sign_in()
