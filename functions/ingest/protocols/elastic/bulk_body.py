"""The body of the bulk API: lines in pairs, what to do and the document to do it with.

A document becomes an event by the names that loggers use (functions.shared.events.aliases). Its index and id
are kept in the metadata, and the index is the service of a document without one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from functions.ingest.protocols.contract import EventFields
from functions.ingest.protocols.enveloped import with_metadata
from functions.shared.errors import HttpError
from functions.shared.events.aliases import with_columns
from functions.shared.events.judge import MAX_NAME_CHARACTERS, RejectedEvent

MAX_LINE_BYTES = 2 * 1024 * 1024
MAX_LINES = 500_000
"""Two of each event that a body may hold, and some blank ones."""

_APPENDS = frozenset({"create", "index"})
_HAS_DOCUMENT = frozenset({"create", "index", "update"})
ACTIONS = _HAS_DOCUMENT | {"delete"}
_LONGEST_KEPT_LINE = 256

_PERIOD = re.compile(r"(?:[-._]\d{4}(?:[-._]\d\d){1,2})?(?:-\d{6})?$")
"""What ends the name of an index of a day or a month, and of one that rolls over: -2026.11.29-000001."""

TOO_LARGE = RejectedEvent("event_too_large", "The document is larger than 2 MiB.")
APPEND_ONLY = RejectedEvent("append_only", "Events can be appended only: use 'create' or 'index'.")
NO_DOCUMENT = RejectedEvent("message_missing", "The document is empty.")
NOT_AN_OBJECT = RejectedEvent("not_an_object", "The document must be a JSON object.")
INVALID_JSON = RejectedEvent("invalid_json", "The document is not valid JSON.")

_document = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode
_NULL = b"null"

BulkEvent = Mapping[str, Any] | RejectedEvent


class Action(NamedTuple):
    """What a client asks for one document: `index`, `create`, `update` or `delete` in an index."""

    verb: str
    index_name: str


class _Target(msgspec.Struct):
    index: str | None = msgspec.field(name="_index", default=None)
    id: str | int | None = msgspec.field(name="_id", default=None)


_action = msgspec.json.Decoder(dict[str, _Target])


def events(pieces: Iterable[bytes], index: str, actions: list[Action]) -> Iterator[BulkEvent]:
    """One event, or a rejected one, for each action of the body; the action itself is added to `actions`.

    Parameters
    ----------
    index: that of the path; actions without an index of their own are for it.

    Raises
    ------
    HttpError: 400 for a line in the place of an action that is none, possibly after some events.
    """
    numbered = enumerate(_lines(pieces), 1)
    for number, line in numbered:
        if not line:
            continue
        action, document_id = _read_action(line, index, number)
        actions.append(action)
        document = next(numbered, (number, b""))[1] if action.verb in _HAS_DOCUMENT else b""
        yield _event(document, action, document_id) if action.verb in _APPENDS else APPEND_ONLY


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without what ends them; a longer one than MAX_LINE_BYTES has a byte more and no rest."""
    rest, count = b"", 0
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()[: MAX_LINE_BYTES + 1]
        count += len(lines)
        if count > MAX_LINES:
            raise HttpError(413, "too_many_events", f"The body has more than {MAX_LINES} lines.")
        yield from map(bytes.strip, lines)
    if rest:
        yield rest.strip()


def _read_action(line: bytes, index: str, number: int) -> tuple[Action, str | int | None]:
    """The action of a line, and the id of its document."""
    read = _kept_action if len(line) <= _LONGEST_KEPT_LINE else _parsed_action
    found = read(line, index)
    if found is None:
        raise HttpError(
            400,
            "invalid_body",
            f"Malformed action/metadata line [{number}]: it must be one JSON object on one line, "
            "with one of 'create', 'index', 'update' and 'delete'.",
        )
    return found


def _parsed_action(line: bytes, index: str) -> tuple[Action, str | int | None] | None:
    if len(line) > MAX_LINE_BYTES:
        return None
    try:
        found = _action.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if len(found) != 1 or not found.keys() <= ACTIONS:
        return None
    ((verb, target),) = found.items()
    return Action(verb, target.index or index), target.id


_kept_action = lru_cache(maxsize=1024)(_parsed_action)
"""Most clients repeat one line for all documents."""


def _event(document: bytes, action: Action, document_id: str | int | None) -> BulkEvent:
    if len(document) > MAX_LINE_BYTES:
        return TOO_LARGE
    try:
        sent = _document.decode(document) if document else {}
        fields = with_columns(sent)
    except msgspec.ValidationError:
        return NOT_AN_OBJECT
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return INVALID_JSON
    if not sent:
        return NO_DOCUMENT
    return _with_origin(fields, action.index_name, document_id)


def _with_origin(fields: Mapping[str, Raw], index: str, document_id: str | int | None) -> EventFields:
    """The fields of an event with its index and id; what is no field of an event goes into the metadata."""
    event: dict[str, Any] = dict(fields)
    if document_id is not None:
        event.setdefault("_id", document_id)
    if index:
        event.setdefault("_index", index)
        service = service_of(index)
        if service and bytes(event.get("service", _NULL)) == _NULL:
            event["service"] = service
    return with_metadata(event)


@lru_cache(maxsize=1024)
def service_of(index: str) -> str:
    """The name of an index without date and number; empty when it is no name for a service."""
    name = _PERIOD.sub("", index) or index
    return name if len(name) <= MAX_NAME_CHARACTERS else ""
