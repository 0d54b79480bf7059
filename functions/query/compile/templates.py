"""Compile patterns of messages: the template of a message, and the counts of templates. Pure.

A template is the message with WILD for what varies: text in quotes, URLs, addresses, ids, paths and numbers.
One replacement by one expression makes it, so its time is linear in the length of the message, of which it
reads the first MAX_CHARACTERS.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Sequence

from functions.query.bindings import Bindings

MAX_CHARACTERS = 500
"""The part of a message that makes its template; what follows varies."""

MAX_SAMPLED_ROWS = 100_000
MAX_TEMPLATES = 50_000
MAX_TEMPLATE_BYTES = 4 * 1024 * 1024
"""The limit for the templates of one statement together."""

MAX_TABLE_BYTES = 2 * 1024 * 1024
"""The limit for the templates from which a pipe makes patterns."""

WILD = "\x7f"
"""Stands for what varies. A message may have the character itself, which then varies, too."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_HEX = "[0-9a-fA-F]"
_VARIABLE = "|".join(
    (
        _QUOTED,
        r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+",
        r"\b[\w.+-]+@[\w-]+\.[\w.-]+",
        rf"\b{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}\b",
        rf"\b(?:{_HEX}{{1,4}}:){{3,7}}{_HEX}{{1,4}}\b",
        r"(?:/[\w.~%@:+-]+){2,}/?",
        rf"\b0[xX]{_HEX}+\b",
        rf"\b{_HEX}{{8,}}\b",
        rf"\b(?:[0-9]+[a-fA-F]|[a-fA-F]+[0-9]){_HEX}{{2,}}\b",
        r"\d+(?:[.,:T/-]\d+)*Z?",
    )
)
_KEYS = rf"(?:{_QUOTED}\s*:\s*[\[{{]?\s*)+"
MASK = rf"({_KEYS})(?:true|false|null)\b|({_KEYS})?(?:{_VARIABLE})"
"""RE2: what varies, with the JSON keys before it, which stay."""

_REPLACEMENT = rf"\1\2{WILD}"

SAMPLE_KEY = "cityHash64(timestamp, received_at, service, trace_id, span_id, message)"
"""A row is in every sample of its rate or in none. BYOC tables may lack the columns of the identity."""

_TIMES = "[max(timestamp), min(timestamp), argMax(timestamp, cityHash64(message))]"
"""Times of the newest row with a template, of the oldest and of any."""


def template(bindings: Bindings, message: str = "message") -> str:
    """SQL: the template of the SQL `message`."""
    replaced = (
        f"replaceRegexpAll(substringUTF8({message}, 1, {MAX_CHARACTERS}), "
        f"{bindings.text(MASK)}, {bindings.text(_REPLACEMENT)})"
    )
    return (
        f"if(lengthUTF8({message}) > {MAX_CHARACTERS}, concat({replaced}, {bindings.text(WILD)}), {replaced})"
    )


def template_counts(conditions: Sequence[str], bindings: Bindings) -> str:
    """The SELECT of templates (c0), most frequent first, of a sample of the rows.

    c1 is the template's hash, c2 the number of its rows, c3 the times of some, and c4 the number of rows
    in the sample. One row, anywhere, has no hash: its c2 is the number of all rows.
    """
    matching = " AND ".join(conditions)
    total = f"(SELECT count() FROM events WHERE {matching})"
    sampled = f"{SAMPLE_KEY} % greatest(1, intDiv({total} + {MAX_SAMPLED_ROWS - 1}, {MAX_SAMPLED_ROWS})) = 0"
    counted = (
        f"SELECT {template(bindings)} AS masked, count() AS n, {_TIMES} AS times "
        f"FROM events WHERE {matching} AND {sampled} GROUP BY masked"
    )
    before = "sum(length(masked)) OVER (ORDER BY n DESC, masked ROWS UNBOUNDED PRECEDING)"
    limited = (
        f"SELECT masked, n, times, sum(n) OVER () AS rows, {before} AS bytes FROM ({counted}) "
        f"ORDER BY n DESC, masked LIMIT {MAX_TEMPLATES}"
    )
    return (
        f"SELECT masked AS c0, toString(sipHash64(masked)) AS c1, n AS c2, times AS c3, rows AS c4 "
        f"FROM ({limited}) WHERE bytes <= {MAX_TEMPLATE_BYTES} "
        f"UNION ALL SELECT '', '', {total}, arrayResize([toDateTime64(0, 9, 'UTC')], 0), toUInt64(0)"
    )


def frequent_templates(source: str, bindings: Bindings) -> str:
    """The SELECT of the most frequent templates of the rows of `source`, without a sample.

    `masked` is the template, `n` the number of its rows, and `templates` the number of all templates.
    """
    before = "sum(length(masked)) OVER (ORDER BY n DESC, masked ROWS UNBOUNDED PRECEDING)"
    counted = f"SELECT {template(bindings)} AS masked, count() AS n FROM {source} GROUP BY masked"
    return (
        f"SELECT masked, n, templates FROM "
        f"(SELECT masked, n, count() OVER () AS templates, {before} AS bytes FROM ({counted})) "
        f"WHERE bytes <= {MAX_TABLE_BYTES}"
    )


def pattern_number(hashes: Sequence[str], numbers: Sequence[int], bindings: Bindings) -> str:
    """SQL: the number, as text, in `numbers` at the place in `hashes` of the hash of the row's template.

    '0' for a template that is not there.
    """
    numbered = bindings.texts([str(number) for number in numbers])
    return f"transform(toString(sipHash64({template(bindings)})), {bindings.texts(hashes)}, {numbered}, '0')"
