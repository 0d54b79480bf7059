"""The pattern for scanners in docs/keys.md recognises our keys and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.accounts import keys

DOCUMENT = (Path(__file__).parents[3] / "docs" / "keys.md").read_text()
EXAMPLES = re.findall(r"^    (ast_sk_live_\w+)$", DOCUMENT, re.M)


@pytest.fixture(scope="module")
def procedure() -> Any:
    """`is_key` of the document's one Python example."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.S)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own document
    return names["is_key"]


def test_the_documented_pattern_finds_a_key_in_any_text() -> None:
    (pattern,) = re.findall(r"^    (ast_sk_live_\[.*)$", DOCUMENT, re.M)
    key = keys.generate()
    assert re.findall(pattern, f'token = "{key}"; url=https://x/?k={key}&y') == [key, key]


def test_the_documented_procedure_recognises_minted_keys(procedure: Any) -> None:
    assert all(procedure(keys.generate()) for _ in range(100))


@given(place=st.integers(0, 45), character=st.sampled_from("0Aaz9_-Ω"))
def test_the_documented_procedure_refuses_what_is_mistyped(
    procedure: Any, place: int, character: str
) -> None:
    key = keys.generate()
    mistyped = key[:place] + character + key[place + 1 :]
    assert procedure(mistyped) == keys.well_formed(mistyped) == (mistyped == key)


def test_the_documented_examples_are_one_good_and_one_mistyped(procedure: Any) -> None:
    assert [procedure(each) for each in EXAMPLES] == [True, False]
    assert "NotALive" in EXAMPLES[0]
