"""A decoded body, cut into windows; a window, split into records.

Nearly every body is one window. One that is large, or could hold very many records, is cut while it streams
in (functions.ingest.streamed), so that memory stays bounded whatever it holds.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain

import msgspec
from msgspec import Raw, Struct

from functions.ingest import streamed
from functions.ingest.streamed import Window
from functions.shared.errors import HttpError
from functions.shared.events.surrogates import replace_lone_surrogates

ONE_WINDOW_BYTES = 8 * 1024 * 1024
SURELY_FEW_BYTES = 512 * 1024
MANY_COMMAS = 300_000
MANY_BRACES = 100_000
"""They bound how many values, and how many events, a window can hold: 15 to 20 MB of memory each."""

_NDJSON_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)


_ABSENT = Raw(b"")


class _Envelope(Struct):
    """`message` is there for a body that is one bare event: what people try first."""

    events: list[Raw] | None = None
    logs: list[Raw] | None = None
    message: Raw = _ABSENT


_array = msgspec.json.Decoder(list[Raw])
_envelope = msgspec.json.Decoder(_Envelope)


def windows(pieces: Iterator[bytes], content_type: str) -> Iterator[Window]:
    """The body that arrives in `pieces`, as windows.

    Raises
    ------
    HttpError: 400 or 413, possibly after some windows: then nothing of the body may be kept.
    """
    ndjson = content_type.partition(";")[0].strip().lower() in _NDJSON_TYPES
    head, size_bytes = list[bytes](), 0
    for piece in pieces:
        head.append(piece)
        size_bytes += len(piece)
        if size_bytes > ONE_WINDOW_BYTES:
            return _cut(chain(head, pieces), ndjson)
    whole = b"".join(head).strip()
    if len(whole) <= SURELY_FEW_BYTES or _holds_few(whole):
        return iter((Window(whole, ndjson or _looks_like_lines(whole)),))
    return _cut(iter((whole,)), ndjson)


def _cut(pieces: Iterator[bytes], ndjson: bool) -> Iterator[Window]:
    return (streamed.lines if ndjson else streamed.elements)(pieces)


def split(window: Window) -> Iterable[Raw] | Iterable[bytes]:
    """The records of `window`: JSON values, or for NDJSON whatever stands on the lines.

    Raises
    ------
    HttpError: 400, when the window is not of the promised form; possibly after some records.
    """
    body = replace_lone_surrogates(window.body)
    if window.ndjson:
        return (line for line in BytesIO(body) if line.strip())  # a list of short lines outweighs them
    try:
        return _array.decode(body) if body[:1] == b"[" else _contents(_envelope.decode(body), body)
    except msgspec.ValidationError as fault:
        raise HttpError(400, "no_events", "'events' and 'logs' must be arrays of events.") from fault
    except RecursionError as fault:
        raise HttpError(400, "too_deep", "The body is nested too deep.") from fault
    except (msgspec.DecodeError, UnicodeDecodeError):
        return streamed.each(body)


def _contents(envelope: _Envelope, body: bytes) -> list[Raw] | list[bytes]:
    if envelope.events is not None or envelope.logs is not None:
        return (envelope.events or []) + (envelope.logs or [])
    if len(envelope.message):
        return [body]
    raise HttpError(
        400,
        "no_events",
        'Send {"events": [...]}, {"logs": [...]}, an array, or NDJSON as application/x-ndjson.',
    )


def _holds_few(body: bytes) -> bool:
    return body.count(b",") <= MANY_COMMAS and body.count(b"{") <= MANY_BRACES


def _looks_like_lines(body: bytes) -> bool:
    """NDJSON under another content type, such as curl's own: a first line that is an object by itself."""
    first, newline, _ = body.partition(b"\n")
    return bool(newline) and first[:1] == b"{" and _is_json(first)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
