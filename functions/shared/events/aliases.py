"""Find the fields of an event in a record that was not written for us, by the names of `names.OTHER_NAMES`.

Loggers, agents and cloud services each have their own names for a message, a time and a level. A field that
is found under another name moves to ours; all others stay and go into the metadata, so nothing is dropped.
A value counts only if it can be what it is named: `status` is a level when it says `error`, and not when it
says 200. A field under our name is never replaced, unless its level is none and another name has
one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from functions.shared.events import levels, timestamps
from functions.shared.events.judge import Fields
from functions.shared.events.names import (
    MAX_NAME_CHARACTERS,
    NEVER_A_NUMBER,
    OTEL_NUMBERS,
    SYSLOG_NUMBERS,
    names_of,
    plain_name,
)

_text = msgspec.json.Decoder(str)
_object = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode

_EMPTY = Raw(b'""')
_LONGEST_NUMBER = 3
_FIELDS = ("timestamp", "level", "service", "trace_id", "span_id", "message")
_OBJECTS = frozenset({"service"})
"""The fields that some senders make an object."""

_USUAL_FIELDS = 64
"""What knows the places of a record's fields is kept for records of at most so many."""

_GOOGLE_TRACE = "/traces/"
"""Google writes a trace as `projects/<project>/traces/<id>`."""

MAX_NESTED_BYTES = 64 * 1024
"""Larger objects are not searched: `kubernetes` and `service` have hundreds of bytes."""


def read_as_event(fields: Fields) -> Fields:
    """`fields` with those of an event under our names; a record without a message gets an empty one.

    An empty object stays empty.
    """
    found = with_columns(fields)
    return found if "message" in found or not found else {**found, "message": _EMPTY}


def with_columns(fields: Fields) -> Fields:
    """`fields`, with every field of an event that was found under our name."""
    names = tuple(fields)
    is_usual = len(names) <= _USUAL_FIELDS and max(map(len, names), default=0) <= MAX_NAME_CHARACTERS
    candidates = (_candidates if is_usual else _candidates_of)(names)
    if not candidates:
        return fields
    found = dict(fields)
    for field, places in candidates:
        if field not in found:
            _find(found, field, places)
        elif field == "level" and _fitting_level(field, found[field]) is None:
            _find_better_level(found, places)
    return _with_named_service(found)


class _Place(Struct, frozen=True):
    """Where a field may stand: at the record's field `sent`, or at `path` below that.

    `name`: the name of names.OTHER_NAMES for it.
    """

    name: str
    sent: str
    path: str


Candidates = tuple[tuple[str, tuple[_Place, ...]], ...]
"""Field -> the places where it may stand in records with certain names, in the order of names.OTHER_NAMES."""


def _candidates_of(sent: tuple[str, ...]) -> Candidates:
    """The candidates of records that have the names `sent`; empty when ours are the only ones."""
    names = {plain_name(name): name for name in reversed(sent)}
    found = [(field, tuple(_places(field, names))) for field in _FIELDS]
    return tuple((field, places) for field, places in found if places or names.get(field) in _OBJECTS)


_candidates = lru_cache(maxsize=1024)(_candidates_of)
"""Records of one sender have the same few names; looking these up costs more than reading the record."""


def _places(field: str, names: Mapping[str, str]) -> Iterator[_Place]:
    for name in names_of(field):
        if name in names:
            if names[name] != field:
                yield _Place(name, names[name], "")
            continue
        head, _, path = name.partition(".")
        if path and head in names:
            yield _Place(name, names[head], path)
    if field == "timestamp" and "instant" in names:
        yield _Place("instant", names["instant"], "")


def _find(fields: Fields, field: str, places: Iterable[_Place]) -> None:
    """Put the first fitting value among `places` under `field`; one at the root moves if it fits as it is."""
    for place in places:
        sent = fields.get(place.sent)
        value = _nested(sent, place.path) if sent is not None and place.path else sent
        fitting = None if value is None else _FITTING[field](place.name, value)
        if fitting is None:
            continue
        if fitting is sent:
            del fields[place.sent]
        fields[field] = fitting
        return


