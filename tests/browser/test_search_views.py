"""Journeys on the views of a search: histogram, fields, context, trace, live tail, patterns, tables."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import keyboard_trap, scrolls_sideways, violations
from tests.browser.chromium import Browser
from tests.browser.seeded import send_to_drain
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack

TRACE = "716bc6d521f31dc3a1331812f3d220dd"
ORDERS = 240
LONG = "x" * 1_000_000
HOSTILE = "<img src=x onerror='window.broken = 1'> \x1b[31mred\x1b[0m\x1b[2J \u202eevil\u200b"
PHONE_WIDTH = 390
MOST_TABS = 60
FEW = frozenset({1, 2})
"""Counts of lines that are all in the page, which keeps only those that are seen."""


@dataclass(frozen=True)
class Owner:
    """An account with events; `key` sends more of them."""

    email: str
    key: str


@pytest.fixture(scope="module")
def owner(opened: Browser, stack: RunningStack) -> Owner:
    """Signed in, in the module's browser."""
    visitor = Visitor(opened.context.new_page(), stack, "viewer@example.org")
    visitor.join()
    made = visitor.create_first_key()
    send_to_drain(stack, made, _events())
    visitor.page.close()
    return Owner(visitor.email, made)


@pytest.fixture
def visitor(browser: Browser, stack: RunningStack, owner: Owner) -> Visitor:
    """The owner in a window of its own, on the search page, with all counts."""
    visitor = Visitor(browser.page, stack, owner.email)
    visitor.page.set_viewport_size({"width": 1280, "height": 800})
    visitor.open("/search")
    _counted(visitor)
    return visitor


def _events() -> list[dict[str, object]]:
    now = time.time()
    special: list[dict[str, object]] = [
        {"message": HOSTILE, "service": "hostile", "level": "warn", "timestamp": now - 2},
        {"message": LONG, "service": "long", "level": "warn", "timestamp": now - 3},
    ]
    traced: list[dict[str, object]] = [
        {
            "message": message,
            "service": service,
            "level": level,
            "timestamp": now - 60 + at,
            "trace_id": TRACE,
            "span_id": span,
            "metadata": {"order": 567831, "duration_ms": 40},
        }
        for at, (service, span, level, message) in enumerate(
            (
                ("web", "a1", "info", "POST /pay began"),
                ("payment", "b2", "info", "asking the bank"),
                ("payment", "b2", "error", "payment 567831 declined by the bank"),
                ("web", "a1", "info", "POST /pay answered 402"),
            )
        )
    ]
    orders: list[dict[str, object]] = [
        {
            "message": f"order {number} shipped",
            "service": ("checkout", "web")[number % 2],
            "level": ("info", "debug")[number % 3 == 0],
            "timestamp": now - 70 - number * 10,
            "metadata": {"region": ("eu", "us")[number % 4 == 0], "took": number},
        }
        for number in range(ORDERS)
    ]
    return [*special, *traced, *orders]


def _counted(visitor: Visitor, count: int | None = None) -> str:
    """The status line, once it has the exact count: this one, or any. FEW lines are in the list, too."""
    wanted = "[0-9,]+" if count is None else f"{count:,}"
    status = visitor.page.locator(".status .count")
    expect(status).to_contain_text(re.compile(rf"^{wanted} events? "))
    if count is not None and count in FEW:
        expect(visitor.page.get_by_role("listbox", name="Log lines").get_by_role("option")).to_have_count(
            count
        )
    return status.inner_text().split(" ")[0]


def _query_is(visitor: Visitor, query: str) -> None:
    expect(visitor.page.get_by_label("Query")).to_have_value(query)


