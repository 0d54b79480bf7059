"""Records as lines of NDJSON, and the same as CSV that is safe from formula injection. Pure.

Excel, LibreOffice and others run a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break when the
file is opened: a log line or a name that a stranger chose becomes code on the reader's machine. Such a cell
gets an apostrophe in front, which these programs show as text. The NDJSON beside it has the unchanged value.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With their full-width twins, which some programs treat as the same."""

Record = Mapping[str, Any]


def lines(records: Iterable[Record]) -> bytes:
    """One JSON object a line."""
    return b"".join(
        json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        for each in records
    )


def csv_of(records: Iterable[Record], columns: Sequence[str]) -> bytes:
    """The same as CSV with a header; a value that is no text, number or boolean is JSON in its cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe(each) for each in columns])
    for each in records:
        writer.writerow([safe(_text(each.get(column))) for column in columns])
    return text.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """`cell` in a form that no spreadsheet runs; leading blanks do not prevent that either."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(RUN_BY_SPREADSHEETS) else cell


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
