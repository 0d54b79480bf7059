"""One account with events for all modules of this folder; each opens it in a window of its own."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, Process, window
from tests.browser.search_views.account import Owner, events
from tests.browser.search_views.elements import counted
from tests.browser.seeded import send_to_drain
from tests.browser.visitor import Visitor
from tests.integration.stack import RunningStack


@pytest.fixture(scope="package")
def owner(process: Process, stack: RunningStack) -> Owner:
    with window(process) as browser:
        visitor = Visitor(browser.page, stack, "viewer@example.org")
        visitor.join()
        key = visitor.create_first_key()
    send_to_drain(stack, key, events())
    return Owner(visitor.email, key)


@pytest.fixture(scope="module")
def _signed_in(opened: Browser, stack: RunningStack, owner: Owner) -> None:
    """The owner, in the module's browser."""
    page = opened.context.new_page()
    Visitor(page, stack, owner.email).sign_in()
    page.close()


@pytest.fixture
def visitor(browser: Browser, stack: RunningStack, owner: Owner, _signed_in: None) -> Visitor:
    """The owner in a window of its own, on the search page, with all counts."""
    visitor = Visitor(browser.page, stack, owner.email)
    visitor.page.set_viewport_size({"width": 1280, "height": 800})
    visitor.open("/search")
    counted(visitor)
    return visitor


@pytest.fixture(scope="module")
def colleague(opened: Browser, stack: RunningStack, owner: Owner) -> Iterator[Visitor]:
    """Another window: another session of the same account."""
    with opened.another() as other:
        visitor = Visitor(other.page, stack, owner.email)
        visitor.open("/search")
        visitor.fill_in_sign_in()
        yield visitor