def _find_better_level(fields: Fields, places: Iterable[_Place]) -> None:
    """Monolog's `level` is a number of its own, and its `level_name` is a level."""
    original = fields.pop("level")
    _find(fields, "level", places)
    if "level" in fields:
        fields["original_level"] = original
    else:
        fields["level"] = original


def _nested(value: Raw, path: str) -> Raw | None:
    """The value at `path` below an object; the rest of the path may itself hold dots."""
    rest = path
    while len(value) <= MAX_NESTED_BYTES and bytes(value)[:1] == b"{":
        inner = {plain_name(each): raw for each, raw in _object.decode(value).items()}
        if rest in inner:
            return inner[rest]
        head, _, rest = rest.partition(".")
        if not rest or head not in inner:
            return None
        value = inner[head]
    return None


def _fitting_text(_name: str, value: Raw) -> Raw | None:
    return value if bytes(value)[:1] == b'"' else None


def _fitting_time(name: str, value: Raw) -> Raw | None:
    if name == "instant":
        return _from_instant(value)
    text = bytes(value)
    if text[:1] == b'"':
        return value if timestamps.from_text(_text.decode(value)) is not None else None
    return value if text[:1].isdigit() and timestamps.from_number(text.decode()) is not None else None


def _fitting_level(name: str, value: Raw) -> Raw | None:
    """The value if it is a level; a number whose meaning its name decides becomes the level's name."""
    text = bytes(value)
    if name in OTEL_NUMBERS or name in SYSLOG_NUMBERS:
        number = text.strip(b'"')
        if len(number) > _LONGEST_NUMBER or not number.isdigit():
            return None
        level = levels.of_otel(int(number)) if name in OTEL_NUMBERS else levels.of_syslog(int(number))
        return Raw(_encode(level)) if level else None
    if text[:1] == b'"':
        return value if levels.canonical(_text.decode(value)) is not None else None
    if name in NEVER_A_NUMBER or len(text) > _LONGEST_NUMBER or not text.isdigit():
        return None
    return value if levels.canonical(int(text)) is not None else None


def _fitting_trace(_name: str, value: Raw) -> Raw | None:
    if bytes(value)[:1] != b'"':
        return None
    _, marker, last = _text.decode(value).rpartition(_GOOGLE_TRACE)
    return Raw(_encode(last)) if marker and last else value


_FITTING: Mapping[str, Callable[[str, Raw], Raw | None]] = {
    "message": _fitting_text,
    "timestamp": _fitting_time,
    "level": _fitting_level,
    "service": _fitting_text,
    "trace_id": _fitting_trace,
    "span_id": _fitting_text,
}
"""Field -> what its value becomes, or None when it cannot be that. The same object: it moves to our name;
another one: the original stays in the metadata."""


class _Instant(msgspec.Struct):
    """The time of log4j's JsonLayout."""

    epochSecond: int  # noqa: N815 - log4j's name
    nanoOfSecond: int = 0  # noqa: N815 - log4j's name


_instant = msgspec.json.Decoder(_Instant)


def _from_instant(raw: Raw) -> Raw | None:
    try:
        instant = _instant.decode(raw)
    except msgspec.ValidationError:
        return None
    text = f'"{instant.epochSecond}.{instant.nanoOfSecond:09d}"'
    is_time = 0 <= instant.epochSecond < 10**10 and 0 <= instant.nanoOfSecond < timestamps.NANOSECONDS
    return Raw(text.encode()) if is_time else None


def _with_named_service(fields: Fields) -> Fields:
    """In Elastic's schema `service` is an object: its name is the service, and it stays in the metadata."""
    service = fields.get("service")
    if service is None or bytes(service)[:1] != b"{":
        return fields
    name = _object.decode(service).get("name")
    found = {each: value for each, value in fields.items() if each != "service"}
    if name is not None and bytes(name)[:1] == b'"':
        found["service"] = name
    found["service.object"] = service
    return found
