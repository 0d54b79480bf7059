"""A stream of Loki and its entries, as events.

The line is the message, never parsed. Labels and structured metadata are fields of the metadata; those that
name a service, a level, a trace or a span are the event's. Where an entry has one of the same name as its
stream, the stream's is `stream.<name>`; only the service is the stream's first.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from functions.shared.events import levels
from functions.shared.events.judge import MAX_NAME_CHARACTERS, RejectedEvent
from functions.shared.events.names import names_of, plain_name

_SERVICE = (
    "service_name", "service", "app", "application", "app_name", "name", "app_kubernetes_io_name",
    "compose_service", "container", "container_name", "k8s_container_name", "component", "workload", "job",
    "k8s_job_name",
)  # fmt: skip
"""The labels that name a service, in the order in which Loki itself looks for them, with Docker Compose's."""

_LEVEL = (
    "level", "detected_level", "log.level", "severity", "severity_text", "lvl", "loglevel", "log_level",
    "levelname", "severity_number",
)  # fmt: skip

_ROLES: Mapping[str, tuple[str, int]] = {
    name: (field, rank)
    for field, names in {
        "service": _SERVICE,
        "level": _LEVEL,
        "trace_id": names_of("trace_id"),
        "span_id": names_of("span_id"),
    }.items()
    for rank, name in enumerate(names)
}
"""Name of a label -> the field that it may be, and its rank among the names of that field."""

_SEVERITY_NUMBER = "severity_number"
_MOST_DIGITS = 2
_USUAL_PAIRS = 64

INVALID_LABELS = RejectedEvent("invalid_labels", 'The stream\'s labels are not of the form {name="value"}.')

Pairs = Mapping[str, Any]
"""Labels or structured metadata: name -> value, which is a text, or with JSON any value."""

LokiEvent = dict[str, Any] | RejectedEvent


class LokiStream:
    """The labels that its entries have in common."""

    def __init__(self, labels: Pairs) -> None:
        self._fields, self._rest = _split(labels)

    def event(self, timestamp: Any, line: str, pairs: Pairs) -> dict[str, Any]:
        """One entry. `timestamp`: as an event has it; None for none. `pairs`: its structured metadata."""
        event: dict[str, Any] = {"message": line, **self._fields}
        if timestamp is not None:
            event["timestamp"] = timestamp
        event["metadata"] = self._rest
        if pairs:
            fields, rest = _split(pairs, "service" if "service" in self._fields else "")
            event["metadata"] = self._joined(fields, rest)
            event |= fields
        return event

    def _joined(self, fields: Mapping[str, str], rest: Pairs) -> Pairs:
        """The metadata of an entry with fields of its own."""
        labels = {name if name not in rest else f"stream.{name}": value for name, value in self._rest.items()}
        replaced = {
            f"stream.{name}": value
            for name, value in self._fields.items()
            if fields.get(name, value) != value
        }
        return {**replaced, **labels, **rest}


def _split(pairs: Pairs, unwanted: str = "") -> tuple[dict[str, str], Pairs]:
    """`pairs` split into fields of an event, without the field `unwanted`, and all other pairs."""
    names = tuple(pairs)
    is_usual = len(names) <= _USUAL_PAIRS and max(map(len, names), default=0) <= MAX_NAME_CHARACTERS
    fields: dict[str, str] = {}
    moved: list[str] = []
    for field, name in (_candidates if is_usual else _candidates_of)(names):
        if field in fields or field == unwanted:
            continue
        fitting = _fitting(field, name, pairs[name])
        if fitting:
            fields[field] = fitting
            if _says_the_same(pairs[name], fitting):
                moved.append(name)
    return fields, {name: value for name, value in pairs.items() if name not in moved} if moved else pairs


def _candidates_of(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Field and name of each pair that may be a field of an event, the first usable one wins."""
    found = [(*_ROLES[plain_name(name)], name) for name in names if plain_name(name) in _ROLES]
    return tuple((field, name) for field, _, name in sorted(found))


_candidates = lru_cache(maxsize=1024)(_candidates_of)
"""Entries of one sender have the same few names."""


def _fitting(field: str, name: str, value: Any) -> str:
    """The value if it can be that of the field; empty otherwise."""
    if field == "level":
        return _level(plain_name(name), value) or ""
    is_name = isinstance(value, str) and (field != "service" or len(value) <= MAX_NAME_CHARACTERS)
    return value if is_name else ""


def _level(name: str, value: Any) -> str | None:
    if not isinstance(value, str | int):
        return None
    text = str(value)
    number = int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else None
    if name == _SEVERITY_NUMBER:
        return None if number is None else levels.of_otel(number)
    return levels.canonical(text if number is None else number)


def _says_the_same(value: Any, fitting: str) -> bool:
    """Whether nothing is lost when only the field stays: not so for a level in other words."""
    return isinstance(value, str) and value.lower() == fitting.lower()
