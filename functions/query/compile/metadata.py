"""Conditions on metadata values, each compiled to the cheapest exact SQL.

`a.b` is the value under the key "a.b", or under b in the object a. Numbers compare as numbers (1 equals 1.0)
and only with numbers, text only with text: `false`, "false" and 0 are three different values. To the engine a
whole number beyond 64 bits is text. When an object has a key twice, which JSON leaves undefined, `eq` may use
either value. Metadata that the engine cannot parse (a number beyond a double, an unpaired surrogate, more
than 1,024 levels) is stored and returned, but its keys cannot be searched.

A condition binds its path once and its values as one array per type, so the length of the statement and of
the engine's plan does not grow with the number of values.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from functions.query.bindings import Bindings
from functions.query.compile.text_match import TextCheck
from functions.query.language.syntax_tree import Bound
from functions.query.tokens import Scalar, key_token, value_start, value_tokens

PROMOTED = frozenset({"duration_ms"})
"""Numeric keys that have a column of the same name."""

EXACT_IN_A_DOUBLE = 2**53
UNICODE_ESCAPE = "\\u"

MAX_NEEDLES = 8
"""Above this, a byte search for the values costs the engine more than parsing all rows that have the key."""

MAX_LIKE_WORDS = 2
"""Words of one condition that use the index."""

_NEVER_ESCAPED = re.compile(r"[ !#-\[\]-~]+")
_NO_NUMBER = re.compile(r"[A-DF-Za-df-z]")
"""A character of a word that is not a number; the text form of true and false is their JSON."""

_NEVER_ESCAPED_SHORT = re.compile(r"[0-9A-Za-z _.:-]{4,}")

JOINED = "_.:-"
ESCAPED_WORD = "unicodeescape"
FIRST_ESCAPE = "position(metadata, '\\\\u')"
"""The expression whose range is in the index `escape_range` (schema/sql/0007_escaped_metadata.sql)."""

WORDS = f"translate(if({FIRST_ESCAPE} = 0, metadata, concat(metadata, ' {ESCAPED_WORD}')), '{JOINED}', '')"
"""The expression whose words are in the index `metadata_words` (schema/sql/0003_event_identity.sql).

