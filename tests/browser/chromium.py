"""A real Chromium for the length of a block, and every request that it made.

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

from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 10_000
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
class Asked:
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
    def whole(self) -> str:
        """All that was sent."""
        return "\n".join([self.url, *(f"{name}: {value}" for name, value in self.headers.items()), self.body])


@dataclass
class Browser:
    """A window with a profile of its own; `log` is every request since it was opened, redirects included."""

    context: BrowserContext
    page: Page
    log: list[Asked] = field(default_factory=list)

    def note(self, request: Request) -> None:
        body = (request.post_data_buffer or b"").decode("utf-8", "replace")
        self.log.append(Asked(request.method, request.url, dict(request.headers), body))


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Open one with an empty `profile`; it ends with the block."""
    if not Path(EXECUTABLE).exists():
        raise FileNotFoundError(f"there is no {EXECUTABLE}: `make {EXECUTABLE}` installs it")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=EXECUTABLE, headless=True, args=list(FLAGS)
        )
        context.set_default_timeout(PATIENCE_MS)
        browser = Browser(context, context.pages[0])
        context.on("request", browser.note)
        try:
            yield browser
        finally:
            context.close()
