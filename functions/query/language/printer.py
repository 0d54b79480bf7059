"""Write a tree as text that parses to the same tree."""

from functions.query import times
from functions.query.language import literals, names
from functions.query.language.filter_parser import LEVEL
from functions.query.language.pipe_parser import UNITS, default_name
from functions.query.language.scanner import FREE_CHUNK, KEYWORDS, VALUE_CHUNK
from functions.query.language.syntax_tree import (
    MESSAGE,
    Aggregate,
    AllOf,
    AnyOf,
    Bound,
    ContainsText,
    ContainsWordLike,
    ContainsWords,
    DedupPipe,
    Equals,
    Everything,
    Exists,
    ExtractPipe,
    FieldRef,
    FieldsPipe,
    Filter,
    GroupField,
    GroupKey,
    InRange,
    Like,
    LimitPipe,
    Loose,
    MatchesRegex,
    Negation,
    PatternsPipe,
    Pipe,
    Query,
    SortPipe,
    StatsPipe,
    TopPipe,
    Value,
    WherePipe,
)
from functions.shared.events.levels import CANONICAL

_SPECIAL_STARTS = ("[", "<", ">", "/")


class NoTextError(ValueError):
    """A JSON condition has no form in the language: a number or constant of one type only, or `contains`."""


def printed(query: Query, separator: str = " | ") -> str:
    """The text of `query`, with `separator` before each pipe.

    Raises
    ------
    NoTextError: the tree is not that of a text.
    """
    return separator.join([printed_filter(query.filter), *map(_pipe, query.pipes)])


def printed_filter(found: Filter) -> str:
    """The text of a filter; raises as `printed` does."""
    match found:
        case AllOf():
            return " ".join(map(_operand, found.operands))
        case AnyOf():
            return " OR ".join(map(_operand, found.operands))
        case Negation():
            return f"-{_operand(found.operand)}"
        case _:
            return _condition(found)


def _operand(found: Filter) -> str:
    text = printed_filter(found)
    return f"({text})" if isinstance(found, AllOf | AnyOf) else text


def _condition(found: Filter) -> str:
    match found:
        case Everything():
            return "*"
        case ContainsWords():
            return _chunk(found.text, bare=_is_word(found.text))
        case ContainsWordLike():
            return _starred(found.parts, free=True)
        case MatchesRegex() if found.field == MESSAGE:
            return _regex(found)
        case ContainsText() | AllOf() | AnyOf() | Negation():
            raise NoTextError("JSON's 'contains' has no text")
        case _:
            return f"{names.written(found.field)}:{_value_of(found)}"


def _value_of(found: Equals | InRange | Exists | Like | MatchesRegex) -> str:
    match found:
        case Equals() if found.field == LEVEL and _is_severe_end(found.values):
            return f">={found.values[0]}"
        case Equals():
            texts = [_value(found.field, value) for value in found.values]
            return texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"
        case InRange():
            return _range(found)
        case Exists():
            return "*"
        case Like():
            return _starred(found.parts, free=False)
        case MatchesRegex():
            return _regex(found)


def _is_severe_end(levels: tuple[Value, ...]) -> bool:
    """Whether these are several levels, and all that are as severe as the first or more."""
    return len(levels) > 1 and levels == CANONICAL[-len(levels) :]


def _regex(found: MatchesRegex) -> str:
    return f"/{found.pattern}/{'i' if found.ignore_case else ''}"


def value_text(field: FieldRef, value: Value) -> str:
    """`value` as the value of a condition on `field`; raises as `printed` does."""
    return _value(field, value)


def _value(field: FieldRef, value: Value) -> str:
    if isinstance(value, Loose):
        return value.text
    if isinstance(value, str):
        return _text(value, typed=field.kind == "path")
    if _is_time(field) and isinstance(value, int):
        return times.rfc3339(value)
    if field.kind == "output" and isinstance(value, int | float):
        return repr(value)
    raise NoTextError("a JSON value of one type only has no text")


def _is_time(field: FieldRef) -> bool:
    return field.kind == "column" and field.name in names.TIME_COLUMNS


