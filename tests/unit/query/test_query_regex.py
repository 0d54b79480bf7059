"""Which regular expressions a query may have: the subset of RE2 that is checked before the engine sees it."""

import pytest

from functions.query.bindings import Bindings
from functions.query.compile.words import contains_like
from functions.query.language.patterns import PatternError, as_regex, pattern_names
from functions.query.language.regex import RegexError, group_names


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("tim(ed)? out", [None]),
        (r"(?P<user>\w+)@(?<host>[\w.-]+)", ["user", "host"]),
        (r"(?:a|b)(?i:c)(?-s)d", []),
        (r"[]a][^]b][a-z\d_-][[:alpha:][:^digit:]]", []),
        (r"a{2}b{2,}c{2,5}?d*?e+?f??", []),
        (r"\x41\x{1F600}\.\/\n\t", []),
        ("{a}{b,}", []),
        ("é{3}", []),
        ("((((a))))", [None] * 4),
    ],
)
def test_an_expression_of_the_subset_is_accepted_with_its_groups(
    pattern: str, groups: list[str | None]
) -> None:
    assert group_names(pattern) == groups


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("", 0),
        ("a(?=b)", 2),
        ("(?<!a)", 1),
        (r"(a)\1", 3),
        (r"\pL", 0),
        (r"\Q", 0),
        ("ab\\", 2),
        ("*a", 0),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("^*", 1),
        (r"\b+", 2),
        ("a{1001}", 1),
        ("a{3,2}", 1),
        ("(a{100}){11}", 0),
        ("(.{100}){5}", 0),
        ("(a", 0),
        ("a)", 1),
        ("[a", 0),
        ("[z-a]", 1),
        (r"[a-\d]", 3),
        ("[[:alfa:]]", 1),
        ("(?P<a>x)(?P<a>y)", 12),
        ("(?P<1>x)", 1),
        ("(?)", 3),
        (r"\x{110000}", 0),
        (r"\x{d800}", 0),
        ("a\0", 1),
        ("(" * 21 + ")" * 21, 20),
        ("a" * 501, 500),
    ],
)
def test_what_is_not_in_the_subset_is_refused_at_its_position(pattern: str, position: int) -> None:
    with pytest.raises(RegexError) as refused:
        group_names(pattern)
    assert refused.value.position == position


def test_a_pattern_becomes_an_expression_with_a_group_for_each_name() -> None:
    pattern = "user <who> (<_>) from <address>"
    assert pattern_names(pattern) == ["who", "address"]
    assert as_regex(pattern) == r"user\ ([^\n]*?)\ \([^\n]*?\)\ from\ ([^\n]*)"
    assert group_names(as_regex(pattern)) == [None, None]


@pytest.mark.parametrize("pattern", ["<a><b>", "<a> <a>", "x" * 501, "a\0<b>"])
def test_a_pattern_without_a_clear_meaning_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        pattern_names(pattern)


def test_a_word_with_stars_binds_an_expression_in_which_its_characters_are_literal() -> None:
    bindings = Bindings()
    sql = contains_like(("a.b(", "c"), bindings)
    bound, *words = bindings.parameters.values()
    assert r"a\.b\(" in str(bound)
    assert words == ["a", "b"], "whole words, for the index"
    assert all(f"{{{name}:String}}" in sql for name in bindings.parameters)
