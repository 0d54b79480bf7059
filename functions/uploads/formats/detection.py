"""Detect the format of a text by how it begins: by content, never by the file's name."""

import csv
import json
import re
from collections.abc import Callable

import msgspec

from functions.shared.events.names import (
    DECIDED_BY_VALUE,
    FILE_ENVELOPES,
    OTHER_NAMES,
    names_of,
    plain_name,
)
from functions.shared.events.row import ReceiptContext
from functions.uploads.formats.aws_lines import (
    ALB,
    FLOW_LINE,
    FLOW_NAMES,
    AlbLog,
    FlowLog,
    W3cLog,
    column_names,
)
from functions.uploads.formats.contract import Format, State
from functions.uploads.formats.csv_rows import CsvRows
from functions.uploads.formats.json_values import JsonValues
from functions.uploads.formats.ndjson import Ndjson
from functions.uploads.formats.plain_lines import PlainLines
from functions.uploads.streams.contract import BrokenFileError

SAMPLE_BYTES = 64 * 1024

_KINDS: dict[str, Callable[[ReceiptContext, State], Format]] = {
    "ndjson": Ndjson,
    "json": JsonValues,
    "csv": CsvRows,
    "alb": AlbLog,
    "vpc_flow": FlowLog,
    "w3c": W3cLog,
    "lines": PlainLines,
}

_W3C = re.compile(r"#(Version|Fields|Software|Date)\b")
_CLOUDTRAIL = re.compile(rb'\{\s*+"Records"\s*+:\s*+\[\s*+\{(?=[^\0]{0,20000}?"eventVersion")')
_ENVELOPE = re.compile(rb'\{\s*+"(?:%b)"\s*+:\s*+\[' % "|".join(FILE_ENVELOPES).encode())
_ARRAY_OF_VALUES = re.compile(rb'\[\s*+[\[{"\]]|\[\s*+$')
_OBJECT = re.compile(rb'\{\s*+["}]|\{\s*+$')

_DELIMITERS = ",\t;|"
_HEADER_CELL = re.compile(r"[^\W\d][\w ,.@/:()\[\]#%-]{0,99}")
_KNOWN = frozenset(name for field in OTHER_NAMES for name in names_of(field)) - DECIDED_BY_VALUE
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.02
_SAMPLE_ROWS = 50
_LEAST_OBJECTS, _LEAST_OBJECTS_AFTER_TEXT = 0.25, 0.8


def detect(sample: bytes, is_whole: bool) -> tuple[str, State]:
    """The kind of a text that begins with `sample`, and the initial state of its format.

    `is_whole`: the sample is the whole text.

    Raises
    ------
    BrokenFileError: it is no text.
    """
    _reject_binary(sample)
    start = sample.lstrip()
    if start[:1] in (b"{", b"[") and (kind := _json_kind(start, is_whole)):
        return kind
    if _is_ndjson(start, is_whole):
        return "ndjson", {}
    lines = _lines(sample, is_whole)
    if not lines:
        return "lines", {}
    if _W3C.match(lines[0]):
        return "w3c", {"names": _w3c_names(lines)}
    if ALB.match(lines[0]):
        return "alb", {}
    names = lines[0].split()
    if FLOW_LINE.fullmatch(lines[0]) or (len(names) > 4 and FLOW_NAMES.issuperset(names)):
        return "vpc_flow", {}
    delimiter = _delimiter(lines, sample)
    return ("csv", {"delimiter": delimiter}) if delimiter else ("lines", {})


def format_of(kind: str, receipt: ReceiptContext, state: State) -> Format:
    """The format of that kind, from its beginning or from `state`."""
    return _KINDS[kind](receipt, state)


def _reject_binary(sample: bytes) -> None:
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BrokenFileError(
            "unsupported_encoding", "The file is encoded in UTF-16. Save it as UTF-8, then upload it again."
        )
    controls = len(_CONTROLS.findall(sample))
    if controls and controls > _MOST_CONTROLS * len(sample):
        raise BrokenFileError(
            "unsupported_format", "The file is neither text nor in another supported format."
        )


