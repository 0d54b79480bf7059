"""Every page holds WCAG 2.2 AA in both themes, on a desktop and on a phone, and traps no focus."""

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.accessibility import keyboard_trap, scrolls_sideways, violations
from tests.browser.chromium import Browser
from tests.browser.seeded import seed
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack

SIZES = (ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844))
SIGNED_OUT = {
    "/sign-in": "Sign in",
    "/sign-up": "Create an account",
    "/confirm": "Confirm your address",
    "/forgot": "Set a new password",
}
SIGNED_IN = {
    "/start": "Get started",
    "/s/000000000000": "Saved search",
    "/uploads": "Uploads",
    "/uploads/quarantine": "Quarantine",
    "/billing": "Usage and billing",
    "/privacy": "Privacy",
    "/keys": "Keys",
    "/notices": "Notices",
    "/settings": "Settings",
    "/settings/destination": "Destination",
    "/settings/audit": "Audit",
}
"""Path -> its heading."""


@pytest.fixture(scope="module")
def owner(opened: Browser, stack: RunningStack) -> Visitor:
    """A person whose account has something on every page, signed in, in the module's browser."""
    visitor = Visitor(opened.context.new_page(), stack, "reader@example.org")
    visitor.join()
    seed(visitor)
    visitor.page.close()
    return visitor


@pytest.fixture
def visitor(browser: Browser, owner: Visitor) -> Visitor:
    return Visitor(browser.page, owner.stack, owner.email)


def _assert_everyone_can_use(visitor: Visitor, path: str, heading: str, text: str | None = None) -> None:
    """`text`: what the page loads after its heading."""
    for size in SIZES:
        visitor.page.set_viewport_size(size)
        visitor.open(path)
        visitor.page.get_by_role("heading", name=heading, level=1).wait_for()
        expect(visitor.page.get_by_text("Loading…")).to_have_count(0)
        if text is not None:
            visitor.page.get_by_text(text).wait_for()
        assert violations(visitor.page) == []
        assert keyboard_trap(visitor.page) is None
        assert not scrolls_sideways(visitor.page)


@pytest.mark.parametrize("path", SIGNED_IN)
def test_a_page_of_the_account_can_be_used_by_everyone(visitor: Visitor, path: str) -> None:
    _assert_everyone_can_use(visitor, path, SIGNED_IN[path])


def test_the_page_of_an_erasure_can_be_used_by_everyone(visitor: Visitor) -> None:
    digest, at = "f" * 64, "2026-11-23T10:00:00Z"
    times = {"requested_at": at, "verified_at": at, "backups_until": at}
    receipt = {"number": 2, "previous": digest, "hash": digest, "kind": "account", "account": digest} | times
    erasure = {"id": f"era_{'f' * 40}", "kind": "account", "state": "verified", "starts_at": at, "due_by": at}
    shown = erasure | {"requested_at": at, "receipt": receipt | {"person": None, "counts": {"rows": 81_234}}}
    visitor.page.route("**/v1/erasures/era_*", lambda route: route.fulfill(json=shown))
    _assert_everyone_can_use(visitor, f"/erasures/{erasure['id']}", "Erasure", "81,234")


def test_on_a_phone_the_rail_covers_no_part_of_a_page(visitor: Visitor) -> None:
    """A control under it would be too small a target, and its focus not seen, at some length of the page."""
    visitor.page.set_viewport_size(SIZES[1])
    visitor.open("/privacy")
    main = visitor.page.get_by_role("main").bounding_box()
    rail = visitor.page.get_by_role("navigation", name="Main").bounding_box()
    assert main
    assert rail
    assert main["y"] + main["height"] <= rail["y"]


def test_pages_before_the_sign_in_can_be_used_by_everyone(visitor: Visitor) -> None:
    visitor.page.context.clear_cookies()
    for path, heading in SIGNED_OUT.items():
        _assert_everyone_can_use(visitor, path, heading)
    visitor.open("/sign-in")
    visitor.fill_in_sign_in()
    visitor.page.get_by_role("navigation", name="Main").wait_for()


def test_axe_finds_a_violation_in_either_theme(visitor: Visitor) -> None:
    """The check itself works under the content security policy of the page."""
    visitor.open("/keys")
    visitor.page.get_by_role("heading", name="Keys", level=1).wait_for()
    visitor.page.evaluate(
        """() => {
            const grey = Object.assign(document.createElement("p"), { textContent: "grey on grey" });
            Object.assign(grey.style, { color: "#777", background: "#888" });
            document.querySelector("main").append(document.createElement("button"), grey);
        }"""
    )
    assert sorted(found.split(":")[:2] for found in violations(visitor.page)) == [
        ["dark", " color-contrast"],
        ["light", " button-name"],
        ["light", " color-contrast"],
    ]


def test_a_trap_of_the_focus_is_found(visitor: Visitor) -> None:
    visitor.open("/keys")
    visitor.page.get_by_role("heading", name="Keys", level=1).wait_for()
    visitor.page.evaluate(
        "document.querySelector('main button').addEventListener('keydown', event => event.preventDefault())"
    )
    assert "Create the key" in (keyboard_trap(visitor.page) or "")
