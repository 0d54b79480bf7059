"""Events and tables as lines of text, which do nothing to the terminal that shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_UNSAFE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")
"""Control characters except tab and line break, and those that change the direction of text."""


def event_line(event: dict[str, Any], fields: list[str]) -> str:
    """Time, level, service and message of an event, and the fields asked for that it has."""
    parts = [event["timestamp"], event["level"].upper().ljust(5), event["service"] or "-", event["message"]]
    found = ((name, _field(event, name)) for name in fields)
    return safe("  ".join(parts + [f"{name}={_plain(value)}" for name, value in found if value is not None]))


def table_lines(table: dict[str, Any]) -> Iterator[str]:
    """A table with its headings, in aligned columns; numbers are on the right."""
    names = [column["name"] for column in table["columns"]]
    rows = [[safe(_plain(cell)).replace("\n", "\\n") for cell in row] for row in table["rows"]]
    widths = [max(map(len, column)) for column in zip(names, *rows)]
    right = [column["type"] == "number" for column in table["columns"]]
    for row in [names, *rows]:
        cells = zip(row, widths, right)
        yield "  ".join(text.rjust(n) if is_right else text.ljust(n) for text, n, is_right in cells).rstrip()


def json_line(value: Any) -> str:
    """`value` as JSON in one line of ASCII, with the digits that its numbers were sent with."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {json_line(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_line, value)) + "]"
    return json.dumps(value)


def safe(text: str) -> str:
    """`text` with escapes for what a terminal would obey."""
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _field(event: dict[str, Any], name: str) -> Any:
    """A column, or a path in the metadata; None without it."""
    if name in event and name != "metadata":
        return event[name]
    value: Any = event["metadata"]
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json_line(value)
