"""Summarize the fields of sampled events: names, types, shares and most frequent values. Pure.

A field of metadata is named by its path, as a query finds it: a key with dots as a whole comes before the way
through nested objects. Objects are the fields inside of them, unless they are empty.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from functions.query.language.names import MAX_PATH_PARTS, path_parts
from functions.query.language.syntax_tree import FieldRef
from functions.query.tokens import Scalar

JsonType = Literal["string", "number", "boolean", "null", "array", "object"]

COLUMNS = ("level", "service", "project_id", "trace_id", "span_id")
MAX_NAME_CHARACTERS = 256
MAX_VALUE_CHARACTERS = 256
"""Longer text counts as different values, but is not among the most frequent ones."""

Metadata = Mapping[str, Any]


class SampledRow(Struct):
    """A row of the sample; `metadata` is JSON."""

    timestamp: str
    level: str
    service: str
    project_id: str
    trace_id: str
    span_id: str
    metadata: str


@dataclass(slots=True)
class FieldSummary:
    """What the events of a sample have in one field.

    `values`: counts of text, numbers, booleans and null, by type and value.
    """

    ref: FieldRef
    count: int = 0
    types: set[JsonType] = field(default_factory=set)
    values: Counter[tuple[JsonType, Scalar]] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Count the value of one event."""
        kind, scalar = _classified(value)
        self.count += 1
        self.types.add(kind)
        if kind not in ("array", "object"):
            self.values[kind, scalar] += 1

    def top(self, count: int) -> list[tuple[Scalar, int]]:
        """The most frequent values with their counts; of equal counts in the order of type and value."""
        short = ((key, n) for key, n in self.values.items() if is_listed(key[1]))
        return [(key[1], n) for key, n in nsmallest(count, short, key=_rank)]


def is_listed(value: Scalar) -> bool:
    """Whether the value may be among the most frequent ones."""
    return not isinstance(value, str) or len(value) <= MAX_VALUE_CHARACTERS


class SampledEvent(Struct):
    """A row, its decoded metadata, and that by path."""

    row: SampledRow
    metadata: Metadata
    flat: dict[str, Any]


def events_of(rows: Sequence[SampledRow], max_pairs: int) -> list[SampledEvent]:
    """The events of the first rows, which have at most `max_pairs` fields of metadata in all; at least one.

    Metadata that is not JSON, which only a customer's table can contain, has no fields.
    """
    found: list[SampledEvent] = []
    for row in rows:
        metadata = _decoded(row.metadata)
        flat = flattened(metadata)
        max_pairs -= len(flat)
        if found and max_pairs < 0:
            break
        found.append(SampledEvent(row, metadata, flat))
    return found


def discovered(sample: Sequence[SampledEvent], max_fields: int) -> tuple[list[FieldSummary], bool]:
    """The fields of the sample: columns, then the `max_fields` most frequent ones of metadata.

    Returns whether there are more, too.
    """
    counts = Counter(name for event in sample for name in event.flat)
    names = nsmallest(max_fields, counts, key=lambda name: (-counts[name], name))
    found = {name: FieldSummary(FieldRef("path", name)) for name in names}
    for event in sample:
        for name, value in event.flat.items():
            if name in found:
                found[name].add(value)
    columns = named([FieldRef("column", name) for name in COLUMNS], sample)
    return [*columns, *found.values()], len(counts) > len(names)


def named(fields: Iterable[FieldRef], sample: Sequence[SampledEvent]) -> list[FieldSummary]:
    """The given fields of the sample, in their order."""
    found = [FieldSummary(each) for each in fields]
    for summary in found:
        for event in sample:
            for value in _values(event, summary.ref):
                summary.add(value)
    return found


def _values(event: SampledEvent, field: FieldRef) -> Iterator[Any]:
    if field.kind == "path":
        yield from values_at(event.metadata, field.name)
    elif text := getattr(event.row, field.name):
        yield text


def values_at(metadata: Metadata, path: str) -> Iterator[Any]:
    """The value that a query finds at `path`; none if there is none."""
    if path in metadata:
        yield metadata[path]
        return
    at: Any = metadata
    for part in path.split("."):
        if not isinstance(at, dict) or part not in at:
            return
        at = at[part]
    yield at


def flattened(metadata: Metadata) -> dict[str, Any]:
    """The values of `metadata` by their paths; those that no path finds are left out."""
    found: dict[str, Any] = {}
    levels: list[tuple[str, Metadata]] = [("", metadata)]
    for prefix, level in levels:
        for key, value in level.items():
            name = prefix + key
            if not _is_reachable(prefix, key, name):
                continue
            if isinstance(value, dict) and value and "." not in key and path_parts(name) < MAX_PATH_PARTS:
                levels.append((f"{name}.", value))
            else:
                found.setdefault(name, value)
    return found


def _is_reachable(prefix: str, key: str, name: str) -> bool:
    if not key or (prefix and "." in key):
        return False
    return len(name) <= MAX_NAME_CHARACTERS and path_parts(name) <= MAX_PATH_PARTS


def _decoded(text: str) -> Metadata:
    try:
        found = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return cast(Metadata, found) if isinstance(found, dict) else {}


def _classified(value: Any) -> tuple[JsonType, Scalar]:
    """The type of a value, and the value if it is no array or object."""
    match value:
        case None:
            return "null", None
        case bool():
            return "boolean", value
        case int() if not -(2**63) <= value < 2**64:
            return "string", str(value)  # the engine compares it as text
        case int() | float():
            return "number", value
        case str():
            return "string", value
        case list():
            return "array", None
        case _:
            return "object", None


def _rank(counted: tuple[tuple[JsonType, Scalar], int]) -> tuple[int, str, float, str]:
    (kind, value), count = counted
    number = value if isinstance(value, int | float) else 0
    return -count, kind, number, str(value)
