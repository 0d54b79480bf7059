"""Journeys through what goes wrong: no answer, a cancelled search, a page that fails, an expired session."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.chromium import Browser
from tests.browser.seeded import access_token, send_events
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack, bearer

SEARCH = "**/v1/search"
LOGIN = "**/v1/login"


@pytest.fixture(scope="module")
def owner(opened: Browser, stack: RunningStack) -> Visitor:
    """A person with events; signed in, in the module's browser."""
    visitor = Visitor(opened.context.new_page(), stack, "states@example.org")
    visitor.sign_up()
    send_events(visitor)
    visitor.page.close()
    return visitor


@pytest.fixture
def visitor(browser: Browser, owner: Visitor) -> Visitor:
    return Visitor(browser.page, owner.stack, owner.email)


def _answer(status: int, code: str) -> Callable[[Route], None]:
    error = {"error": f"The test answers {code}.", "code": code, "request_id": "r1"}
    return lambda route: route.fulfill(status=status, json=error)


def _searches(visitor: Visitor, query: str) -> None:
    visitor.page.get_by_label("Query").fill(query)
    visitor.page.get_by_role("button", name="Search", exact=True).click()


def _lines(page: Page) -> None:
    page.get_by_role("option").first.wait_for()


def test_without_an_answer_at_the_start_the_page_says_so_and_continues(visitor: Visitor) -> None:
    page = visitor.page
    page.route(LOGIN, _answer(503, "try_again"))
    visitor.open("/search")
    page.get_by_role("heading", name="AstraLog cannot be reached").wait_for()
    page.unroute(LOGIN)
    page.get_by_role("button", name="Try again").click()
    _lines(page)


def test_a_cancelled_search_is_not_shown_as_one_without_events(visitor: Visitor) -> None:
    page = visitor.page
    held: list[Route] = []
    page.route(SEARCH, lambda route: held.append(route))
    visitor.open("/search?q=level:error")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("The search was cancelled.").wait_for()
    assert page.get_by_text("No event matches").count() == 0
    page.unroute(SEARCH)
    page.get_by_role("button", name="Search again").click()
    _lines(page)
    assert page.get_by_text("The search was cancelled.").count() == 0
    assert held, "the first search was held back"


def test_lines_of_the_search_before_are_not_shown_as_found_by_one_that_failed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/search")
    page.locator(".plot").wait_for()
    page.route(SEARCH, _answer(503, "search_unavailable"))
    _searches(visitor, "level:error")
    page.get_by_role("alert").get_by_text("The test answers search_unavailable.").wait_for()
    expect(page.locator(".table-of-lines")).to_have_class(re.compile("stale"))
    expect(page.locator(".histogram")).to_have_class(re.compile("stale"))
    page.unroute(SEARCH)
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.locator(".table-of-lines")).not_to_have_class(re.compile("stale"))


def test_a_next_page_that_fails_is_asked_for_again_on_request_only(visitor: Visitor) -> None:
    page = visitor.page
    requests: list[Request] = []

    def fail_next(route: Route) -> None:
        if "cursor" not in (route.request.post_data_json or {}):
            return route.fallback()
        requests.append(route.request)
        return _answer(503, "search_unavailable")(route)

    page.route(SEARCH, fail_next)
    visitor.open("/search")
    _lines(page)
    rows = page.get_by_role("listbox", name="Log lines")
    rows.evaluate("element => element.scrollTo(0, element.scrollHeight)")
    page.get_by_role("alert").get_by_text("The test answers search_unavailable.").wait_for()
    page.wait_for_timeout(500)
    assert len(requests) == 1
    page.unroute(SEARCH)
    with page.expect_response(SEARCH) as answered:
        page.get_by_role("alert").get_by_role("button", name="Try again").click()
    assert "cursor" in (answered.value.request.post_data_json or {}), "the next page, not the first"
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_session_that_expires_in_the_midst_continues_with_the_same_search(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/search")
    _lines(page)
    page.route(SEARCH, _answer(401, "unauthorized"))
    page.route(LOGIN, _answer(401, "no_session"))
    _searches(visitor, "level:warn")
    page.get_by_text("Your session has expired.").wait_for()
    page.unroute_all()
    visitor.fill_in_sign_in()
    _lines(page)
    assert page.get_by_label("Query").input_value() == "level:warn"


def test_the_first_log_stands_below_its_heading_in_the_chosen_zone(visitor: Visitor) -> None:
    page = visitor.page
    page.add_init_script("localStorage.setItem('astralog.zone', 'Asia/Kathmandu')")
    visitor.open("/start")
    key = visitor.create_first_key()
    visitor.send_log(key, "see me below")
    log = page.locator(".first-log")
    log.wait_for()
    heading = page.get_by_role("heading", name="See it").bounding_box()
    shown = log.bounding_box()
    assert heading
    assert shown
    assert shown["y"] >= heading["y"] + heading["height"]
    with_offset = page.evaluate(
        "new Intl.DateTimeFormat('en-GB', {timeZone: 'Asia/Kathmandu', hour: '2-digit'}).format(new Date())"
    )
    assert log.locator("time").inner_text()[:2] == with_offset
    page.evaluate("localStorage.removeItem('astralog.zone')")


def test_the_open_line_is_chosen_again_after_its_trace(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open('/search?q="asking the bank"')
    page.get_by_role("option").click()
    page.keyboard.press("t")
    page.get_by_role("heading", name="Trace").wait_for()
    page.go_back()
    expect(page.get_by_role("option")).to_have_attribute("aria-selected", "true")


def test_live_is_read_by_keyboard_and_keeps_the_open_event_while_lines_come(visitor: Visitor) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    key = _ingest_key(visitor)
    visitor.send_log(key, "the chosen one")
    visitor.open("/live")
    page.get_by_role("option").filter(has_text="the chosen one").wait_for()
    keyboard.press("k")
    keyboard.press("Enter")
    event = page.get_by_role("complementary", name="Event")
    expect(event).to_contain_text("the chosen one")
    keyboard.press("Space")
    visitor.send_log(key, "a later one")
    page.get_by_role("option").filter(has_text="a later one").wait_for()
    expect(event).to_contain_text("the chosen one")
    page.get_by_role("button", name="Pause").focus()
    keyboard.press("Space")
    page.get_by_text("Paused: the lines stay").wait_for()
    keyboard.press("Escape")
    expect(event).to_have_count(0)


def _ingest_key(visitor: Visitor) -> str:
    made = visitor.stack.client().post(
        "/v1/keys", json={"name": "live", "scopes": ["ingest"]}, headers=bearer(access_token(visitor))
    )
    key: str = made.json()["key"]
    return key