Metadata that has an escaped character has the word ESCAPED_WORD, too.
"""


@dataclass(frozen=True, slots=True)
class _JsonLocation:
    """One of the places that a path may mean.

    `at`: the path arguments of the engine's JSON functions. `has_key`: SQL for rows that have the path's
    first key, answered by the index; None when that key is too long to be indexed.
    """

    at: str
    has_key: str | None


@dataclass(slots=True)
class _Values:
    """The values of a condition, grouped by how the engine compares them.

    `tokens`: values in the index. `raws`: the JSON text of constants and of whole numbers that a double
    cannot represent.
    """

    tokens: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)


def equals_any(key: str, values: Sequence[Scalar], bindings: Bindings) -> str:
    """SQL: the value under `key` equals one of `values`, with the same JSON type."""
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
    """SQL: there is a value under `key`, which may be null."""
    token = key_token(key)
    if token and "." not in key:
        return f"({_indexed(token, bindings)})"
    return _somewhere(_places(key, bindings), lambda at: f"JSONHas({at})")


def is_between(key: str, low: Bound | None, high: Bound | None, bindings: Bindings) -> str:
    """SQL: the value under `key` has the type of the bounds, numbers or texts, and is between them."""
    ends = [(">", low), ("<", high)]
    bounds = [(sign + "=" * end.inclusive, end.value) for sign, end in ends if end]
    texts = [(sign, bindings.text(value)) for sign, value in bounds if isinstance(value, str)]
    if texts:
        return _somewhere(
            _places(key, bindings),
            lambda at: _both(f"JSONExtractString({at})", [*texts, ("", f"JSONType({at}) = 'String'")]),
        )
    numbers = [(sign, bindings.number(value)) for sign, value in bounds if not isinstance(value, str)]
    if key in PROMOTED:
        return f"ifNull({_both(key, numbers)}, 0)"
    return _somewhere(_places(key, bindings), lambda at: f"ifNull({_both(_number(at), numbers)}, 0)")


def matches(key: str, check: TextCheck, bindings: Bindings, words: Sequence[str] = ()) -> str:
    """SQL: the text form of the value under `key`, or a text in an array there, meets `check`.

    Numbers are in the shortest decimal form. `words`: of like_words.
    """
    element = check("JSONExtractString(element)")
    matching = _somewhere(
        _places(key, bindings),
        lambda at: (
            f"multiIf(JSONType({at}) = 'String', {check(f'JSONExtractString({at})')}, "
            f"JSONType({at}) IN ('Int64', 'UInt64', 'Double', 'Bool'), {check(f'JSONExtractRaw({at})')}, "
            f"JSONType({at}) = 'Array', arrayExists(element -> startsWith(element, '\"') AND {element}, "
            f"JSONExtractArrayRaw({at})), 0)"
        ),
    )
    return f"({' AND '.join([*_has_words(words, bindings), matching])})" if words else matching


def like_words(parts: Sequence[str]) -> list[str]:
    """Words, as the index joins them, that metadata has if a value consists of `parts` with gaps between.

    Only of parts that JSON writes as they are, and only words that no number has.
    """
    found = []
    for at, part in enumerate(parts):
        joined = _joined(part) if _NEVER_ESCAPED.fullmatch(part) else ""
        found += [
            match[0]
            for match in _WORD.finditer(joined)
            if (match.start() > 0 or at == 0) and (match.end() < len(joined) or at == len(parts) - 1)
        ]
    return [word for word in dict.fromkeys(found) if _NO_NUMBER.search(word)]


def text_of(key: str, bindings: Bindings) -> str:
    """SQL: the text form of the value under `key`; NULL when there is none, or null.

    One function, because each function parses the whole metadata again.
    """
    found = [f"JSONExtract({place.at}, 'Nullable(String)')" for place in _places(key, bindings)]
    return f"coalesce({', '.join(found)})" if len(found) > 1 else found[0]


def raw_of(key: str, bindings: Bindings) -> str:
    """SQL: the JSON of the scalar under `key`; empty when there is none."""
    found = ", ".join(
        f"JSONType({at}) NOT IN ('Null', 'Array', 'Object'), JSONExtractRaw({at})"
        for at in (place.at for place in _places(key, bindings))
    )
    return f"multiIf({found}, '')"


def number_of(key: str, bindings: Bindings) -> str:
    """SQL: the number under `key`; NULL when there is none."""
    if key in PROMOTED:
        return key
    numbers = [_number(place.at) for place in _places(key, bindings)]
    return f"coalesce({', '.join(numbers)})" if len(numbers) > 1 else numbers[0]


def contains(key: str, text: str, bindings: Bindings) -> str:
    """SQL: the value under `key` is text that contains `text`, or an array that has `text` as an element."""
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


def _parsed(places: Sequence[_JsonLocation], kinds: _Values, bindings: Bindings) -> list[str]:
    """SQL for the values that are not in the index: one condition per kind of value."""
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
    # All tokens begin with the key, which may be longer than the values: bind it once, prepend it to each.
    start = value_start(key)
    rest = bindings.texts([token.removeprefix(start) for token in tokens])
    return f"hasAny(metadata_tokens, arrayMap(value -> concat({bindings.text(start)}, value), {rest}))"


def _among_texts(places: Sequence[_JsonLocation], texts: Sequence[str], bindings: Bindings) -> str:
    if len(texts) > MAX_NEEDLES or not all(map(_NEVER_ESCAPED_SHORT.fullmatch, texts)):
        among = _among(texts, bindings)
        return _somewhere(places, lambda at: f"JSONExtractString({at}) {among} AND JSONType({at}) = 'String'")
    # JSON can write these characters only literally or as \uXXXX, so a row with neither form need not be
    # parsed. The byte search is cheaper than parsing and selects fewer rows than the key's token. The engine
    # checks rows from left to right, so the words, which the index answers, come last. The raw form is what
    # the engine writes of a value, not what was sent: it has quotes and no escapes.
    needles = bindings.texts([*texts, UNICODE_ESCAPE])
    raws = _among([f'"{text}"' for text in texts], bindings)
    anywhere = " OR ".join(f"(JSONExtractRaw({place.at}) {raws})" for place in places)
    searched = f"multiSearchAny(metadata, {needles})"
    return f"({' AND '.join([searched, f'({anywhere})', *_indexed_words(texts, bindings)])})"


def _indexed_words(texts: Sequence[str], bindings: Bindings) -> list[str]:
    """SQL that skips granules without a word of `texts`; none when one of them has no word.

    The longest word of a text is enough: an identifier is a single one. A text is enclosed by quotes in the
    metadata, so its words are whole words there.
    """
    longest = [max(_WORD.findall(_joined(text)), key=len, default="") for text in texts]
    if not all(longest):
        return []
    words = [_has_word(word, bindings) for word in dict.fromkeys(longest)]
    return [f"({' OR '.join([*words, _is_escaped(bindings)])})"]


def _has_words(words: Sequence[str], bindings: Bindings) -> list[str]:
    """SQL that skips granules without the longest of `words`, all of which the metadata has."""
    chosen = sorted(words, key=len, reverse=True)[:MAX_LIKE_WORDS]
    return [f"({_has_word(word, bindings)} OR {_is_escaped(bindings)})" for word in chosen]


def _has_word(word: str, bindings: Bindings) -> str:
    return f"hasToken({WORDS}, {bindings.text(word)})"


def _is_escaped(bindings: Bindings) -> str:
    """SQL of metadata that has an escaped character, which two indexes answer.

    That of words finds the marker in one of 25 granules without it; parts from before have no other.
    """
    return f"({_has_word(ESCAPED_WORD, bindings)} AND {FIRST_ESCAPE} > 0)"


def _joined(text: str) -> str:
    return text.translate(_REMOVED)


_WORD = re.compile(r"[0-9A-Za-z]+")
_REMOVED = dict.fromkeys(map(ord, JOINED))


def _among(values: Sequence[str], bindings: Bindings) -> str:
    return f"= {bindings.text(values[0])}" if len(values) == 1 else f"IN {bindings.texts(values)}"


def _among_numbers(values: Sequence[float], bindings: Bindings) -> str:
    if len(values) == 1:
        return f"= {bindings.number(values[0])}"
    # A set compares bits, and 0 and -0 differ in theirs.
    zeros = [0.0, -0.0] if 0 in values else []
    return f"IN {bindings.numbers([*values, *zeros])}"


def _both(value: str, conditions: Sequence[tuple[str, str]]) -> str:
    """`value` compared with each sign and bound; a condition without a sign is whole."""
    return " AND ".join(f"{value} {sign} {bound}" if sign else bound for sign, bound in conditions)


def _number(at: str) -> str:
    return f"toFloat64OrNull(JSONExtractRaw({at}))"


def _somewhere(places: Sequence[_JsonLocation], check: Callable[[str], str]) -> str:
    """`check` at each of `places`; rows without a place's first key are skipped without parsing."""
    found = (" AND ".join(filter(None, (place.has_key, check(place.at)))) for place in places)
    return f"({' OR '.join(f'({each})' for each in found)})"


def _places(key: str, bindings: Bindings) -> list[_JsonLocation]:
    """The key as a whole, and if it contains dots the path through nested objects."""
    whole = bindings.text(key)
    places = [_JsonLocation(f"metadata, {whole}", _has_key(key, bindings))]
    if "." in key:
        parts = key.split(".")
        way = ", ".join(("metadata", *map(bindings.text, parts)))
        places.append(_JsonLocation(way, _has_key(parts[0], bindings)))
    return places


def _has_key(key: str, bindings: Bindings) -> str | None:
    token = key_token(key)
    return _indexed(token, bindings) if token else None


def _indexed(token: str, bindings: Bindings) -> str:
    return f"has(metadata_tokens, {bindings.text(token)})"
