"""A page can be read in a terminal and as a diff: its lines and the cells of its tables have a bound."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.naming import PROJECT_ROOT

LINE_CHARACTERS = 120
CELL_CHARACTERS = 160
"""Of what a reader sees: the address of a link does not count. Longer ones are a section, or bullets."""

FOLDERS = ("docs", "clients", "tests", "web/src", "web/public")
PAGES = sorted(
    path.relative_to(PROJECT_ROOT)
    for path in [
        *PROJECT_ROOT.glob("*.md"),
        *(page for folder in FOLDERS for page in (PROJECT_ROOT / folder).rglob("*.md")),
    ]
    if "node_modules" not in path.parts
)
WRITTEN_BY_BENCH = Path("docs/performance.md")


def too_long(text: str) -> Iterator[str]:
    """What is too long outside of code; a word without a blank, such as the name of a test, is not."""
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        code ^= line.lstrip().startswith("```")
        if code or line.startswith("    "):
            continue
        if line.startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line):
                seen = re.sub(r"\]\([^)]*\)", "]", cell).strip()
                if len(seen) > CELL_CHARACTERS:
                    yield f"line {number}: a cell of {len(seen)} characters"
        elif len(line) > LINE_CHARACTERS and len(line.split()[-1]) + 4 < len(line):
            yield f"line {number}: {len(line)} characters"


@pytest.mark.parametrize("page", [each for each in PAGES if each != WRITTEN_BY_BENCH], ids=str)
def test_no_line_of_a_page_is_too_long_to_read(page: Path) -> None:
    assert list(too_long((PROJECT_ROOT / page).read_text())) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("word " * 25, 1),
        (f"- `{'x' * 150}`", 0),
        (f"```\n{'word ' * 25}\n```\n", 0),
        (f"| a | {'word ' * 33}|", 1),
        (f"| a | [word](https://{'x' * 200}) |", 0),
        (f"| {'word ' * 20}| {'word ' * 20}|", 0),
    ],
)
def test_what_is_too_long_is_found(text: str, found: int) -> None:
    assert len(list(too_long(text))) == found


def test_every_page_is_read() -> None:
    assert {Path("README.md"), Path("docs/api.md"), Path("clients/python/README.md")} <= set(PAGES)
    assert len(PAGES) > 100
