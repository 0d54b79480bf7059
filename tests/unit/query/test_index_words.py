"""Words that an index is asked for: every text that matches has them, so no event is missed."""

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.query.bindings import Bindings
from functions.query.compile import words
from functions.query.compile.metadata import JOINED, like_words
from functions.query.compile.regex_words import required_words
from functions.query.language.regex import RegexError, group_names
from tests.examples import examples

PIECES = st.sampled_from(
    ["deadlock", "reset", "by", "k", "s", "ab", " ", "-", ": ", ".", "é", "\n", "(a|b)", "(?:x y)?", "[a-z ]",
     r"\d", r"\.", r"\b", "a*", "a +", "b{0,2}", "^", "$", "(?i)", r"\x41", "[]a]", "[^\\]]", "(c [)] d)",
     r"\n"]
)  # fmt: skip
PATTERNS = st.lists(PIECES, min_size=1, max_size=8).map("".join)
TEXTS = st.lists(
    st.sampled_from(
        ["deadlock", "reset", "Reset", "by", "K", "\u212a", "\u017f", "s", "ab", " ", "-", ": ", ".", "é",
         "\n", "a", "b", "x y", "1", "A", "aa", "]", "c ) d"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


def index_words(text: str) -> set[str]:
    """The words of a text as the engine's index has them; Python's lower() is that of the engine here."""
    return set(re.findall("[0-9a-z\u0080-\U0010ffff]+", text.lower()))


def matches(pattern: str, text: str, *, ignore_case: bool) -> bool:
    flags = re.IGNORECASE if ignore_case or "(?i)" in pattern else 0
    return re.search(pattern.replace("(?i)", ""), text, flags) is not None


@examples(2000)
@given(PATTERNS, TEXTS, st.booleans())
def test_every_text_that_matches_has_the_required_words(pattern: str, text: str, ignore_case: bool) -> None:
    try:
        group_names(pattern)
    except RegexError:
        assume(False)
    if matches(pattern, text, ignore_case=ignore_case):
        wanted = {word.lower() for word in required_words(pattern, ignore_case=ignore_case)}
        assert wanted <= index_words(text), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("connection reset by peer [0-9]+", ["reset", "by", "peer"]),
        ("^connection reset$", ["connection", "reset"]),
        (r"GET /api/v\d", ["api"]),
        ("tim(ed)? out/", ["out"]),
        ("dead|lock ", []),
        (" a (b|c d) e ", ["a", "e"]),
        (" one  tw*o ", ["one"]),
        ("deadlock", []),
        (r"[ x|y] one [:)(] two ", ["one", "two"]),
        (r" caf\x{e9} one ", ["one"]),
    ],
)
def test_literals_between_separators_are_required(pattern: str, found: list[str]) -> None:
    group_names(pattern)
    assert required_words(pattern, ignore_case=False) == found


def test_a_letter_that_other_letters_equal_without_case_is_in_no_required_word() -> None:
    """RE2 matches the long s (U+017F) with s, and lowerUTF8 does not change it."""
    assert required_words(" reset by ", ignore_case=True) == ["by"]
    assert required_words("(?i) reset by ", ignore_case=False) == ["by"]
    assert matches(" reset ", " re\u017fet ", ignore_case=True)


PARTS = st.lists(
    st.lists(
        st.sampled_from(["only", "SPRING", "2026", " ", "-", ".", "_", "/", "e5", "é", '"', "\\", "\n"])
    ).map("".join),
    min_size=2,
    max_size=4,
)  # fmt: skip


@examples(2000)
@given(PARTS, st.lists(st.sampled_from(["x", "", "-", " ", "9"]), min_size=3, max_size=3), st.booleans())
def test_every_value_of_the_form_has_the_words_in_the_index(
    parts: list[str], gaps: list[str], as_escapes: bool
) -> None:
    """However the sender's library writes JSON, unless it writes characters as escapes: those have a word."""
    value = "".join(part + gap for part, gap in zip(parts[:-1], gaps, strict=False)) + parts[-1]
    written = json.dumps({"coupon": value, "n": 1}, ensure_ascii=as_escapes)
    assume("\\u" not in written)
    joined = written.translate(dict.fromkeys(map(ord, JOINED)))
    assert set(like_words(parts)) <= set(re.findall("[0-9A-Za-z\u0080-\U0010ffff]+", joined)), (
        parts,
        written,
    )


def test_a_word_that_a_number_may_have_is_not_asked_for() -> None:
    """1.50 has the text form 1.5, and 1e2 that of 100."""
    assert like_words(("1.5", "")) == []
    assert like_words(("id 1e5 of", "")) == ["id"]


def test_a_word_with_a_star_asks_for_its_whole_words() -> None:
    bindings = Bindings()
    found = words.contains_like(("deadlock-fou", ""), bindings)
    assert found.count("hasToken") == 1
    assert "deadlock" in bindings.parameters.values()
