"""The stable id of an event, `<object_id>-<position>`: its staged object, and its place in that."""

import re
from dataclasses import dataclass

from functions.query import times
from functions.shared.events.staged_key import milliseconds_of

MAX_POSITION = 2**32 - 1
_END_MS = times.MAX // 1_000_000

_FORM = re.compile(r"(?P<object>[0-9a-z]{1,64})-(?P<position>0|[1-9]\d{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventId:
    """`received_ms`: when the object's id was made, in Unix milliseconds, close to `received_at`."""

    object_id: str
    position: int
    received_ms: int


def format_id(object_id: str, position: int) -> str | None:
    """The id of a row; None for a row that was stored without identity."""
    return f"{object_id}-{position}" if object_id else None


def parse_id(text: str) -> EventId | None:
    """The id in `text`; None when no event can have it."""
    form = _FORM.fullmatch(text)
    if form is None or int(form["position"]) > MAX_POSITION:
        return None
    try:
        received_ms = milliseconds_of(form["object"])
    except ValueError:
        return None
    return EventId(form["object"], int(form["position"]), received_ms) if received_ms < _END_MS else None
