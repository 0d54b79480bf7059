"""Conditions on a value of metadata, each by the cheapest road that is exact.

`a.b` is the value under the key "a.b", or under b of the object a. Numbers compare as numbers (1 is 1.0)
and only with numbers, text only with text: `false`, "false" and 0 are three things. A whole number beyond
64 bits is text to the engine. When a key stands twice in one object, to which JSON gives no meaning,
`eq` may go by either value. Metadata the engine cannot read (a number beyond a double, half of a surrogate
pair, more than 1,024 levels) is kept and shown but not found by its keys.

A condition binds its path once and its values as one array of each type, so that neither the statement nor
what the engine plans grows with the number of values.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from functions.query.bindings import Bindings
from functions.query.tokens import Scalar, key_token, value_start, value_tokens

PROMOTED = frozenset({"duration_ms"})
"""Numeric keys that have a column of their own name."""

EXACT_IN_A_DOUBLE = 2**53
UNICODE_ESCAPE = "\\u"

MAX_NEEDLES = 8
"""Looking for the bytes of more values costs the engine more than parsing the rows that have the key."""

_NEVER_ESCAPED_SHORT = re.compile(r"[0-9A-Za-z _.:-]{4,}")


@dataclass(frozen=True, slots=True)
class _Place:
    """One of the places that a path may mean.

    `at`: the arguments that lead the engine's JSON functions there. `has_key`: SQL for the rows with the
    first key of it, which the index answers; None when that key is too long to be indexed.
    """

    at: str
    has_key: str | None


@dataclass(slots=True)
class _Values:
    """Values of a condition by how the engine compares them.

    `tokens`: those that the index holds. `raws`: constants and whole numbers that a double cannot hold, as
    JSON writes them.
    """

    tokens: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)


def equals_any(key: str, values: Sequence[Scalar], bindings: Bindings) -> str:
    """SQL for: the value under `key` is one of `values`, of the same JSON type."""
    kinds = _by_kind(key, values)
    found = []
    if kinds.tokens:
        found.append(_among_tokens(key, kinds.tokens, bindings))
    if kinds.numbers and key in PROMOTED:
        found.append(f"ifNull({key} {_among_numbers(kinds.numbers, bindings)}, 0)")
        kinds.numbers = []
    if kinds.texts or kinds.raws or kinds.numbers:
        found += _parsed(_places(key, bindings), kinds, bindings)
    return f"({' OR '.join(found)})"


def exists(key: str, bindings: Bindings) -> str:
    """SQL for: there is a value under `key`, be it null."""
    token = key_token(key)
    if token and "." not in key:
        return f"({_indexed(token, bindings)})"
    return _somewhere(_places(key, bindings), lambda at: f"JSONHas({at})")


def compares(key: str, sign: str, value: Scalar, bindings: Bindings) -> str:
    """SQL for: the value under `key` is of the type of `value`, a number or text, and `sign` holds."""
    if isinstance(value, str):
        bound = bindings.text(value)
        return _somewhere(
            _places(key, bindings),
            lambda at: f"JSONType({at}) = 'String' AND JSONExtractString({at}) {sign} {bound}",
        )
    bound = bindings.number(float(value or 0))
    if key in PROMOTED:
        return f"ifNull({key} {sign} {bound}, 0)"
    return _somewhere(_places(key, bindings), lambda at: f"ifNull({_number(at)} {sign} {bound}, 0)")


def contains(key: str, text: str, bindings: Bindings) -> str:
    """SQL for: the value under `key` is text that holds `text`, or an array with `text` as an element."""
    bound = bindings.text(text)
    return _somewhere(
        _places(key, bindings),
        lambda at: (
            f"if(JSONType({at}) = 'String', position(JSONExtractString({at}), {bound}) > 0, "
            f"arrayExists(element -> startsWith(element, '\"') AND JSONExtractString(element) = {bound}, "
            f"JSONExtractArrayRaw({at})))"
        ),
    )


def _by_kind(key: str, values: Sequence[Scalar]) -> _Values:
    kinds = _Values()
    for value in values:
        tokens = value_tokens(key, value) if "." not in key else ()
        if tokens:
            kinds.tokens += tokens
        elif isinstance(value, str):
            kinds.texts.append(value)
        elif value is None or isinstance(value, bool):
            kinds.raws.append({None: "null", True: "true", False: "false"}[value])
        elif isinstance(value, int) and abs(value) >= EXACT_IN_A_DOUBLE:
            kinds.raws.append(str(value))
        else:
            kinds.numbers.append(value)
    return kinds


def _parsed(places: Sequence[_Place], kinds: _Values, bindings: Bindings) -> list[str]:
    """SQL for the values that the index does not hold, one condition for each kind there is."""
    found = []
    if kinds.texts:
        found.append(_among_texts(places, kinds.texts, bindings))
    if kinds.raws:
        raws = _among(kinds.raws, bindings)
        found.append(_somewhere(places, lambda at: f"JSONExtractRaw({at}) {raws}"))
    if kinds.numbers:
        numbers = _among_numbers(kinds.numbers, bindings)
        found.append(_somewhere(places, lambda at: f"ifNull({_number(at)} {numbers}, 0)"))
    return found


def _among_tokens(key: str, tokens: Sequence[str], bindings: Bindings) -> str:
    if len(tokens) == 1:
        return _indexed(tokens[0], bindings)
    # All begin with the key, which may be longer than the values: it is bound once, and put before each.
    start = value_start(key)
    rest = bindings.texts([token.removeprefix(start) for token in tokens])
    return f"hasAny(metadata_tokens, arrayMap(value -> concat({bindings.text(start)}, value), {rest}))"


def _among_texts(places: Sequence[_Place], texts: Sequence[str], bindings: Bindings) -> str:
    among = _among(texts, bindings)

    def check(at: str) -> str:
        return f"JSONExtractString({at}) {among} AND JSONType({at}) = 'String'"

    if len(texts) > MAX_NEEDLES or not all(map(_NEVER_ESCAPED_SHORT.fullmatch, texts)):
        return _somewhere(places, check)
    # JSON can write these characters as they are or as \uXXXX and in no third way, so a row with neither
    # need not be parsed. Looking for bytes leaves fewer rows than the key's token does, and costs less.
    needles = bindings.texts([*texts, UNICODE_ESCAPE])
    anywhere = " OR ".join(f"({check(place.at)})" for place in places)
    return f"(multiSearchAny(metadata, {needles}) AND ({anywhere}))"


def _among(values: Sequence[str], bindings: Bindings) -> str:
    return f"= {bindings.text(values[0])}" if len(values) == 1 else f"IN {bindings.texts(values)}"


def _among_numbers(values: Sequence[float], bindings: Bindings) -> str:
    if len(values) == 1:
        return f"= {bindings.number(values[0])}"
    # A set compares bits, and those of 0 and -0 differ.
    zeros = [0.0, -0.0] if 0 in values else []
    return f"IN {bindings.numbers([*values, *zeros])}"


def _number(at: str) -> str:
    return f"toFloat64OrNull(JSONExtractRaw({at}))"


def _somewhere(places: Sequence[_Place], check: Callable[[str], str]) -> str:
    """`check` at each of `places`; rows without a place's first key are passed over unparsed."""
    found = (" AND ".join(filter(None, (place.has_key, check(place.at)))) for place in places)
    return f"({' OR '.join(f'({each})' for each in found)})"


def _places(key: str, bindings: Bindings) -> list[_Place]:
    """The key itself, and with dots the way through objects."""
    whole = bindings.text(key)
    places = [_Place(f"metadata, {whole}", _has_key(key, bindings))]
    if "." in key:
        parts = key.split(".")
        way = ", ".join(("metadata", *map(bindings.text, parts)))
        places.append(_Place(way, _has_key(parts[0], bindings)))
    return places


def _has_key(key: str, bindings: Bindings) -> str | None:
    token = key_token(key)
    return _indexed(token, bindings) if token else None


def _indexed(token: str, bindings: Bindings) -> str:
    return f"has(metadata_tokens, {bindings.text(token)})"
