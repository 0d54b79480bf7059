"""A real Chromium for the length of a block, its windows, and every request that they made.

Driven by Playwright: it speaks to the browser itself, so that no driver of the browser's own version is
needed, waits for what it presses, and shows each request with its body. The browser is Debian's, which
`make test` installs where there is none; Playwright's own is never downloaded.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Process
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    sync_playwright,
)

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 30_000
TEXT_SHOWN = 3000
LINE_SHOWN = 200
ANSWERS_SHOWN = 30
VIOLATION = "content security policy:"
_REPORT_VIOLATIONS = f"""addEventListener("securitypolicyviolation", (event) =>
    console.error("{VIOLATION}", event.effectiveDirective, event.blockedURI));"""

FLAGS = (
    "--no-sandbox",  # root, in a container, with pages of our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing here reaches beyond this machine
)


@dataclass(frozen=True)
class LoggedRequest:
    """One request of the browser's."""

    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def text(self) -> str:
        """All that was sent."""
        return "\n".join([self.url, *(f"{name}: {value}" for name, value in self.headers.items()), self.body])


@dataclass
class Browser:
    """A window with cookies, storage and a cache of its own.

    `log`: every request since it was opened, redirects included. `answers`: status, method and address of
    each response. `errors`: of scripts, which none caught, and violations of a content security policy.
    """

    process: Process
    context: BrowserContext
    page: Page
    log: list[LoggedRequest] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        body = (request.post_data_buffer or b"").decode("utf-8", "replace")
        self.log.append(LoggedRequest(request.method, request.url, dict(request.headers), body))

    def note_answer(self, response: Response) -> None:
        self.answers.append(f"{response.status} {response.request.method} {response.url}")

    def note_violation(self, message: ConsoleMessage) -> None:
        if message.text.startswith(VIOLATION):
            self.errors.append(message.text)

    def diagnostics(self) -> str:
        """For the report of a failure: the page's text, the last responses, and errors of scripts."""
        try:
            lines = self.page.inner_text("body", timeout=1000).splitlines()
            text = "\n".join(line[:LINE_SHOWN] for line in lines)[:TEXT_SHOWN]
        except Error as error:  # closed, or too busy to answer: the failure itself is still reported
            text = str(error)
        return "\n".join([self.page.url, text, *self.answers[-ANSWERS_SHOWN:], *self.errors])

    @contextmanager
    def another(self) -> Iterator["Browser"]:
        """The window of another person: nothing that a page can read is shared with this one."""
        with window(self.process) as browser:
            try:
                yield browser
            except Exception as error:
                error.add_note(f"The other browser: {browser.diagnostics()}")
                raise


@contextmanager
def chromium() -> Iterator[Process]:
    """Start one; it ends with the block."""
    if not Path(EXECUTABLE).exists():
        raise FileNotFoundError(f"there is no {EXECUTABLE}: `make {EXECUTABLE}` installs it")
    with sync_playwright() as playwright:
        process = playwright.chromium.launch(executable_path=EXECUTABLE, headless=True, args=list(FLAGS))
        try:
            yield process
        finally:
            process.close()


@contextmanager
def window(process: Process) -> Iterator[Browser]:
    """Open one with an empty page, until the block ends."""
    context = process.new_context()
    context.set_default_timeout(PATIENCE_MS)
    browser = Browser(process, context, context.new_page())
    context.on("request", browser.note)
    context.on("response", browser.note_answer)
    context.add_init_script(_REPORT_VIOLATIONS)
    context.on("console", browser.note_violation)
    context.on("weberror", lambda fault: browser.errors.append(fault.error.stack or fault.error.message))
    try:
        yield browser
    finally:
        context.close()
    assert browser.errors == [], "scripts of the page failed, or its policy stopped something"
