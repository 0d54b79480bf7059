"""What a search means, said a second time in plain Python over a list of events: the tests' referee."""

import json
import operator
import re
from dataclasses import dataclass
from typing import Any

from functions.shared.events.levels import CANONICAL

ABSENT = object()
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")


@dataclass(frozen=True)
class Event:
    """A stored row. `metadata` is its JSON text; `timestamp` RFC 3339 with nine digits."""

    tenant_id: str
    project_id: str
    timestamp: str
    level: str
    service: str
    message: str
    trace_id: str
    metadata: str


def found(events: list[Event], tenant: str, body: dict[str, Any]) -> list[Event]:
    """The events `body` asks for, in no particular order."""
    return [event for event in events if event.tenant_id == tenant and matches(event, body)]


def matches(event: Event, body: dict[str, Any]) -> bool:
    chosen = {"projects": event.project_id, "services": event.service, "levels": event.level}
    return (
        body.get("from", "") <= event.timestamp < body.get("to", "9")
        and all(not body.get(name) or value in body[name] for name, value in chosen.items())
        and ("trace_id" not in body or event.trace_id == body["trace_id"])
        and all(_says(event.message, *term) for term in body.get("terms", []))
        and all(_meets(event, where) for where in body.get("where", []))
    )


def _says(message: str, text: str, negated: bool) -> bool:
    words = set(_WORD.findall(message.lower()))
    held = text.lower() in message.lower() and all(word in words for word in _WORD.findall(text.lower()))
    return held is not negated


def _meets(event: Event, where: dict[str, Any]) -> bool:
    op, wanted = where["op"], where.get("value", True)
    if op == "ne":
        return not _meets(event, {**where, "op": "eq"})
    if op == "in":
        return any(_meets(event, {**where, "op": "eq", "value": value}) for value in wanted)
    if where["field"] == "level" and op not in ("eq", "exists", "contains"):
        return _compared(CANONICAL.index(event.level), op, CANONICAL.index(wanted))
    values = _values(event, where["field"])
    if op == "exists":
        # A column is always there and exists when it says something; a key exists when it is there.
        there = bool(values) if where["field"].startswith("metadata.") else values != [""]
        return there is wanted
    return any(_holds(value, op, wanted) for value in values)


def _values(event: Event, field: str) -> list[Any]:
    if not field.startswith("metadata."):
        return [getattr(event, field)]
    key = field.removeprefix("metadata.")
    metadata = json.loads(event.metadata)
    nested: Any = metadata
    for part in key.split("."):
        nested = nested.get(part, ABSENT) if isinstance(nested, dict) else ABSENT
    places = [metadata.get(key, ABSENT), *([nested] if "." in key else [])]
    return [value for value in places if value is not ABSENT]


def _holds(value: Any, op: str, wanted: Any) -> bool:
    if op == "contains":
        if isinstance(value, list):
            return any(element == wanted for element in value if isinstance(element, str))
        return isinstance(value, str) and wanted in value
    if _type(value) != _type(wanted):
        return False
    if op == "eq":
        return bool(value == wanted)
    if isinstance(wanted, str):
        value, wanted = value.encode(), wanted.encode()
    return _compared(value, op, wanted)


def _compared(value: Any, op: str, wanted: Any) -> bool:
    compared = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}
    return bool(compared[op](value, wanted))


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case _:
            return type(value).__name__
