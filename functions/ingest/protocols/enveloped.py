"""A log in an envelope: what a client sends as the log itself, and the fields that it puts around it.

Values stay JSON, unparsed, so that numbers keep every digit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from functions.ingest.protocols.contract import TOO_DEEP, EventFields
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.names import FIELDS
from functions.shared.events.surrogates import replace_lone_surrogates

Fields = dict[str, Raw]
Converted = EventFields | RejectedEvent

NOT_AN_OBJECT = RejectedEvent("not_an_object", "An event must be a JSON object.")
NOT_JSON = RejectedEvent("invalid_json", "The event holds text that is not valid JSON or Unicode.")

MAX_SKIPPED = 1000

_NULL = b"null"
_EMPTY = Raw(b'""')
_COLUMNS = frozenset(FIELDS)
_object = msgspec.json.Decoder(Fields)
_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def converted(values: Iterable[bytes], convert: Callable[[Fields], Converted]) -> Iterator[Converted]:
    """Each JSON object of `values` by `convert`; what is no object is rejected by itself."""
    for value in values:
        yield _converted(value, convert)


def without(values: Iterable[bytes], is_no_event: Callable[[bytes], bool]) -> Iterator[bytes]:
    """`values` but those that a client sends as a test of the connection.

    Raises
    ------
    HttpError: 413 for more than MAX_SKIPPED of them: what is not counted must be few.
    """
    skipped = 0
    for value in values:
        if not is_no_event(value):
            yield value
            continue
        skipped += 1
        if skipped > MAX_SKIPPED:
            raise HttpError(413, "too_many_events", f"The body holds more than {MAX_SKIPPED} tests.")


def _converted(value: bytes, convert: Callable[[Fields], Converted]) -> Converted:
    try:
        return convert(_object.decode(replace_lone_surrogates(value)))
    except msgspec.ValidationError:
        return NOT_AN_OBJECT
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NOT_JSON
    except RecursionError:
        return TOO_DEEP


def line_event(line: bytes, envelope: Mapping[str, Any]) -> Converted:
    """The event of a line of text; an object in JSON has its fields."""
    if line[:1] == b"{":
        found = _converted(line, lambda fields: event_of(fields, envelope))
        if found is not NOT_JSON:
            return found
    return {**envelope, "message": line.decode(errors="replace")}


def event_of(content: Raw | Fields | None, envelope: Mapping[str, Any]) -> EventFields:
    """The event of `content` and the fields around it, both under names of functions.shared.events.names.

    An object's fields are the event's, and so are those of an object in its `message` or `line`. A field
    that the envelope has too is `content.<name>`. Any value but a text is the message as JSON, and in the
    metadata.
    """
    event = _joined(content, envelope)
    for name in _CARRIERS:
        inner = event.get(name)
        if isinstance(inner, Raw) and not is_text(inner) and (name == "message" or _is_object(inner)):
            del event[name]
            event = _joined(inner, event)
    message = event.get("message")
    if isinstance(message, Raw) and not is_text(message):
        event["message"] = bytes(message).decode()
    return event


_CARRIERS = ("message", "line")
"""Fields in which a client sends what a logger wrote, a text or JSON; Docker's is `line`."""


def _joined(content: Raw | Fields | None, envelope: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(content, dict):
        named = {name if name not in envelope else f"content.{name}": content[name] for name in content}
        return {**named, **envelope}
    if content is None or bytes(content) == _NULL:
        return dict(envelope)
    if _is_object(content):
        return _joined(_object.decode(content), envelope)
    if is_text(content):
        return {**envelope, "message": content}
    return {**envelope, "message": bytes(content).decode(), "content": content}


def with_metadata(event: EventFields) -> EventFields:
    """An event with its unknown fields in the metadata, and a message, which may be empty.

    An event that has metadata stays as it is: the judge joins the two.
    """
    named = {"message": _EMPTY, **event}
    if "metadata" in named:
        return named
    columns = {name: value for name, value in named.items() if name in _COLUMNS}
    columns["metadata"] = {name: value for name, value in named.items() if name not in _COLUMNS}
    return columns


def is_text(value: Raw) -> bool:
    return bytes(value)[:1] == b'"'


def _is_object(value: Raw) -> bool:
    return bytes(value)[:1] == b"{"


def text_of(value: Raw | None) -> str:
    """The text of a JSON string; empty for any other value."""
    return _text.decode(value) if value is not None and is_text(value) else ""


def is_blank(value: Raw | None) -> bool:
    """Whether a value is missing, null or an empty text."""
    return value is None or bytes(value) in (_NULL, b'""')


def object_of(value: Raw | None) -> Fields:
    """The fields of an object; none for any other value."""
    return _object.decode(value) if value is not None and _is_object(value) else {}


def object_in(text: str) -> Raw | None:
    """The JSON object that a text is; None for any other text. A logger's JSON often comes as text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return Raw(bytes(_raw.decode(text)))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


_raw = msgspec.json.Decoder(Raw)
