"""What may be written at a position of a query: fields, values, functions, pipes and keywords. Pure.

`wanted` says what is being written there, so that its caller can look up the names or values of one kind;
`completions` then offers those that match, in the order in which they were found.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from functions.query.language import names
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.filter_parser import LEVEL
from functions.query.language.parser import scope_behind
from functions.query.language.pipe_parser import FUNCTIONS, PIPES
from functions.query.language.printer import value_text
from functions.query.language.scope import AnyType, Scope
from functions.query.language.syntax_tree import FieldRef, Value
from functions.shared.events.levels import CANONICAL

MAX_COMPLETIONS = 50

Kind = Literal["field", "value", "function", "pipe", "keyword", "nothing"]

HELP = {
    "stats": "count, sum and other results, by fields",
    "sort": "order the rows: sort -field",
    "limit": "the first rows",
    "fields": "the fields of the result",
    "where": "rows for which a condition holds",
    "extract": "fields from text, by an expression or a pattern",
    "dedup": "the first row of each value",
    "top": "the most frequent values",
    "patterns": "the templates of messages",
    "count": "number of rows",
    "uniq": "number of different values",
    "sum": "sum of the numbers",
    "avg": "mean of the numbers",
    "min": "smallest value",
    "max": "largest value",
    "p50": "median",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "bucket": "interval of time, such as bucket(5m)",
    "AND": "both conditions",
    "OR": "one of the conditions",
    "NOT": "not the condition",
}

_TOKEN = re.compile(
    r"(?<![^\s(])/(?:[^/\\\n]|\\.)+/i?(?=[\s)|]|$)|"
    r'"(?:[^"\\]|\\.)*(?:"|$)|@?`(?:[^`]|``)*(?:`|$)(?::[^\s|()",`]*)?|[|(),]|[^\s|()",`]+|\s+',
    re.DOTALL,
)
_REST = re.compile(r'[^\s|()",]*')
_QUOTED_NAME = re.compile(r"(@?`(?:[^`]|``)*`)(:)(.*)", re.DOTALL)
_LISTED = ("sort", "fields", "dedup", "top")


class Wanted(Struct, frozen=True):
    """What is written from `start` to `end`, of which the text before the position is `typed`.

    `field`: whose values are wanted. `outputs`: the fields of earlier pipes. `events`: whether the fields of
    events are wanted, too. `colon`: whether a field is followed by its value.
    """

    kind: Kind
    start: int
    end: int
    typed: str
    field: FieldRef | None = None
    outputs: tuple[tuple[str, AnyType], ...] = ()
    events: bool = True
    colon: bool = False


class KnownField(Struct, frozen=True):
    """A field that events have, in how many of those looked at."""

    field: FieldRef
    count: int | None = None


class KnownValue(Struct, frozen=True):
    """A value that a field has, in how many of the events looked at."""

    value: Value
    count: int | None = None


class Completion(Struct, frozen=True, omit_defaults=True):
    """`insert` replaces the range of the completions; `detail` is a type, or help of one line."""

    label: str
    insert: str
    kind: Kind
    detail: str = ""
    count: int | None = None


def wanted(text: str, position: int) -> Wanted:
    """What is being written at `position`, from 0 to the length of `text`."""
    before = text[:position]
    tokens = list(_tokens(before))
    stage = _stage(tokens)
    rest = _REST.match(text, position)
    end = rest.end() if rest else position
    words = [token for token in tokens[stage:] if not token[1].isspace()]
    typed = words[-1] if words and tokens[-1] is words[-1] and words[-1][1] not in "|()," else (position, "")
    earlier = [word for at, word in words if (at, word) != typed]
    scope = _scope(before[: tokens[stage - 1][0]]) if stage else Scope()
    found = _in_pipe(earlier, typed) if stage else None
    if found is None:
        found = _in_filter(earlier, typed, scope)
    kind, start, prefix, field, colon = found
    outputs = tuple(scope.outputs.items())
    return Wanted(kind, start, max(start, end), prefix, field, outputs, scope.events, colon)


_Found = tuple[Kind, int, str, FieldRef | None, bool]


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        yield match.start(), match[0]


def _stage(tokens: Sequence[tuple[int, str]]) -> int:
    """The index behind the last pipe."""
    return next((at + 1 for at in range(len(tokens) - 1, -1, -1) if tokens[at][1] == "|"), 0)


def _scope(text: str) -> Scope:
    """The fields behind the pipes of `text`; those of events if it is not a query."""
    try:
        return scope_behind(text)
    except QuerySyntaxError:
        return Scope()


def _in_pipe(earlier: list[str], typed: tuple[int, str]) -> _Found | None:
    """None for `where`, which is a filter."""
    start, prefix = typed
    if not earlier:
        return "pipe", start, prefix, None, False
    name, *following = earlier
    if name == "where":
        earlier[:] = following
        return None
    nothing: _Found = ("nothing", start, prefix, None, False)
    field: _Found = ("field", start + prefix.startswith("-"), prefix.removeprefix("-"), None, False)
    if name == "stats":
        return _in_stats(following, typed) or field
    if name in _LISTED:
        return field if not following or following[-1] == "," or following[-1].isdigit() else nothing
    return field if name == "extract" and following[-1:] == ["from"] else nothing


def _in_stats(following: list[str], typed: tuple[int, str]) -> _Found | None:
    """None for a field."""
    start, prefix = typed
    last = following[-1] if following else ","
    if last == "(" or (last in ("by", ",") and "by" in following):
        return None
    if last == ",":
        return "function", start, prefix, None, False
    return "keyword", start, prefix, None, False


def _in_filter(earlier: list[str], typed: tuple[int, str], scope: Scope) -> _Found:
    start, prefix = typed
    prefix, start = prefix.lstrip("-"), start + len(prefix) - len(prefix.lstrip("-"))
    quoted = _QUOTED_NAME.match(prefix)
    name, colon, value = quoted.groups() if quoted else prefix.partition(":")
    if colon and not prefix.startswith(('"', "/")):
        return "value", start + len(name) + 1, value, _field(name, scope), False
    grouped = _group(earlier)
    if grouped:
        return "value", start, prefix, _field(grouped, scope), False
    if earlier and earlier[-1].endswith(":") and prefix.startswith(('"', "`")):
        return "value", start, prefix, _field(earlier[-1].lstrip("-")[:-1], scope), False
    if prefix.startswith(('"', "/")):
        return "nothing", start, prefix, None, False
    return "field", start, prefix, None, True


def _group(earlier: list[str]) -> str:
    """The field whose values are in parentheses that are open; empty if there are none."""
    depth = 0
    for at in range(len(earlier) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(earlier[at], 0)
        if depth < 0:
            before = earlier[at - 1].lstrip("-") if at else ""
            return before[:-1] if before.endswith(":") else ""
    return ""


def _field(name: str, scope: Scope) -> FieldRef | None:
    bare = name.removeprefix("@").strip("`").replace("``", "`")
    if not name.startswith("@") and bare in scope.outputs:
        return FieldRef("output", bare)
    if not scope.events or not bare:
        return None
    return FieldRef("path", bare) if name.startswith("@") else names.resolve(bare)


def completions(
    found: Wanted, fields: Sequence[KnownField] = (), values: Sequence[KnownValue] = ()
) -> list[Completion]:
    """What may replace the text of `found`: `fields` for a field, `values` for a value.

    Those that begin with what is typed come first, then those that contain it.
    """
    offered = list(_offered(found, fields, values))
    typed = found.typed.lstrip('"`@').lower()
    begins = [each for each in offered if each.label.lower().lstrip("@`").startswith(typed)]
    contains = [each for each in offered if typed in each.label.lower() and each not in begins]
    return [*begins, *contains][:MAX_COMPLETIONS]


def _offered(
    found: Wanted, fields: Sequence[KnownField], values: Sequence[KnownValue]
) -> Iterator[Completion]:
    match found.kind:
        case "pipe":
            yield from (Completion(name, f"{name} ", "pipe", HELP[name]) for name in PIPES)
        case "function":
            yield from (Completion(name, f"{name}(", "function", HELP[name]) for name in FUNCTIONS)
        case "keyword":
            yield from (Completion(word, f"{word} ", "keyword") for word in ("by", "as"))
        case "field":
            yield from _offered_fields(found, fields)
        case "value" if found.field is not None:
            for each in [KnownValue(level) for level in CANONICAL] if _is_level(found) else values:
                text = value_text(found.field, each.value)
                yield Completion(text, text, "value", count=each.count)
        case _:
            return


def _is_level(found: Wanted) -> bool:
    """Whether the values are those of the column, also behind `stats` and `top`."""
    as_output = FieldRef("output", LEVEL.name)
    return found.field == LEVEL or (found.field == as_output and (LEVEL.name, "text") in found.outputs)


def _offered_fields(found: Wanted, fields: Sequence[KnownField]) -> Iterator[Completion]:
    colon = ":" if found.colon else ""
    for name, kind in found.outputs:
        text = names.quoted(name)
        yield Completion(text, text + colon, "field", kind or "text")
    if not found.events:
        return
    for column in sorted(names.COLUMNS):
        yield Completion(column, column + colon, "field", "time" if column in names.TIME_COLUMNS else "text")
    for each in fields:
        text = names.written(each.field)
        yield Completion(text, text + colon, "field", "metadata", each.count)
    if found.colon:
        yield from (Completion(word, f"{word} ", "keyword", HELP[word]) for word in ("AND", "OR", "NOT"))
    else:
        yield Completion("bucket", "bucket(", "function", HELP["bucket"])
