"""Whole journeys on the dashboard: from sign-up to the first log, and what a session leaves behind."""

import re
import time
from itertools import count

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.accessibility import violations
from tests.browser.chromium import Browser
from tests.browser.visitor import PASSWORD, Visitor
from tests.integration.stack import RunningStack, wait_until

FIRST_LOG_SECONDS = 60
PATIENCE_MS = 30_000
PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)

_numbers = count(1)


@pytest.fixture
def visitor(browser: Browser, stack: RunningStack) -> Visitor:
    browser.context.clear_cookies()
    browser.page.set_default_timeout(PATIENCE_MS)
    return Visitor(browser.page, stack, f"visitor{next(_numbers)}@example.org")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_new_person_sees_the_first_log_within_a_minute(visitor: Visitor, size: ViewportSize) -> None:
    visitor.page.set_viewport_size(size)
    began = time.monotonic()
    visitor.sign_up()
    key = visitor.create_first_key()
    expect(visitor.page.get_by_label("Configuration for curl")).to_contain_text(key)
    expect(visitor.page.get_by_text("Waiting for your first log")).to_be_visible()
    assert visitor.send_log(key, "hello from a visitor") == 202
    visitor.page.get_by_text("hello from a visitor").wait_for(timeout=FIRST_LOG_SECONDS * 1000)
    seconds = time.monotonic() - began
    print(f"first log on the page after {seconds:.1f} s")
    assert seconds <= FIRST_LOG_SECONDS
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "nothing makes the page scroll sideways"


def test_another_accounts_log_is_never_the_first_log(visitor: Visitor, stack: RunningStack) -> None:
    visitor.join()
    assert visitor.send_log(stack.second_keys["ingest"], "of another account") == 202
    key = visitor.create_first_key()
    assert visitor.send_log(key, "of this account") == 202
    visitor.page.get_by_text("of this account").wait_for()
    assert not visitor.page.get_by_text("of another account").is_visible()


def test_a_session_survives_a_reload_and_ends_in_every_tab(visitor: Visitor) -> None:
    visitor.join()
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Get started").wait_for()
    other = visitor.page.context.new_page()
    other.goto(visitor.stack.api + "/keys")
    other.get_by_role("heading", name="Keys", level=1).wait_for()
    visitor.go_to("Settings")
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    for page in (visitor.page, other):
        page.get_by_role("heading", name="Sign in").wait_for()
    other.close()
    assert visitor.page.context.cookies() == []
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()


def test_no_token_is_where_a_script_a_log_or_another_site_could_read_it(
    browser: Browser, visitor: Visitor
) -> None:
    visitor.sign_up()
    visitor.go_to("Keys")
    (cookie,) = visitor.page.context.cookies()
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    stored = visitor.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert cookie["value"] not in stored
    assert "eyJ" not in stored, "no JSON web token"
    for request in browser.log:
        assert request.origin == visitor.stack.api, "no request leaves this origin"
        assert PASSWORD not in request.url
        assert not request.headers.get("referer")


def test_the_content_security_policy_stops_a_script_in_the_page(visitor: Visitor, browser: Browser) -> None:
    """Every other test of the dashboard fails when its policy stops anything."""
    visitor.open()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()
    ran = visitor.page.evaluate(
        """() => {
            const tries = [
                () => { document.body.innerHTML = "<img src=x onerror='window.broken = 1'>"; },
                () => {
                    const script = document.createElement("script");
                    script.textContent = "window.broken = 1";
                    document.head.append(script);
                },
            ];
            const thrown = tries.map((run) => { try { run(); return false; } catch { return true; } });
            return [thrown.every(Boolean), window.broken ?? 0];
        }"""
    )
    assert ran == [True, 0]
    wait_until(lambda: _reported(browser, 2), PATIENCE_MS / 1000, "both violations are reported")
    assert [each.split()[3] for each in browser.errors] == ["require-trusted-types-for"] * 2
    browser.errors.clear()


def _reported(browser: Browser, count: int) -> bool:
    """Whether so many errors of the page are reported; they arrive while Playwright waits for something."""
    browser.page.wait_for_timeout(20)
    return len(browser.errors) >= count


def test_the_page_cannot_be_framed(stack: RunningStack) -> None:
    with stack.client() as client:
        headers = client.get("/search", headers={"accept": "text/html"}).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


def test_a_wrong_password_is_answered_in_the_form_and_nothing_is_lost(visitor: Visitor) -> None:
    visitor.open("/sign-in")
    visitor.page.get_by_label("E-mail").fill(visitor.email)
    visitor.page.get_by_label("Password").fill("not-the-password-1")
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()
    visitor.page.get_by_role("alert").get_by_text("check e-mail and password").wait_for()
    assert visitor.page.get_by_label("E-mail").input_value() == visitor.email


def test_a_revoked_key_is_shown_as_revoked_and_stops_sending(visitor: Visitor) -> None:
    visitor.join()
    visitor.go_to("Keys")
    visitor.page.get_by_label("Name").fill("to be revoked")
    visitor.page.get_by_role("button", name="Create the key").click()
    key = visitor.page.get_by_label("The key", exact=True).inner_text().strip()
    visitor.page.get_by_role("button", name="I have stored it").click()
    assert not visitor.page.get_by_text(key).is_visible(), "a key is shown once"
    visitor.page.get_by_role("button", name="Revoke to be revoked").click()
    visitor.page.get_by_role("button", name="Revoke the key").click()
    visitor.page.get_by_role("cell", name="revoked", exact=True).wait_for()
    assert visitor.send_log(key, "too late") == 401


def test_a_rotated_key_works_beside_its_successor_until_it_is_revoked(visitor: Visitor) -> None:
    page = visitor.page
    visitor.join()
    old = visitor.create_first_key()
    visitor.go_to("Keys")
    page.get_by_role("button", name="Rotate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The old key works for").select_option("1 hour")
    assert violations(page) == []
    dialog.get_by_role("button", name="Rotate the key").click()
    new = page.get_by_label("The key", exact=True).inner_text().strip()
    assert new != old
    page.get_by_text("Give it to its program before the old one ends").wait_for()
    assert [visitor.send_log(key, "in between") for key in (old, new)] == [202, 202]
    page.get_by_role("button", name="I have stored it").click()
    rotating = page.get_by_role("row").filter(
        has=page.get_by_role("cell", name=re.compile("^rotating until"))
    )
    rotating.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke the key").click()
    page.get_by_role("cell", name="revoked", exact=True).wait_for()
    assert visitor.send_log(new, "of the new key") == 202


def test_the_whole_way_to_the_first_log_works_by_keyboard_alone(visitor: Visitor) -> None:
    keyboard = visitor.page.keyboard
    visitor.open("/sign-up")
    visitor.page.get_by_role("heading", name="Create an account").wait_for()
    for text in ("Jo Keyboard", visitor.email, PASSWORD):
        keyboard.type(text)
        keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Enter")
    visitor.page.get_by_role("heading", name="Confirm your address").wait_for()
    keyboard.type(visitor.mailed_code())
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    visitor.page.get_by_role("heading", name="Get started").wait_for()
    for _ in range(12):
        keyboard.press("Tab")
        if visitor.page.evaluate("document.activeElement.textContent") == "Create the key":
            break
    keyboard.press("Enter")
    key = visitor.page.get_by_label("The key", exact=True).inner_text().strip()
    assert visitor.send_log(key, "hello by keyboard") == 202
    visitor.page.get_by_text("hello by keyboard").wait_for()
