"""What scans text in C says what a plain loop over it says."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from functions.shared.events import judge as judging
from functions.shared.events.judge import MAX_METADATA_DEPTH, shallow
from functions.shared.events.surrogates import replace_lone_surrogates

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\.")


def replaced_one_by_one(text: str) -> str:
    """`text`, JSON, with U+FFFD for each escaped half of a pair."""
    found = list(_ESCAPE.finditer(text))
    changed, position = "", 0
    for index, match in enumerate(found):
        if match.start() < position:
            continue
        changed += text[position : match.start()]
        position = match.end()
        follower = found[index + 1] if index + 1 < len(found) else None
        if not is_half(match, "89ab") and not is_half(match, "cdef"):
            changed += match[0]
        elif (
            is_half(match, "89ab") and follower and follower.start() == position and is_half(follower, "cdef")
        ):
            changed += match[0] + follower[0]
            position = follower.end()
        else:
            changed += r"\ufffd"
    return changed + text[position:]


def is_half(match: re.Match[str], kinds: str) -> bool:
    return bool(match[1]) and match[1][0] in "dD" and match[1][1].lower() in kinds


pieces = st.sampled_from(
    [
        r"\ud83d",
        r"\uD800",
        r"\ude00",
        r"\uDFFF",
        r"\u0041",
        r"\ud7ff",
        r"\\",
        r"\n",
        r"\"",
        "ud83d",
        "a",
        "d",
        "é",
    ]
)


@given(st.lists(pieces, max_size=12))
def test_halves_of_pairs_are_replaced_as_one_by_one(parts: list[str]) -> None:
    text = "".join(parts)
    assert replace_lone_surrogates(f'"{text}"'.encode()).decode() == f'"{replaced_one_by_one(text)}"'


@pytest.mark.parametrize("noise", [b"\xf8\xf8", b"\xff\xfe", bytes(range(0xF8, 0x100)) * 9])
def test_bytes_that_are_no_text_stay_what_they_are(noise: bytes) -> None:
    assert replace_lone_surrogates(noise + rb"\ud800 \\ud800") == noise + rb"\ufffd \\ud800"


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


values = st.recursive(
    st.sampled_from([1, "", "[[[{", '"]\\"}', None]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab["), inner, max_size=3),
    max_leaves=40,
)


@given(values, st.integers(judging._LEVELS_STRIPPED, 12))
def test_depth_is_what_a_recursion_says(value: Any, most: int) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    assert judging._depth_is_within(most, text) == (depth(value) <= most)


@pytest.mark.parametrize("opened", [b"[", b'{"[":'])
@pytest.mark.parametrize("levels", range(MAX_METADATA_DEPTH - 6, MAX_METADATA_DEPTH + 7))
def test_metadata_is_shallow_up_to_its_limit(opened: bytes, levels: int) -> None:
    closed = b"]" if opened == b"[" else b"}"
    many = b",".join([b"[]"] * 300)
    assert shallow(Raw(opened * levels + b"1" + closed * levels)) == (levels <= MAX_METADATA_DEPTH)
    nested = b"[%b,%b]" % (many, b"[" * (levels - 1) + b"]" * (levels - 1))
    assert shallow(Raw(nested)) == (levels <= MAX_METADATA_DEPTH)