def _range(found: InRange) -> str:
    low, high = found.low, found.high
    if low and high:
        return f"[{_bound(found.field, low)} TO {_bound(found.field, high)}]"
    sign = ">" if low else "<"
    bound = low or high
    if bound is None:
        raise NoTextError("a range without bounds has no text")
    return f"{sign}{'=' if bound.inclusive else ''}{_bound(found.field, bound)}"


def _bound(field: FieldRef, bound: Bound) -> str:
    if isinstance(bound.value, str):
        quoted = any(bracket in bound.value for bracket in "[]") or literals.is_beyond_numbers(bound.value)
        return _chunk(bound.value, bare=False) if quoted else _text(bound.value, typed=True)
    if _is_time(field) and isinstance(bound.value, int):
        return times.rfc3339(bound.value)
    return repr(bound.value)


def _text(text: str, *, typed: bool) -> str:
    """`typed`: whether quotes keep the text from being a number or a constant."""
    bare = (
        VALUE_CHUNK.fullmatch(text) is not None
        and not text.startswith(_SPECIAL_STARTS)
        and text not in KEYWORDS
        and not (typed and literals.is_loose(text))
    )
    return _chunk(text, bare=bare)


def _is_word(text: str) -> bool:
    return (
        FREE_CHUNK.fullmatch(text) is not None
        and not text.startswith(("-", "/", "@"))
        and text not in KEYWORDS
    )


def _chunk(text: str, *, bare: bool) -> str:
    if bare:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _starred(parts: tuple[str, ...], *, free: bool) -> str:
    chunk = FREE_CHUNK if free else VALUE_CHUNK
    starts = (*_SPECIAL_STARTS, "-", "@") if free else _SPECIAL_STARTS
    if parts[0] == "" and len(parts) == 2:
        # Without quotes, `*a` and a later `b*` would be `*a b*`.
        return f"*{_chunk(parts[1], bare=False)}"
    texts = [
        _chunk(part, bare=not part or (chunk.fullmatch(part) is not None and not part.startswith(starts)))
        for part in parts
    ]
    return "*".join(texts)


def _pipe(pipe: Pipe) -> str:
    match pipe:
        case StatsPipe():
            by = f" by {', '.join(map(_key, pipe.by))}" if pipe.by else ""
            return f"stats {', '.join(map(_aggregate, pipe.aggregates))}{by}"
        case SortPipe():
            keys = (f"{'-' if key.descending else ''}{names.written(key.field)}" for key in pipe.keys)
            return f"sort {', '.join(keys)}"
        case LimitPipe():
            return f"limit {pipe.count}"
        case FieldsPipe():
            return f"fields {_names(pipe.fields)}"
        case WherePipe():
            return f"where {printed_filter(pipe.filter)}"
        case ExtractPipe():
            return f"extract {_extraction(pipe)}"
        case DedupPipe():
            return f"dedup {_names(pipe.fields)}"
        case TopPipe():
            return f"top {pipe.count} {_names(pipe.fields)}"
        case PatternsPipe():
            return f"patterns {pipe.count}"


def _names(fields: tuple[FieldRef, ...]) -> str:
    return ", ".join(map(names.written, fields))


def _extraction(pipe: ExtractPipe) -> str:
    source = "" if pipe.source == MESSAGE else f" from {names.written(pipe.source)}"
    if pipe.pattern:
        return f"pattern {_chunk(pipe.expression, bare=False)}{source}"
    return f"/{pipe.expression}/{'i' if pipe.ignore_case else ''}{source}"


def _aggregate(aggregate: Aggregate) -> str:
    argument = names.written(aggregate.field) if aggregate.field else ""
    called = aggregate.name == default_name(aggregate.function, aggregate.field)
    name = "" if called else f" as {names.quoted(aggregate.name)}"
    return f"{aggregate.function}({argument}){name}"


def _key(key: GroupKey) -> str:
    if isinstance(key, GroupField):
        return names.written(key.field)
    unit = max((unit for unit, seconds in UNITS.items() if key.seconds % seconds == 0), key=UNITS.__getitem__)
    return f"bucket({key.seconds // UNITS[unit]}{unit})"
