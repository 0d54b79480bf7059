"""The systemd journal: `POST /v1/journald/upload` in the export format, as systemd-journal-upload sends it.

An entry is a block of fields before a blank line. A field is `NAME=value`, or, when its value has bytes that
a line cannot have, `NAME`, a length of 64 bits and that many bytes.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.enveloped import Converted
from functions.ingest.protocols.forwarder import ForwarderProtocol
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent

MAX_BYTES = 16 * 1024 * 1024
MAX_FIELDS = 1_000_000
"""The limit for all entries together."""

TOO_LARGE = RejectedEvent("event_too_large", "The entry is larger than 1 MiB.")

_BLANK = re.compile(rb"\n++")
_LENGTH_BYTES = 8
_TEXT_FIELDS = frozenset({"MESSAGE"})
"""Text by their meaning: bytes that are no UTF-8 become U+FFFD. Other such values are base64."""


class JournaldProtocol(ForwarderProtocol):
    """Entries of the journal. Their fields keep journald's names."""

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        body = bytearray()
        for piece in pieces:
            body += piece
            if len(body) > MAX_BYTES:
                raise HttpError(413, "payload_too_large", "An upload decodes to more than 16 MiB.")
        return windows(entries(bytes(body)))


PROTOCOL = JournaldProtocol()


def entries(body: bytes) -> Iterator[Converted]:
    """The entries of a body in the export format.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    left = MAX_FIELDS
    at = _after_blank(body, 0)
    while at < len(body):
        start, entry = at, dict[str, Any]()
        while at < len(body) and body[at] != ord("\n"):
            left -= 1
            if left < 0:
                raise HttpError(413, "too_many_events", f"The body holds more than {MAX_FIELDS} fields.")
            name, value, at = _field(body, at)
            if at - start <= MAX_EVENT_SIZE:
                _put(entry, name, value)
        yield entry if at - start <= MAX_EVENT_SIZE else TOO_LARGE
        at = _after_blank(body, at)


def _after_blank(body: bytes, at: int) -> int:
    blank = _BLANK.match(body, at)
    return blank.end() if blank else at


def _field(body: bytes, at: int) -> tuple[str, bytes, int]:
    """The field at `at`, and where the next line begins."""
    end = body.find(b"\n", at)
    if end < 0:
        raise _cut_off()
    equals = body.find(b"=", at, end)
    if equals >= 0:
        return body[at:equals].decode(errors="replace"), body[equals + 1 : end], end + 1
    start = end + 1 + _LENGTH_BYTES
    value_end = start + int.from_bytes(body[end + 1 : start], "little")
    if body[value_end : value_end + 1] != b"\n":
        raise _cut_off()
    return body[at:end].decode(errors="replace"), body[start:value_end], value_end + 1


def _cut_off() -> HttpError:
    return HttpError(400, "invalid_body", "The body is not in the journal's export format, or is cut off.")


def _put(entry: dict[str, Any], name: str, value: bytes) -> None:
    """Add a field; one that occurs more than once is a list."""
    text = _text(name, value)
    if name not in entry:
        entry[name] = text
    elif isinstance(entry[name], list):
        entry[name].append(text)
    else:
        entry[name] = [entry[name], text]


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        is_text = name in _TEXT_FIELDS
        return value.decode(errors="replace") if is_text else base64.b64encode(value).decode()