def _event(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("complementary", name="Event")


def _fields(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("complementary", name="Fields")


def _address(visitor: Visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query, keep_blank_values=True)


@pytest.fixture(scope="module")
def colleague(opened: Browser, stack: RunningStack, owner: Owner) -> Iterator[Visitor]:
    """Another window: another session of the same account."""
    with opened.another() as other:
        visitor = Visitor(other.page, stack, owner.email)
        visitor.open("/search")
        visitor.fill_in_sign_in()
        yield visitor


def _assert_sees_the_event(colleague: Visitor, link: str, query: str) -> None:
    """The link shows the same search with the same open event."""
    colleague.page.goto(link)
    _counted(colleague, 1)
    _query_is(colleague, query)
    expect(_event(colleague)).to_contain_text("payment 567831 declined by the bank")


@pytest.mark.parametrize("width", [1280, PHONE_WIDTH], ids=["desktop", "phone"])
def test_from_a_search_by_facets_context_and_trace_to_a_link_that_a_colleague_opens(
    visitor: Visitor, colleague: Visitor, width: int
) -> None:
    page = visitor.page
    page.set_viewport_size({"width": width, "height": 800})
    visitor.search("payment OR order")
    _counted(visitor, ORDERS + 1)
    if width == PHONE_WIDTH:
        page.locator("summary", has_text="Fields").click()
    _fields(visitor).get_by_role("button", name="Exclude service checkout").click()
    _query_is(visitor, "(payment OR order) -service:checkout")
    _counted(visitor, ORDERS // 2 + 1)
    _fields(visitor).get_by_role("button", name="Include level error").click()
    _counted(visitor, 1)
    page.get_by_role("option").click()
    _event(visitor).get_by_role("tab", name="Context").click()
    context = _event(visitor).locator(".context-line")
    expect(context).to_have_count(2)
    expect(context.first).to_contain_text("asking the bank")
    _event(visitor).get_by_role("button", name="All", exact=True).click()
    expect(context.filter(has_text="POST /pay began")).to_have_count(1)
    assert not scrolls_sideways(page)
    link = page.url
    _event(visitor).get_by_role("button", name="Same trace").click()
    page.get_by_role("heading", name="Trace").wait_for()
    expect(page.get_by_role("list", name="Spans").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("option")).to_have_count(4)
    page.get_by_role("list", name="Spans").get_by_role("button", name="payment").click()
    expect(page.get_by_role("option")).to_have_count(2)
    assert not scrolls_sideways(page)
    _assert_sees_the_event(colleague, link, "(payment OR order) -service:checkout level:error")


def _press_by_keyboard(visitor: Visitor, button: Locator) -> None:
    """Press Tab until the button has the focus, then Enter."""
    button.wait_for()
    for _ in range(MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            visitor.page.keyboard.press("Enter")
            return
    raise AssertionError(f"{MOST_TABS} tabs do not reach {button}")


def test_by_keyboard_alone_from_a_facet_to_a_link_that_a_colleague_opens(
    visitor: Visitor, colleague: Visitor
) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.stack.api)
    keyboard.press("/")
    keyboard.type("payment OR order")
    keyboard.press("Enter")
    _counted(visitor, ORDERS + 1)
    keyboard.press("Escape")
    fields = _fields(visitor)
    keyboard.press("/")
    _press_by_keyboard(visitor, fields.get_by_role("button", name="Exclude service checkout"))
    expect(fields.get_by_role("button", name="Include service checkout")).to_have_count(0)
    keyboard.press("/")
    _press_by_keyboard(visitor, fields.get_by_role("button", name="Include level error"))
    _query_is(visitor, "(payment OR order) -service:checkout level:error")
    _counted(visitor, 1)
    keyboard.press("j")
    keyboard.press("c")
    expect(_event(visitor).locator(".context-line")).to_have_count(2)
    keyboard.press("y")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('event=')")
    link = page.evaluate("navigator.clipboard.readText()")
    keyboard.press("t")
    page.get_by_role("heading", name="Trace").wait_for()
    colleague.page.goto(link)
    expect(_event(colleague)).to_contain_text("payment 567831 declined by the bank")


def test_another_account_sees_neither_the_event_nor_the_trace_of_a_link(
    visitor: Visitor, browser: Browser
) -> None:
    page = visitor.page
    visitor.search("declined")
    _counted(visitor, 1)
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


def test_the_histogram_zooms_by_dragging_and_by_keyboard_and_back_is_instant(visitor: Visitor) -> None:
    page, total = visitor.page, _counted(visitor)
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
    fields = _fields(visitor)
    eu = fields.get_by_role("button", name="Include @region eu")
    eu.click()
    _query_is(visitor, "@region:eu")
    expect(eu).to_have_attribute("aria-pressed", "true")
    eu.click()
    _query_is(visitor, "")
    fields.get_by_role("button", name="Column region").click()
    visitor.page.get_by_role("button", name="Wrap").click()
    visitor.page.reload()
    _counted(visitor)
    assert _address(visitor) == {"column": ["region"], "wrap": ["1"]}
    assert visitor.page.locator(".line-head").inner_text().split() == ["Time", "Service", "region", "Message"]
    fields.get_by_label("Find a field").fill("tok")
    expect(fields.get_by_text("No field has this name")).to_be_visible()


def test_numbers_have_their_middle_and_ends(visitor: Visitor) -> None:
    summary = _fields(visitor).locator(".facet", has_text="@took").locator(".summary")
    expect(summary).to_have_text("p50 120 · p95 228 · max 239")


def test_the_query_is_completed_coloured_and_remembered(visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.get_by_label("Query")
    field.click()
    page.keyboard.type("serv")
    page.get_by_role("listbox", name="Completions").get_by_role("option", name="service").first.wait_for()
    page.keyboard.press("Tab")
    _query_is(visitor, "service:")
    offered = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offered.filter(has_text="payment")).to_have_count(1)
    page.keyboard.type("pay")
    expect(offered).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    _query_is(visitor, "service:payment")
    assert page.locator(".colours .tok-field").inner_text() == "service"
    page.keyboard.press("Enter")
    _counted(visitor, 2)
    field.fill("")
    page.keyboard.press("Escape")
    field.click()
    page.keyboard.press("ArrowUp")
    _query_is(visitor, "service:payment")


def test_a_query_is_formatted_while_it_is_written_and_by_key(visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.get_by_label("Query")
    field.fill("order   AND NOT level:(warn OR error OR fatal)")
    field.press("Alt+Shift+F")
    _query_is(visitor, "order -level:>=warn")
    field.press("Control+z")
    _query_is(visitor, "order   AND NOT level:(warn OR error OR fatal)")
    field.press("Enter")
    _counted(visitor, ORDERS)
    page.keyboard.press("Escape")
    page.locator("body").press("f")
    _query_is(visitor, "order -level:>=warn")
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
    _query_is(visitor, "order")
    _counted(visitor, ORDERS)


def test_a_query_with_pipes_makes_a_table(visitor: Visitor) -> None:
    visitor.search("order | stats count() as n by service | sort -n")
    table = visitor.page.get_by_role("region", name="Table")
    table.get_by_role("row").nth(2).wait_for()
    assert table.inner_text().split() == ["service", "n", "checkout", "120", "web", "120"]


def test_patterns_group_messages_and_show_their_lines(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Patterns").click()
    pattern = visitor.page.get_by_role("listitem").filter(has_text="order <*> shipped")
    pattern.get_by_role("button", name="Show").click()
    _counted(visitor, ORDERS)
    expect(visitor.page.get_by_role("option").nth(10)).to_be_visible()


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
    assert _address(visitor) == {"from": ["2026-11-20T13:30:00.000Z"], "to": ["2026-11-20T14:30:00.000Z"]}
    page.get_by_role("button", name=re.compile(r"UTC-3:30")).click()
    page.get_by_label("Time zone").select_option("UTC")


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


def test_by_keyboard_alone_from_the_query_to_context_trace_and_the_live_page(visitor: Visitor) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    keyboard.press("/")
    keyboard.type("declined")
    keyboard.press("Enter")
    _counted(visitor, 1)
    keyboard.press("Escape")
    keyboard.press("j")
    keyboard.press("c")
    page.get_by_role("tab", name="Context", selected=True).wait_for()
    expect(_event(visitor).locator(".context-line")).to_have_count(2)
    keyboard.press("e")
    _query_is(visitor, "declined -service:payment")
    page.go_back()
    _counted(visitor, 1)
    keyboard.press("j")
    keyboard.press("t")
    page.get_by_role("heading", name="Trace").wait_for()
    keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").wait_for()
    keyboard.type("go live")
    keyboard.press("Enter")
    page.wait_for_url("**/live")


def test_hostile_text_is_shown_and_never_run(visitor: Visitor) -> None:
    for query, count in (("service:hostile", 1), ("service:long", 1)):
        visitor.search(query)
        _counted(visitor, count)
        visitor.page.get_by_role("option").click()
        _event(visitor).wait_for()
    assert "Show the other" in _event(visitor).inner_text()
    visitor.search("service:hostile")
    line = visitor.page.get_by_role("option")
    expect(line).to_contain_text("<img src=x onerror='window.broken = 1'> red·[2J U+202EevilU+200B")
    expect(line.locator(".ansi-red")).to_have_text("red")
    assert visitor.page.evaluate("window.broken ?? 0") == 0
    assert visitor.page.locator(".rows img, .event img").count() == 0


def test_signing_out_leaves_no_query_and_no_event(visitor: Visitor) -> None:
    visitor.search("declined")
    _counted(visitor, 1)
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
            _event(visitor).wait_for()
        assert violations(page) == []
        assert not scrolls_sideways(page)
    assert keyboard_trap(page) is None


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
    _query_is(colleague, "order")
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
    _press_by_keyboard(visitor, page.get_by_role("button", name="Rename zz mine"))
    expect(_saved(visitor).get_by_label("New name")).to_be_focused()
    keyboard.press("Control+a")
    keyboard.type("zz yours")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Rename zz yours")).to_be_focused()
    keyboard.press("Escape")
    visitor.search("declined")
    _counted(visitor, 1)
    keyboard.press("Escape")
    keyboard.press("s")
    _press_by_keyboard(visitor, page.get_by_role("button", name="Replace zz yours"))
    expect(page.get_by_role("button", name="Replace the search")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Replace zz yours")).to_be_focused()
    expect(_saved(visitor).get_by_role("listitem").filter(has_text="zz yours")).to_contain_text("declined")
    _press_by_keyboard(visitor, page.get_by_role("button", name="Delete zz yours"))
    expect(page.get_by_role("button", name="Delete the search")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("link", name="zz yours")).to_have_count(0)
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Escape")
    expect(_saved(visitor)).to_have_count(0)
