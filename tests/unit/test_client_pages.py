"""The pages of docs/clients: complete, linked, and with configurations that their parsers read."""

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

PAGES = Path(__file__).parents[2] / "docs" / "clients"
INDEX = PAGES / "README.md"
NAMED = sorted(path for path in PAGES.glob("*.md") if path != INDEX)
WITH_CODE = [*NAMED, PAGES.parents[1] / "clients" / "python" / "README.md"]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in INDEX.read_text().split("## ")[0].splitlines()
    if line.startswith("|") and ".md" in line
]

PARSERS: dict[str, Callable[[str], Any]] = {
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
    "json": json.loads,
    "xml": ElementTree.fromstring,
    "ini": lambda text: configparser.ConfigParser().read_string(text),
    "python": ast.parse,
}
WITHOUT_PARSER = frozenset({"", "sh", "js", "go", "java"})
"""Agents with a language of their own, shell, programs: run in tests/clients, or without a parser here."""

FORMS = ("vercel.md", "github.md")
"""Their configuration is a form in a browser."""

RETRY = re.compile(
    r"\*\*a\s+retry\s+(may\s+double|is\s+not\s+stored\s+twice|is\s+stored\s+once)|does\s+not\s+retry",
    re.IGNORECASE,
)


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Language and text of each fenced block."""
    return re.findall(r"^```([a-z]*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


BLOCKS = [
    pytest.param(language, text, id=f"{page.name}-{number}-{language}")
    for page in WITH_CODE
    for number, (language, text) in enumerate(blocks_of(page))
    if language in PARSERS
]


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_configuration_can_be_parsed(language: str, text: str) -> None:
    assert PARSERS[language](text) is not False


def test_every_language_has_a_parser_or_a_reason() -> None:
    used = {language for page in NAMED for language, _ in blocks_of(page)}
    assert used <= PARSERS.keys() | WITHOUT_PARSER
    assert PARSERS.keys() <= used


@pytest.mark.parametrize("page", NAMED, ids=lambda page: page.name)
def test_a_page_has_what_its_reader_needs(page: Path) -> None:
    text = page.read_text()
    assert blocks_of(page) or page.name in FORMS, "a configuration to copy"
    assert "YOUR-KEY" in text or "ASTRALOG_KEY" in text or page.name == "zap.md"
    assert RETRY.search(text)
    assert re.search(r"#(drain-)?limits\)|#answers\)|#retries-and-limits\)|^(## )?Limits", text, re.MULTILINE)
    assert re.search(r"^## (Mapping|Fields)$", text, re.MULTILINE)


STORED_ONCE = re.compile(r"\*\*a\s+retry\s+is\s+stored\s+once", re.IGNORECASE)
DOUBLED = re.compile(r"may\s+double|stored\s+twice", re.IGNORECASE)


@pytest.mark.parametrize("page", NAMED, ids=lambda page: page.name)
def test_a_page_on_which_a_retry_is_stored_once_says_by_what_and_what_is_doubled_still(page: Path) -> None:
    text = page.read_text()
    if STORED_ONCE.search(text):
        assert "adr/0038-retries-recognized-by-their-bytes.md" in text
        assert DOUBLED.search(text)


def test_every_page_is_in_the_index() -> None:
    listed = {name for row in ROWS for name in re.findall(r"\]\(([a-z-]+\.md)", " ".join(row))}
    assert listed == {page.name for page in NAMED}
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("page", [INDEX, *WITH_CODE], ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_lead_to_a_page_and_to_a_place_in_it(page: Path) -> None:
    for target, _, place in re.findall(r"\]\(([^)#:\s]*)(#([^)]*))?\)", page.read_text()):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        if place:
            assert place in places_of(file.read_text()), f"{target}#{place}"


def places_of(text: str) -> set[str]:
    """The anchors of a page: its headings, as GitHub writes them, and those that it sets itself."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_the_clients_of_the_index_that_are_tested_with_are_run() -> None:
    """A row says "the client" only if a program, a page or a configuration of tests/clients is for it."""
    tests = Path(__file__).parents[1]
    run = "\n".join(
        path.read_text()
        for path in [*(tests / "clients").rglob("*.py"), *(tests / "clients" / "node").glob("*.mjs")]
        if "node_modules" not in path.parts
    )
    for client, _, _, how in ROWS:
        if how.startswith("the client"):
            words = re.findall(r"[a-z]{4,}", client.lower())
            assert any(word in run.lower() for word in words), client
