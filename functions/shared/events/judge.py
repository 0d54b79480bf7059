"""Check one record: it becomes a row, or is rejected with a reason.

This is the reference: it has every rule of what is accepted, readable, one record at a time. The fast path in
functions.shared.events.bulk checks whole bodies of ordinary records, and leaves all others to this module. A
property test compares the two.

An accepted record never makes ClickHouse reject an insert: text is UTF-8, JSON is valid (for msgspec), times
are in range, names are short. No sent value is dropped: unknown root keys, unknown levels and corrected times
are kept in the metadata.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from functions.shared.events import levels, timestamps
from functions.shared.events.names import FIELDS
from functions.shared.events.row import NO_METADATA, ReceiptContext, Row

MAX_EVENT_SIZE = 1024 * 1024
"""Characters of the message plus bytes of the metadata."""

MAX_METADATA_DEPTH = 200
_SHALLOW_FOR_SURE = 2 * MAX_METADATA_DEPTH
MAX_FIELDS = 150_000
"""The limit for one event, at any depth; more would exceed the memory limit of a request."""
MAX_NAME_CHARACTERS = 200
"""For `project_id` and `service`, which are stored as dictionaries."""

_KNOWN = frozenset(FIELDS)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
"""Possessive, so nothing is stored for backtracking: that would take a hundred bytes per byte of text."""

_RUN_OF_BRACKETS = re.compile(rb"\[++|\]++")
_AS_SQUARE_BRACKETS = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LEVELS_STRIPPED = 4
_NULL = b"null"

_object = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)
_value = msgspec.json.Decoder()


class RejectedEvent(Struct, frozen=True):
    """Why a record was rejected: a stable `code`, and a `reason` that quotes nothing of the record."""

    code: str
    reason: str


class _UnacceptableError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.verdict = RejectedEvent(code, reason)


Fields = dict[str, Raw]
"""The fields of a JSON object, each value unparsed."""


def judge(
    record: bytes | memoryview,
    receipt: ReceiptContext,
    read_as: Callable[[Fields], Fields] = lambda fields: fields,
) -> Row | RejectedEvent:
    """Check one JSON value; `read_as` maps an object with other field names to our columns."""
    if len(record) > MAX_FIELDS and bytes(record).count(b",") > MAX_FIELDS:
        return RejectedEvent("too_many_fields", f"The event has more than {MAX_FIELDS} fields.")
    try:
        str(record, "utf-8")
        return _of_fair_size(_row(read_as(_fields(record)), receipt))
    except _UnacceptableError as fault:
        return fault.verdict
    except RecursionError:
        return _TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError):
        return RejectedEvent("invalid_json", "The event holds text that is not valid JSON or Unicode.")


_TOO_DEEP = RejectedEvent("too_deep", f"The event is nested deeper than {MAX_METADATA_DEPTH} levels.")


def shallow(metadata: Raw) -> bool:
    """Whether `metadata`, valid JSON, is nested at most MAX_METADATA_DEPTH deep."""
    if len(metadata) < _SHALLOW_FOR_SURE:
        return True
    text = bytes(metadata)
    if text.count(b"[") + text.count(b"{") <= MAX_METADATA_DEPTH:
        return True
    return _depth_is_within(MAX_METADATA_DEPTH, text)


def _depth_is_within(most: int, text: bytes) -> bool:
    """Count brackets, nearly all in C: a body can have millions, most of them empty or hardly nested.

    Removing all innermost pairs makes the remaining text one level less deep.
    """
    brackets = _STRING.sub(b"", text).translate(_AS_SQUARE_BRACKETS, _ALL_BUT_BRACKETS)
    for _ in range(_LEVELS_STRIPPED):
        brackets = brackets.replace(b"[]", b"")
    depth = _LEVELS_STRIPPED
    for run in _RUN_OF_BRACKETS.findall(brackets):
        depth += len(run) if run[:1] == b"[" else -len(run)
        if depth > most:
            return False
    return True


def _fields(record: bytes | memoryview) -> dict[str, Raw]:
    try:
        return _object.decode(record)
    except msgspec.ValidationError as fault:
        raise _UnacceptableError("not_an_object", "An event must be a JSON object.") from fault


def _of_fair_size(row: Row) -> Row:
    if len(row.message) + len(row.metadata) > MAX_EVENT_SIZE:
        raise _UnacceptableError("event_too_large", "The event's message and metadata are larger than 1 MiB.")
    return row


def _row(fields: dict[str, Raw], receipt: ReceiptContext) -> Row:
    aside: dict[str, Raw] = {name: value for name, value in fields.items() if name not in _KNOWN}
    metadata, inner = _metadata(fields)
    return Row(
        tenant_id=str(receipt.tenant),
        project_id=_name(fields, "project_id") or receipt.project_id,
        timestamp=_timestamp(fields, receipt, aside),
        level=_level(fields, aside),
        service=_name(fields, "service"),
        message=_message(fields),
        trace_id=_promoted(fields, inner, "trace_id", aside),
        span_id=_promoted(fields, inner, "span_id", aside),
        received_at=receipt.received_text,
        metadata=_joined(metadata, inner, aside),
    )


def _message(fields: dict[str, Raw]) -> str:
    raw = fields.get("message")
    if raw is None or bytes(raw) == _NULL:
        raise _UnacceptableError("message_missing", "The event has no 'message'.")
    text = _as_text(raw)
    if text is None:
        raise _UnacceptableError("message_not_text", "'message' must be a string.")
    return text


def _timestamp(fields: dict[str, Raw], receipt: ReceiptContext, aside: dict[str, Raw]) -> str:
    raw = fields.get("timestamp")
    if raw is None or bytes(raw) == _NULL:
        return receipt.received_text
    text = _as_text(raw)
    moment = timestamps.from_number(bytes(raw).decode()) if text is None else timestamps.from_text(text)
    if moment is None:
        raise _UnacceptableError("invalid_timestamp", "'timestamp' is neither a time nor an epoch number.")
    earliest, latest = _bounds(receipt.earliest, receipt.latest)
    if not earliest < moment < latest:
        aside["original_timestamp"] = raw
        moment = min(max(moment, earliest), latest)
    return timestamps.to_text(moment)


@lru_cache(maxsize=16)
def _bounds(earliest: datetime, latest: datetime) -> tuple[int, int]:
    return timestamps.from_datetime(earliest), timestamps.from_datetime(latest)


def _level(fields: dict[str, Raw], aside: dict[str, Raw]) -> str:
    raw = fields.get("level")
    if raw is None or bytes(raw) == _NULL:
        return levels.DEFAULT
    level = levels.canonical(_scalar(raw))
    if level is None:
        aside["level"] = raw
    return level or levels.DEFAULT


def _name(fields: dict[str, Raw], field: str) -> str:
    raw = fields.get(field)
    if raw is None or bytes(raw) == _NULL:
        return ""
    text = _as_text(raw)
    if text is None or len(text) > MAX_NAME_CHARACTERS:
        raise _UnacceptableError(
            f"invalid_{field}", f"'{field}' must be a string of at most {MAX_NAME_CHARACTERS} characters."
        )
    return text


def _metadata(fields: dict[str, Raw]) -> tuple[Raw, dict[str, Raw]]:
    """The metadata as sent, on one line, and its own fields."""
    raw = fields.get("metadata")
    if raw is None or bytes(raw) == _NULL:
        return NO_METADATA, {}
    if not shallow(raw):
        raise _UnacceptableError(_TOO_DEEP.code, _TOO_DEEP.reason)
    if bytes(raw)[:1] != b"{":
        raise _UnacceptableError("metadata_not_an_object", "'metadata' must be a JSON object.")
    return _one_line(raw), _object.decode(raw)


def _promoted(fields: dict[str, Raw], inner: dict[str, Raw], field: str, aside: dict[str, Raw]) -> str:
    """`field` from the root, else from the metadata, which keeps it; a non-text value goes into `aside`."""
    raw = fields.get(field)
    text = None if raw is None else _as_text(raw)
    if raw is not None and text is None and bytes(raw) != _NULL:
        aside[field] = raw
    if not text and field in inner:
        text = _as_text(inner[field])
    return text or ""


def _joined(metadata: Raw, inner: dict[str, Raw], aside: dict[str, Raw]) -> Raw:
    """The metadata merged with `aside`; a root field whose name is in both becomes `_root.<name>`."""
    if not aside:
        return metadata
    if max(map(len, aside.values())) >= _SHALLOW_FOR_SURE and not all(map(shallow, aside.values())):
        raise _UnacceptableError(_TOO_DEEP.code, _TOO_DEEP.reason)
    if not inner.keys().isdisjoint(aside):
        aside = {name if name not in inner else f"_root.{name}": value for name, value in aside.items()}
    joined = msgspec.json.encode(inner | aside)
    if b"\n" not in joined and b"\r" not in joined:
        return Raw(joined)
    aside = {name: _one_line(value) for name, value in aside.items()}
    return _one_line(Raw(msgspec.json.encode(inner | aside)))


def _one_line(raw: Raw) -> Raw:
    """Remove white space between tokens, because NDJSON needs one row per line; the tokens stay unchanged."""
    text = bytes(raw)
    if b"\n" not in text and b"\r" not in text:
        return raw
    return Raw(msgspec.json.format(text, indent=-1))


def _as_text(raw: Raw) -> str | None:
    return _text.decode(raw) if bytes(raw)[:1] == b'"' else None


def _scalar(raw: Raw) -> Any:
    """A string or a small whole number; None for anything else, of any size."""
    text = bytes(raw)
    if text[:1] == b'"':
        return _text.decode(raw)
    return int(text) if len(text) <= 3 and text.isdigit() else None
