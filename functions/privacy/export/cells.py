"""Records as lines of NDJSON, and the same as CSV that no spreadsheet takes for a formula. Pure.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break would be run by Excel, LibreOffice and
others when the file is opened: a log line or a name that a stranger chose becomes code on the reader's
machine. Such a cell gets an apostrophe in front, which these show as text. The NDJSON beside it has the value
as it is.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With their full-width twins, which some take for the same."""

Record = Mapping[str, Any]


def lines(records: Iterable[Record]) -> bytes:
    """One JSON object a line."""
    return b"".join(
        json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        for each in records
    )


def csv_of(records: Iterable[Record], columns: Sequence[str]) -> bytes:
    """The same as CSV with a header; what is no text, number or truth value is JSON in its cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe(each) for each in columns])
    for each in records:
        writer.writerow([safe(_text(each.get(column))) for column in columns])
    return text.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """`cell` so that no spreadsheet runs it; blanks in front do not save it from being run either."""
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
