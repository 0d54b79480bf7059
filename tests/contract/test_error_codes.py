"""The table of error codes holds every code that the functions raise, and the docs show no other."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.accounts.sessions import ImmediateRejectionError
from functions.shared import access
from functions.shared.accounts.account_status import REFUSAL_CODES
from functions.shared.error_codes import ERROR_CODES, INVALID_FIELD, RECORD_CODES, markdown_table
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, MAX_NAME_CHARACTERS

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for path in (ROOT / "functions").rglob("*.py") if path.name != "error_codes.py")
DOCS = sorted((ROOT / "docs").glob("*.md"))

BEGIN, END = "<!-- error codes: begin -->", "<!-- error codes: end -->"

CODES_OF_VARIABLES = {
    "functions.shared.access": {code for code, _ in access._REASONS.values()},
    "functions.shared.accounts.account_status": REFUSAL_CODES,
}
"""Modules that pass a variable as the code -> its values."""

_INVALID = re.compile(r"invalid_\w+")


def calls(names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    """The calls of functions and classes with these names, each with its module."""
    for path in MODULES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield module, node


def value_of(module: str, node: ast.expr) -> Any:
    """The value of a literal or a constant of the module; None for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return getattr(importlib.import_module(module), node.id, None)
    return None


def codes_of(module: str, node: ast.expr) -> set[str]:
    """The codes that an argument can be."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        assert isinstance(first, ast.Constant), f"{module}: a code must begin with its text"
        assert first.value == "invalid_", f"{module}: only invalid_<field> may be composed"
        return {INVALID_FIELD}
    value = value_of(module, node)
    if isinstance(value, str):
        return {value}
    assert module in CODES_OF_VARIABLES, f"{module}:{node.lineno}: which codes can {ast.unparse(node)} be?"
    return set(CODES_OF_VARIABLES[module])


def raised() -> dict[str, set[int]]:
    """Code -> statuses, of every HttpError that the functions create."""
    kinds = {
        HttpError.__name__,
        ImmediateRejectionError.__name__,
        *(each.__name__ for each in HttpError.__subclasses__()),
    }
    found: defaultdict[str, set[int]] = defaultdict(set)
    for module, call in calls(kinds):
        status, code = call.args[:2]
        for each in codes_of(module, code):
            found[each].add(int(value_of(module, status)))
    return dict(found)


def listed(code: str) -> str:
    """The entry of the table for `code`."""
    return code if code in ERROR_CODES or not _INVALID.fullmatch(code) else INVALID_FIELD


def test_the_table_has_every_code_with_its_statuses_and_no_other() -> None:
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    for code, raised_statuses in raised().items():
        statuses[listed(code)] |= raised_statuses
    assert dict(statuses) == {code: set(each.statuses) for code, each in ERROR_CODES.items()}


def test_every_helper_for_an_invalid_field_names_a_field() -> None:
    """`invalid` and `missing` put their first argument into the code."""
    values = [value_of(module, call.args[0]) for module, call in calls({"invalid"})]
    fields = [value for value in values if isinstance(value, str)]
    assert fields
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", field) for field in fields), fields


def test_the_table_of_rejected_records_has_every_code_and_no_other() -> None:
    found: set[str] = set()
    for module, call in calls({"RejectedEvent", "_UnacceptableError"}):
        code = call.args[0]
        if isinstance(code, ast.JoinedStr):
            found |= {"invalid_service", "invalid_project_id"}
        elif not isinstance(code, ast.Attribute | ast.Name):
            found.add(str(value_of(module, code)))
    assert found == RECORD_CODES.keys()
    assert MAX_NAME_CHARACTERS == 200
    assert MAX_EVENT_SIZE == 1024 * 1024


def test_the_api_reference_shows_the_table() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    shown = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == markdown_table(), "replace it with functions.shared.error_codes.markdown_table()"


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_a_page_lists_no_code_with_a_status_that_it_does_not_have(page: Path) -> None:
    """Rows `| <status> | `code`, `code` | …` of the tables of routes."""
    for line in page.read_text().partition(BEGIN)[0].splitlines():
        row = re.match(r"\| ([45]\d\d) \| ([^|]*) \|", line)
        for code in re.findall(r"`([a-z_<>]+)`", row[2]) if row else ():
            if "_" in code or code in ERROR_CODES:
                assert listed(code) in ERROR_CODES, f"{page.name}: {code}"
                assert int(row[1]) in ERROR_CODES[listed(code)].statuses, f"{page.name}: {row[1]} {code}"


def test_a_code_is_snake_case_and_its_status_an_error() -> None:
    for code, each in ERROR_CODES.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*(_<field>)?", code)
        assert all(400 <= status <= 599 for status in each.statuses)
        assert each.meaning
        assert each.action