def _json_kind(start: bytes, is_whole: bool) -> tuple[str, State] | None:
    """NDJSON, when the first line is an object by itself; other JSON, when it at least begins like JSON."""
    if _CLOUDTRAIL.match(start):
        return "json", {"name": "cloudtrail"}
    if _ENVELOPE.match(start):
        return "json", {"name": "json"}
    if _is_ndjson(start, is_whole):
        return "ndjson", {}
    first, newline, rest = start.partition(b"\n")
    if start[:1] == b"{" and (newline or is_whole) and _is_json(first):
        return ("ndjson", {}) if rest.strip() else ("json", {"name": "json"})
    if start[:1] == b"{" and b"}{" in first and not _is_log_line(first):
        return "json", {"name": "json"}
    begins = _ARRAY_OF_VALUES if start[:1] == b"[" else _OBJECT
    if begins.match(start) and (start[:1] == b"{" or _is_array(start)):
        return _wide_object(start, bool(newline))
    return None


def _is_ndjson(start: bytes, is_whole: bool) -> bool:
    """Whether a sufficient share of the lines are objects by themselves; a file must have two."""
    lines = [line for line in start.split(b"\n")[: 1 + _SAMPLE_ROWS] if line.strip()]
    if not is_whole and len(lines) > 1:
        lines.pop()
    objects = sum(line.lstrip()[:1] == b"{" and _is_json(line) for line in lines)
    least = _LEAST_OBJECTS if start[:1] == b"{" else _LEAST_OBJECTS_AFTER_TEXT
    return len(lines) > 1 and objects > 1 and objects >= least * len(lines)


def _wide_object(start: bytes, has_lines: bool) -> tuple[str, State]:
    """An object with a first line longer than the sample is probably NDJSON."""
    if start[:1] == b"{" and not has_lines and len(start) > SAMPLE_BYTES // 2:
        return "ndjson", {}
    return "json", {"name": "json_array" if start[:1] == b"[" else "json"}


def _is_array(start: bytes) -> bool:
    """Whether the first element of an apparent array begins like JSON."""
    inner = start[1:].lstrip()
    if inner[:1] == b"[":
        return True
    text = inner.decode(errors="replace")
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as fault:
        return fault.pos >= len(text) - 8 or len(text) > SAMPLE_BYTES // 2 or inner[:1] in (b"{", b"]")
    except RecursionError:
        return True
    return True


def _is_log_line(first: bytes) -> bool:
    return not re.match(rb'\{\s*+"', first)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _lines(sample: bytes, is_whole: bool) -> list[str]:
    """The lines of the sample that are whole and not blank."""
    lines = sample.decode("latin-1").split("\n")
    if not is_whole and len(lines) > 1:
        lines.pop()
    return [line.rstrip("\r") for line in lines if line.strip()]


def _w3c_names(lines: list[str]) -> list[str]:
    return next((list(column_names(line)) for line in lines if line.startswith("#Fields:")), [])


def _delimiter(lines: list[str], sample: bytes) -> str:
    """The delimiter of a CSV; empty when the text is no CSV.

    It is CSV when its first line reads like names, all different, and nearly all rows have as many cells.
    """
    for delimiter in _DELIMITERS:
        cells = [cell.strip() for cell in next(csv.reader([_plain(lines[0])], delimiter=delimiter), [])]
        if len(cells) < 2 or not _are_names(cells):
            continue
        known = sum(plain_name(cell) in _KNOWN for cell in cells)
        if _share_of_fitting(sample, len(cells), delimiter) > (0.1 if known > 1 else 0.5):
            return delimiter
    only = lines[0].strip().strip('"')
    return "," if plain_name(only) in _KNOWN and len(lines) > 1 else ""


def _are_names(cells: list[str]) -> bool:
    return len(set(cells)) == len(cells) and all(map(_HEADER_CELL.fullmatch, cells))


def _share_of_fitting(sample: bytes, cells: int, delimiter: str) -> float:
    """The share of rows with that number of cells; 1 where there are no rows."""
    lines = sample.decode("latin-1").split("\n", 4 * _SAMPLE_ROWS)[: 4 * _SAMPLE_ROWS]
    text = [f"{_plain(line)}\n" for line in lines]
    rows = [row for row in csv.reader(text, delimiter=delimiter) if row][1 : 1 + _SAMPLE_ROWS]
    return sum(len(row) == cells for row in rows) / len(rows) if rows else 1.0


def _plain(line: str) -> str:
    """The line without carriage returns, which csv.reader rejects within a line."""
    return line.replace("\r", "")
