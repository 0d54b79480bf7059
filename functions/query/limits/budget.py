"""Limits on the size of a search, checked before it is compiled.

The engine reads and plans a statement before its limits on time or memory apply. So everything that makes a
statement long is limited here: paths, values, and the bytes of all text. ClickHouse accepts 128 KiB in one
form value (`http_max_field_value_size`) and 256 KiB of statement (`max_query_size`). The largest accepted
search stays well below both, which a test verifies.
"""

from collections.abc import Iterator, Sequence

from functions.query.language.names import path_parts
from functions.query.language.syntax_tree import (
    Bound,
    ContainsText,
    ContainsWordLike,
    ContainsWords,
    Equals,
    Filter,
    InRange,
    Like,
    Loose,
    MatchesRegex,
    Pipe,
    WherePipe,
)
from functions.query.language.walk import conditions, fields_of
from functions.query.tokens import Scalar
from functions.shared.forms import invalid

MAX_ALL_PATH_PARTS = 128
MAX_ALL_VALUES = 4000
MAX_TEXT_BYTES = 96 * 1024

ESCAPED = str.maketrans(dict.fromkeys("\\'`\t\n", "four"))
"""The client writes up to four bytes for each of these characters when it binds a value."""


def check(found: Filter, pipes: Sequence[Pipe] = ()) -> None:
    """Check a filter and pipes as a whole: the parts of their paths, the values, and their bytes.

    Raises
    ------
    HttpError: 400 `invalid_body` when there is too much of it.
    """
    filters = [found, *(pipe.filter for pipe in pipes if isinstance(pipe, WherePipe))]
    paths = [path for each in filters for path in _paths(each)]
    paths += [field.name for pipe in pipes for field in fields_of(pipe) if field.kind == "path"]
    parts = sum(map(path_parts, paths))
    if parts > MAX_ALL_PATH_PARTS:
        raise invalid(
            "body",
            f"has paths of metadata with {parts:,} parts in total, more than {MAX_ALL_PATH_PARTS}: "
            "use fewer conditions or shorter paths",
        )
    values = [value for each in filters for value in _values(each)]
    if len(values) > MAX_ALL_VALUES:
        raise invalid(
            "body",
            f"has {len(values):,} values in all lists and conditions, more than {MAX_ALL_VALUES:,}: "
            "split the search",
        )
    size_bytes = sum(_size_bytes(each) for each in (*values, *paths))
    if size_bytes > MAX_TEXT_BYTES:
        raise invalid(
            "body",
            f"has values of {size_bytes:,} bytes in total, more than {MAX_TEXT_BYTES:,} (a quote, "
            "backslash, tab or line break counts as four): use fewer or shorter values",
        )


def _paths(found: Filter) -> Iterator[str]:
    for condition in conditions(found):
        field = getattr(condition, "field", None)
        if field is not None and field.kind == "path":
            yield field.name


def _values(found: Filter) -> Iterator[Scalar]:
    for condition in conditions(found):
        match condition:
            case Equals(values=values):
                yield from (each.text if isinstance(each, Loose) else each for each in values)
            case ContainsWords(text=text) | ContainsText(text=text) | MatchesRegex(pattern=text):
                yield text
            case ContainsWordLike(parts=parts) | Like(parts=parts):
                yield "*".join(parts)
            case InRange(low=low, high=high):
                yield from (end.value for end in (low, high) if isinstance(end, Bound))


def _size_bytes(value: Scalar) -> int:
    text = value if isinstance(value, str) else str(value)
    return len(text.translate(ESCAPED).encode())
