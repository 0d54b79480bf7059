"""Whole bodies of ordinary records, judged at the speed of C.

An ordinary record is what nearly every sender sends: known fields only, an RFC 3339 time with at most
microseconds (or none), a usual spelling of the level, ids at the root if anywhere. msgspec decodes such a
body straight into rows; what remains in Python is one short pass. Anything else makes `encoded` return
None, and functions.ingest.judge decides record by record. The rules are judge's: this is a shortcut that
must agree with it, and a property test holds the two together.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, UnsetType

from functions.ingest.judge import MAX_EVENT_SIZE, MAX_METADATA_DEPTH, MAX_NAME_CHARACTERS, shallow
from functions.ingest.levels import BY_NAME, DEFAULT
from functions.ingest.rows import NO_METADATA, Receipt

_MICROSECONDS_AT_MOST = len("2026-11-23T10:00:00.123456Z")
_SHALLOW_FOR_SURE = 2 * MAX_METADATA_DEPTH
_IDS = (b"trace_id", b"span_id")

_encoder = msgspec.json.Encoder()

Rows = list[Any]


def encoded(body: bytes, ndjson: bool, receipt: Receipt) -> tuple[int, bytes] | None:
    """Row count and NDJSON of `body` when it has records and every one is ordinary; otherwise None.

    `body` is a JSON array, an object with `events` or `logs`, or, with `ndjson`, one object a line.
    """
    if b"\r" in body or (b"\n" in body and not ndjson):
        return None  # white space inside a record's metadata would tear its row over two lines
    try:
        str(body, "utf-8")
        rows = _decoder(str(receipt.tenant), receipt.project_id, body[:1], ndjson)(body)
        if rows and _of_fair_size(rows, body) and _finish(rows, receipt, any(name in body for name in _IDS)):
            lines = _encoder.encode_lines(rows)
            return (len(rows), lines) if _metadata_are_objects(lines, len(rows), receipt) else None
    except (msgspec.DecodeError, RecursionError, ValueError, TypeError, KeyError, IndexError):
        pass
    return None


def _finish(rows: Rows, receipt: Receipt, ids_somewhere: bool) -> bool:
    """Fill in what a request's rows have in common; False as soon as one turns out to be odd.

    With `ids_somewhere` in the body, a row that lacks an id at its root may have it in its metadata.
    """
    received, earliest, latest = receipt.received_text, receipt.earliest, receipt.latest
    parse, level_of = datetime.fromisoformat, BY_NAME
    for row in rows:
        row.received_at = received
        row.level = level_of[row.level]
        text = row.timestamp
        if text is None:
            row.timestamp = received
        else:
            moment = parse(text)
            if not earliest < moment < latest or text[13] != ":" or len(text) > _MICROSECONDS_AT_MOST:
                return False
            row.timestamp = moment
        metadata = row.metadata
        if len(metadata) >= _SHALLOW_FOR_SURE and not shallow(metadata):
            return False
        if ids_somewhere and not (row.trace_id and row.span_id) and _has_id(bytes(metadata)):
            return False
    return True


def _has_id(metadata: bytes) -> bool:
    return b"trace_id" in metadata or b"span_id" in metadata


def _of_fair_size(rows: Rows, body: bytes) -> bool:
    if len(body) <= MAX_EVENT_SIZE:
        return True
    return all(len(row.message) + len(row.metadata) <= MAX_EVENT_SIZE for row in rows)


def _metadata_are_objects(lines: bytes, count: int, receipt: Receipt) -> bool:
    """Metadata follows the time of receipt, which nobody else can know to the microsecond."""
    return lines.count(b'"received_at":"%b","metadata":{' % receipt.received_text.encode()) == count


@lru_cache(maxsize=256)
def _decoder(tenant: str, project_id: str, first: bytes, ndjson: bool) -> Callable[[bytes], Rows]:
    """A decoder into rows whose tenant and default project are the class's defaults.

    A sender cannot set our own columns: msgspec accepts no JSON at all for a field typed UnsetType.
    """
    name = Annotated[str, Meta(max_length=MAX_NAME_CHARACTERS)]
    row = msgspec.defstruct(
        "ArrivingRow",
        [
            ("tenant_id", UnsetType, tenant),
            ("project_id", Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)], project_id),
            ("timestamp", str | None, None),
            ("level", str, DEFAULT),
            ("service", name, ""),
            ("message", str),
            ("trace_id", str, ""),
            ("span_id", str, ""),
            ("received_at", UnsetType, ""),
            ("metadata", Raw, NO_METADATA),
        ],
        gc=False,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    if ndjson:
        return msgspec.json.Decoder(row).decode_lines
    if first == b"[":
        return msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
    envelope = msgspec.defstruct("Envelope", [("events", list[row], []), ("logs", list[row], [])])  # type: ignore[valid-type]
    decode = msgspec.json.Decoder(envelope).decode
    return lambda body: _contents(decode(body))


def _contents(envelope: Any) -> Rows:
    rows: Rows = envelope.events + envelope.logs if envelope.logs else envelope.events
    return rows
