"""What the command prints: aligned, with the digits sent, and with no effect on a terminal."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astralog._shown import event_line, json_line, safe, table_lines

EVENT: dict[str, Any] = {
    "timestamp": "2026-11-30T10:00:00Z",
    "level": "warn",
    "service": "shop",
    "message": "slow\n  at cart",
    "metadata": {"status": 200, "user": {"id": "u-1"}, "price": Decimal("1.10")},
}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_line_has_time_level_service_message_and_the_fields_asked_for() -> None:
    shown = event_line(EVENT, ["status", "user.id", "price", "missing", "project_id"])
    assert shown == (
        "2026-11-30T10:00:00Z  WARN   shop  slow\n  at cart  status=200  user.id=u-1  price=1.10"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07 \x1b[2J", r"\u001b]0;title\u0007 \u001b[2J"),
        ("a\rb\x9bc", r"a\rb\u009bc"),
        ("\u202eevil", r"\u202eevil"),
        ("a\tb\nc é 漢", "a\tb\nc é 漢"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert event_line({**EVENT, "message": text}, []).endswith(shown)


def test_a_table_is_aligned_and_a_cell_is_one_line() -> None:
    table = {
        "columns": [{"name": "service", "type": "text"}, {"name": "n", "type": "number"}],
        "rows": [["shop\nx", 2], [None, Decimal("12.50")]],
    }
    assert list(table_lines(table)) == ["service      n", r"shop\nx      2", "         12.50"]


def test_numbers_keep_the_digits_that_were_sent() -> None:
    text = '{"a": [1.10, 12345678901234567890123, 1E+400, null, true], "b": "\\u001b"}'
    assert json_line(json.loads(text, parse_float=Decimal)) == text


@given(VALUES)
def test_every_value_is_one_line_of_json_with_the_same_value(value: Any) -> None:
    line = json_line(value)
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == value
