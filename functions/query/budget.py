"""Limits on the size of a search, checked before it is compiled.

The engine reads and plans a statement before its limits on time or memory apply. So everything that makes a
statement long is limited here: paths, values, and the bytes of all text. ClickHouse accepts 128 KiB in one
form value (`http_max_field_value_size`) and 256 KiB of statement (`max_query_size`). The largest accepted
search stays well below both, which a test verifies.
"""

from collections.abc import Iterable, Sequence

from functions.query.tokens import Scalar
from functions.shared.forms import invalid

MAX_PATH_PARTS = 16
MAX_ALL_PATH_PARTS = 128
MAX_ALL_VALUES = 4000
MAX_TEXT_BYTES = 96 * 1024

ESCAPED = str.maketrans(dict.fromkeys("\\'`\t\n", "four"))
"""The client writes up to four bytes for each of these characters when it binds a value."""


def check_paths(paths: Iterable[tuple[str, str]]) -> None:
    """Check the metadata paths, each with the name of its field.

    Raises
    ------
    HttpError: 400 `invalid_where` when one path, or all together, have too many parts.
    """
    total = 0
    for name, path in paths:
        parts = path.count(".") + 1
        if parts > MAX_PATH_PARTS:
            raise invalid(
                name, f"has {parts:,} parts between dots, more than {MAX_PATH_PARTS}: shorten the path"
            )
        total += parts
    if total > MAX_ALL_PATH_PARTS:
        raise invalid(
            "where",
            f"has paths with {total:,} parts in total, more than {MAX_ALL_PATH_PARTS}: "
            "use fewer conditions or shorter paths",
        )


def check_values(values: Sequence[Scalar], other_texts: Iterable[str]) -> None:
    """Check the compared `values`, and the total bytes of them and of `other_texts`.

    Raises
    ------
    HttpError: 400 `invalid_body` when there are too many values or they are too long in total.
    """
    if len(values) > MAX_ALL_VALUES:
        raise invalid(
            "body",
            f"has {len(values):,} values in all lists and conditions, more than {MAX_ALL_VALUES:,}: "
            "split the search",
        )
    size_bytes = sum(_size_bytes(each) for each in (*values, *other_texts))
    if size_bytes > MAX_TEXT_BYTES:
        raise invalid(
            "body",
            f"has values of {size_bytes:,} bytes in total, more than {MAX_TEXT_BYTES:,} (a quote, "
            "backslash, tab or line break counts as four): use fewer or shorter values",
        )


def _size_bytes(value: Scalar) -> int:
    text = value if isinstance(value, str) else str(value)
    return len(text.translate(ESCAPED).encode())
