"""One Chromium for all modules, a window a module. While it runs, this thread has a running event loop."""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import expect

from local.dashboard import is_built
from tests.browser.chromium import PATIENCE_MS, Browser, Process, chromium, window
from tests.browser.walk import Walk, walked
from tests.integration.stack import RunningStack, running_stack

expect.set_options(timeout=PATIENCE_MS)  # its own default of 5 s is too short on a busy machine


@pytest.fixture(scope="package")
def process() -> Iterator[Process]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def opened(process: Process) -> Iterator[Browser]:
    with window(process) as browser:
        yield browser


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One for all modules; each signs up people of its own, whose addresses no other module has."""
    assert is_built(), "build the page first: `make web`"
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="package")
def walk(process: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The whole way, once, in a stack of its own, for Stripe's clock is moved; the window is closed."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        with window(process) as browser:
            taken = walked(stack, browser)
        yield taken


@pytest.fixture
def browser(opened: Browser) -> Iterator[Browser]:
    """The module's browser with a page of its own, which has asked for nothing yet."""
    opened.page = opened.context.new_page()
    opened.log.clear()
    opened.answers.clear()
    yield opened
    opened.page.close()
    errors, opened.errors = opened.errors, []
    assert errors == [], "scripts of the page failed, or its policy stopped something"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure, what the person saw."""
    report = yield
    browser = item.funcargs.get("browser")
    if report.failed and isinstance(browser, Browser):
        report.sections.append(("the page", browser.diagnostics()))
    return report
