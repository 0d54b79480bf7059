"""Conditions on a value of metadata, each by the cheapest road that is exact.

`a.b` is the value under the key "a.b", or under b of the object a. Numbers compare as numbers (1 is 1.0)
and only with numbers, text only with text: `false`, "false" and 0 are three things. A whole number beyond
64 bits is text to the engine. When a key stands twice in one object, to which JSON gives no meaning,
`eq` may go by either value. Metadata the engine cannot read (a number beyond a double, half of a surrogate
pair, more than 1,024 levels) is kept and shown but not found by its keys.
"""

import re
from collections.abc import Callable

from functions.query.bindings import Bindings
from functions.query.tokens import Scalar, key_token, value_tokens

PROMOTED = frozenset({"duration_ms"})
"""Numeric keys that have a column of their own name."""

EXACT_IN_A_DOUBLE = 2**53
UNICODE_ESCAPE = "\\u"

_NEVER_ESCAPED_SHORT = re.compile(r"[0-9A-Za-z _.:-]{4,}")


def equals(key: str, value: Scalar, bindings: Bindings) -> str:
    """SQL for: the value under `key` is `value`, of the same JSON type."""
    tokens = value_tokens(key, value) if "." not in key else ()
    if tokens:
        return f"({' OR '.join(_indexed(token, bindings) for token in tokens)})"
    if isinstance(value, str):
        return _equals_text(key, value, bindings)
    if value is None or isinstance(value, bool):
        raw = {None: "null", True: "true", False: "false"}[value]
        return _somewhere(key, lambda at: f"JSONExtractRaw({at}) = {bindings.text(raw)}", bindings)
    if isinstance(value, int) and abs(value) >= EXACT_IN_A_DOUBLE:
        return _somewhere(key, lambda at: f"JSONExtractRaw({at}) = {bindings.text(str(value))}", bindings)
    return _compares_number(key, "=", value, bindings)


def exists(key: str, bindings: Bindings) -> str:
    """SQL for: there is a value under `key`, be it null."""
    token = key_token(key)
    if token and "." not in key:
        return f"({_indexed(token, bindings)})"
    return _somewhere(key, lambda at: f"JSONHas({at})", bindings)


def compares(key: str, sign: str, value: Scalar, bindings: Bindings) -> str:
    """SQL for: the value under `key` is of the type of `value`, a number or text, and `sign` holds."""
    if isinstance(value, str):
        bound = bindings.text(value)
        return _somewhere(
            key, lambda at: f"JSONType({at}) = 'String' AND JSONExtractString({at}) {sign} {bound}", bindings
        )
    return _compares_number(key, sign, float(value or 0), bindings)


def contains(key: str, text: str, bindings: Bindings) -> str:
    """SQL for: the value under `key` is text that holds `text`, or an array with `text` as an element."""
    bound = bindings.text(text)
    return _somewhere(
        key,
        lambda at: (
            f"if(JSONType({at}) = 'String', position(JSONExtractString({at}), {bound}) > 0, "
            f"arrayExists(element -> startsWith(element, '\"') AND JSONExtractString(element) = {bound}, "
            f"JSONExtractArrayRaw({at})))"
        ),
        bindings,
    )


def _equals_text(key: str, value: str, bindings: Bindings) -> str:
    bound = bindings.text(value)

    def check(at: str) -> str:
        return f"JSONExtractString({at}) = {bound} AND JSONType({at}) = 'String'"

    if not _NEVER_ESCAPED_SHORT.fullmatch(value):
        return _somewhere(key, check, bindings)
    # JSON can write these characters as they are or as \uXXXX and in no third way, so a row with neither
    # need not be parsed. Looking for bytes leaves fewer rows than the key's token does, and costs less.
    places = " OR ".join(f"({check(_at(place, bindings))})" for place in _places(key))
    return f"(multiSearchAny(metadata, {bindings.texts([value, UNICODE_ESCAPE])}) AND ({places}))"


def _compares_number(key: str, sign: str, value: float, bindings: Bindings) -> str:
    bound = bindings.number(value)
    if key in PROMOTED:
        return f"ifNull({key} {sign} {bound}, 0)"
    return _somewhere(
        key, lambda at: f"ifNull(toFloat64OrNull(JSONExtractRaw({at})) {sign} {bound}, 0)", bindings
    )


def _somewhere(key: str, check: Callable[[str], str], bindings: Bindings) -> str:
    """`check` at each place `key` may mean; rows without the place's first key are passed over unparsed."""
    found = []
    for place in _places(key):
        token = key_token(place[0])
        passed = f"{_indexed(token, bindings)} AND " if token else ""
        found.append(f"({passed}{check(_at(place, bindings))})")
    return f"({' OR '.join(found)})"


def _places(key: str) -> list[tuple[str, ...]]:
    return [(key,)] if "." not in key else [(key,), tuple(key.split("."))]


def _at(place: tuple[str, ...], bindings: Bindings) -> str:
    """The arguments that lead the engine's JSON functions to `place`."""
    return ", ".join(("metadata", *map(bindings.text, place)))


def _indexed(token: str, bindings: Bindings) -> str:
    return f"has(metadata_tokens, {bindings.text(token)})"
