"""Each link of a page within the repository leads to a file and a section that exist."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.naming import PROJECT_ROOT
from tests.unit.test_page_lines import PAGES

LINK = re.compile(r"""\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)\"""")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them, and those that it sets."""
    text, times = without_code(page.read_text()), Counter[str]()
    found = set(re.findall(r'\bid="([^"]+)"', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        made = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{made}-{times[made]}" if times[made] else made)
        times[made] += 1
    return frozenset(found)


def broken(text: str, folder: Path, page: Path) -> Iterator[str]:
    """The links of `text`, a page in `folder`, that lead nowhere."""
    for link in (one or other for one, other in LINK.findall(without_code(text))):
        path, _, anchor = link.partition("#")
        target = folder / path if path else page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    path = PROJECT_ROOT / page
    assert list(broken(path.read_text(), path.parent, path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](docs/api.md#errors) [b](https://example.com/none) [c](docs/adr)", []),
        ("[a](docs/none.md)", ["docs/none.md"]),
        ("[a](docs/api.md#none)", ["docs/api.md#none"]),
        ("[a](#none)", ["#none"]),
        ('<img src="docs/none.svg">', ["docs/none.svg"]),
        ("```\n[a](docs/none.md)\n```", []),
    ],
)
def test_a_link_that_leads_nowhere_is_found(text: str, found: list[str]) -> None:
    assert list(broken(text, PROJECT_ROOT, PROJECT_ROOT / "README.md")) == found
