"""One browser a module: while it is open, its thread has a running event loop that other tests trip over."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, chromium
from tests.browser.walk import Walk, walked
from tests.integration.stack import running_stack


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="package")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The whole way, once, in a stack of its own, for Stripe's clock is moved; the browser is closed."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        with chromium(tmp_path_factory.mktemp("profile")) as browser:
            taken = walked(stack, browser)
        yield taken


@pytest.fixture
def browser(opened: Browser) -> Iterator[Browser]:
    """The module's browser with a page of its own, which has asked for nothing yet."""
    opened.page = opened.context.new_page()
    opened.log.clear()
    yield opened
    opened.page.close()
