"""Notices are sentences and links, without methods and paths of the API; every link leads to a section."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.shared.accounts.notice_links import docs_link, page_link, with_addresses
from infra.topology import FUNCTIONS
from infra.topology.functions.page import PAGES
from local.naming import PROJECT_ROOT
from tests.unit.notices.world import API, DOCS, World

FUNCTIONS_FOLDER = PROJECT_ROOT / "functions"
WRITES = ("Notice(", "notices.put(", "outbox.put(", "outbox.due(", "notices.due(", "mailer.send(")
NOTICE_MODULES = sorted(
    path
    for path in FUNCTIONS_FOLDER.rglob("*.py")
    if path.name in ("mails.py", "notice_texts.py") or any(each in path.read_text() for each in WRITES)
)
REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)\b|\bAPI[:,]\s|(?<!\})/v1/")
"""A method, or a path that is no link."""


def texts_of(path: Path) -> Iterator[str]:
    """Every text of a module that is no documentation; what is inserted into it is shown as `}`."""
    tree = ast.parse(path.read_text())
    documentation = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "}" for part in node.values)
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in documentation and node not in parts:
            yield str(node.value)


def routes() -> set[str]:
    return {f"{route.method} {route.path}" for spec in FUNCTIONS for route in spec.routes}


def is_route(text: str) -> bool:
    """A key of a table of routes, which no person reads."""
    return text in routes() or text == "GET "


@pytest.mark.parametrize("path", NOTICE_MODULES, ids=lambda path: str(path.relative_to(FUNCTIONS_FOLDER)))
def test_no_notice_names_a_method_and_path_of_the_api(path: Path) -> None:
    error_texts = _error_texts(path)
    found = [
        text
        for text in texts_of(path)
        if REQUEST.search(text) and not is_route(text) and text not in error_texts
    ]
    assert found == []


def _error_texts(path: Path) -> set[str]:
    """Texts within `HttpError(…)` and `_conflict(…)`: answers to programs, not notices."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("HttpError", "_conflict"):
            found |= {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}  # type: ignore[misc]
            for each in ast.walk(node):
                if isinstance(each, ast.JoinedStr):
                    found.add(
                        "".join(str(p.value) if isinstance(p, ast.Constant) else "}" for p in each.values)
                    )
    return found


def test_the_modules_that_write_notices_are_found() -> None:
    names = {str(path.relative_to(FUNCTIONS_FOLDER)) for path in NOTICE_MODULES}
    assert {
        "accounts/mails.py",
        "billing/subscriptions/change_notices.py",
        "billing/subscriptions/notice_texts.py",
        "billing/subscriptions/reminders.py",
        "billing/usage/caps.py",
        "destinations/watch.py",
        "privacy/notice_texts.py",
    } <= names


@pytest.mark.parametrize(
    "text",
    [
        "update the card with POST /v1/billing/portal",
        "open the billing portal (API: /v1/billing/portal)",
        "This address shows the receipt: /v1/erasures/}",
        "Usage by day: API, /v1/usage.",
        "To keep the account, send a DELETE for the erasure before then.",
    ],
)
def test_the_wordings_of_before_are_recognized(text: str) -> None:
    assert REQUEST.search(text)


def linked_sections() -> set[tuple[str, str]]:
    """Every page and section that a function links to."""
    found: set[tuple[str, str]] = set()
    for path in FUNCTIONS_FOLDER.rglob("*.py"):
        found |= set(re.findall(r"docs_link\(\s*['\"](\S+)['\"], ['\"](\S+)['\"]\s*\)", path.read_text()))
    return found


def test_every_link_leads_to_a_section_that_exists() -> None:
    sections = linked_sections()
    assert len(sections) >= 8
    missing = [each for each in sections if each[1] not in _anchors(PROJECT_ROOT / "docs" / each[0])]
    assert missing == []


def test_every_link_to_the_dashboard_leads_to_a_page_that_needs_no_key() -> None:
    linked = {
        re.sub(r"{[^}]+}", "{id}", path)
        for source in FUNCTIONS_FOLDER.rglob("*.py")
        for path in re.findall(r"page_link\(\s*f?['\"](\S+)['\"]\s*\)", source.read_text())
    }
    assert linked == {"/erasures/{id}"}
    assert linked <= set(PAGES)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them, and those that it sets."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def test_a_mail_and_its_announcement_have_complete_links(here: World) -> None:
    acme, globex = here.account("acme", "ada"), here.account("globex", "gus")
    text = f"Status: {page_link('/erasures/era_1')} Help: {docs_link('billing.md', 'choose-a-plan')}"
    for tenant in (acme, globex):
        here.notices.put(tenant, "linked", "service", "A title", text)
    here.run()

    expected = f"Status: {API}/erasures/era_1 Help: {DOCS}/billing.md#choose-a-plan"
    assert with_addresses(text, API, DOCS) == expected
    assert [mail.text.startswith(expected) for mail in here.mailer.sent] == [True, True]
    for tenant in (acme, globex):
        (shown,) = here.announcements.list(tenant, None)
        assert expected in str(shown)
