"""One browser a module: while it is open, its thread has a running event loop that other tests trip over."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, chromium


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(opened: Browser) -> Iterator[Browser]:
    """The module's browser with a page of its own, which has asked for nothing yet."""
    opened.page = opened.context.new_page()
    opened.log.clear()
    yield opened
    opened.page.close()
