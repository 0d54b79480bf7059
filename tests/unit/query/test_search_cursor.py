"""Cursors: opaque, and refused when they are not ours."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.query.results.cursor import (
    VERSION,
    Cursor,
    CursorError,
    CursorPosition,
    OldCursorError,
    decode,
    encode,
)

PLACE = {"instant": 3, "object_id": "object", "position": 5, "row_hash": 4, "given": 1}
OF_VERSION_2 = [
    2,
    "digest",
    1,
    2,
    {"instant": 3, "batch_id": "b", "row_hash": 4, "given": 1, "store": "byoc"},
]
SOUND = [VERSION, "digest", 1, 2, PLACE]
positions = st.builds(
    CursorPosition,
    st.integers(0, 2**63 - 1),
    st.text(),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**63 - 1),
    st.sampled_from(["byoc", "managed"]),
)


def _text(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@given(position=positions)
def test_a_cursor_is_read_as_it_was_written(position: CursorPosition) -> None:
    cursor = Cursor(VERSION, "digest", 1, 2, position)
    assert decode(encode(cursor)) == cursor


@pytest.mark.parametrize(
    "values",
    [
        [VERSION + 1, *SOUND[1:]],
        [VERSION, "digest", -1, 2, PLACE],
        [VERSION, "digest", 1, 2**63, PLACE],
        [VERSION, "digest", 1, 2, PLACE | {"row_hash": 2**64}],
        [VERSION, "digest", 1, 2, PLACE | {"position": 2**32}],
        [VERSION, "digest", 1, 2, PLACE | {"position": -1}],
        [VERSION, "digest", 1, 2, PLACE | {"given": 0}],
        [VERSION, "digest", 1, 2, PLACE | {"instant": -1}],
        [VERSION, "digest", 1, 2, PLACE | {"store": "another"}],
        [VERSION, "digest", 1, 2, PLACE | {"instant": "now() -- "}],
        {},
        "text",
    ],
)
def test_a_tampered_cursor_is_refused(values: Any) -> None:
    assert decode(_text(SOUND)).position.row_hash == PLACE["row_hash"]
    with pytest.raises(CursorError):
        decode(_text(values))


def test_a_cursor_of_an_earlier_version_is_recognised() -> None:
    with pytest.raises(OldCursorError):
        decode(_text(OF_VERSION_2))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        decode(text)
