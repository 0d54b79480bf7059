"""`python -m tests.browser.screenshots [folder]`: pictures of every page of a stack with data, as SVG.

Each page is drawn in light and dark on a desktop, and on a phone. `README.md` beside them shows them all.
"""

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import ViewportSize

from local.naming import PROJECT_ROOT
from tests.browser.chromium import chromium, window
from tests.browser.seeded import TRACE, seed, send_events
from tests.browser.svg_picture import svg_of
from tests.browser.test_accessibility import SIGNED_IN, SIGNED_OUT, SIZES
from tests.browser.visitor import Visitor
from tests.integration.stack import running_stack

FOLDER = PROJECT_ROOT / "docs" / "screenshots"
SETTLE_MS = 4000
MAX_HEIGHT = 1600

_DESKTOP, _PHONE = SIZES
KINDS: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "light": (_DESKTOP, "light"),
    "dark": (_DESKTOP, "dark"),
    "phone": (_PHONE, "dark"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """`name`: of the files. `heading`: what a person calls the page.

    `opens`: the text of a line to open. `sends`: whether events arrive while the page is open.
    """

    name: str
    heading: str
    path: str
    opens: str | None = None
    sends: bool = False


VIEWS = (
    Picture("search", "Search", "/search"),
    Picture("search-event", "An event", "/search", opens="insufficient funds"),
    Picture("search-patterns", "Patterns", "/search?view=patterns&compare=1"),
    Picture("trace", "Trace", f"/trace/{TRACE}"),
)


def pages(headings: dict[str, str]) -> list[Picture]:
    """The pictures of pages, from path -> heading."""
    return [Picture(path.strip("/").replace("/", "-"), heading, path) for path, heading in headings.items()]


BEFORE_SIGN_IN = pages(SIGNED_OUT)
LIVE = Picture("live", "Live", "/live", sends=True)
SIGNED_IN_PICTURES = [*VIEWS, *pages(SIGNED_IN), LIVE]


def _take(visitor: Visitor, pictures: Iterable[Picture], folder: Path) -> None:
    for picture in pictures:
        for kind, (size, theme) in KINDS.items():
            page = visitor.page
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme)
            visitor.open(picture.path)
            if picture.opens:
                page.get_by_role("option").filter(has_text=picture.opens).first.click()
            if picture.sends:
                send_events(visitor)
                page.get_by_role("option").first.wait_for()
            page.wait_for_timeout(SETTLE_MS)
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size(ViewportSize(width=size["width"], height=min(height, MAX_HEIGHT)))
            drawn = svg_of(page).replace(f"{PROJECT_ROOT}/", "")  # a local stack links to the docs on disk
            (folder / f"{picture.name}-{kind}.svg").write_text(drawn, encoding="utf-8")


def gallery(pictures: Iterable[Picture]) -> str:
    """The page that shows all pictures."""
    parts = ["# Screenshots", "`make screenshots` draws them, from a local stack with made-up data."]
    for picture in pictures:
        shown = "\n".join(
            f'<img src="{picture.name}-{kind}.svg" alt="{picture.heading}, {kind}" '
            f'width="{"22%" if kind == "phone" else "38%"}">'
            for kind in KINDS
        )
        parts += [f"## {picture.heading}", shown]
    return "\n\n".join(parts) + "\n"


def take_all(visitor: Visitor, folder: Path) -> None:
    """Of a visitor without an account yet, who signs up between the two kinds of pages."""
    folder.mkdir(parents=True, exist_ok=True)
    _take(visitor, BEFORE_SIGN_IN, folder)
    visitor.join()
    seed(visitor)
    _take(visitor, SIGNED_IN_PICTURES, folder)
    (folder / "README.md").write_text(gallery([*SIGNED_IN_PICTURES, *BEFORE_SIGN_IN]), encoding="utf-8")


def main(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        running_stack(Path(place) / "stack") as stack,
        chromium() as process,
        window(process) as browser,
    ):
        take_all(Visitor(browser.page, stack, "jo@example.org"), folder)
    sys.stdout.write(f"{len(list(folder.glob('*.svg')))} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
