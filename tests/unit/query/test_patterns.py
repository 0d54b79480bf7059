"""Patterns: which templates are merged, that a filter always holds, what changed, and hostile templates."""

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.query.compile.templates import MAX_TEMPLATE_BYTES, MAX_TEMPLATES, WILD
from functions.query.language.parser import parse_filter
from functions.query.language.syntax_tree import MESSAGE, Equals, Exists, Like
from functions.query.patterns import patterns_request
from functions.query.results.table_rows import TableRows
from functions.query.stats import compiled_stats, stats_request
from functions.query.templates.changes import Comparison, comparison, ranked
from functions.query.templates.counts import (
    NO_TEMPLATES,
    RangeCounts,
    TemplateRow,
    all_templates,
    decode_templates,
    range_counts,
)
from functions.query.templates.filters import holds, query_of, shown
from functions.query.templates.merge import MAX_MEMBERS, TemplateCount, patterns_of
from functions.query.templates.table import merged_patterns
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError
from tests.examples import examples
from tests.measured import cost_of

HOUR = 3600 * 10**9


def merged(*texts: str) -> list[tuple[str, float]]:
    templates = [TemplateCount(text.replace("<*>", WILD), str(at), 1.0) for at, text in enumerate(texts)]
    return [(shown(each.text), each.now) for each in patterns_of(templates)]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["user ada logged in from <*>", "user bob logged in from <*>"], ["user <*> logged in from <*>"]),
        (["ada has logged in today", "bob has logged in today"], ["<*> has logged in today"]),
        (["done by ada (ok)", "done by bob (no)"], ["done by ada (ok)", "done by bob (no)"]),
        (["a b c uid=ada", "a b c uid=bob"], ["a b c uid=<*>"]),
        (["a b c (ada)", "a b c (bob)"], ["a b c (<*>)"]),
        (["a b c x=<*>y", "a b c x=<*>z"], ["a b c x=<*>"]),
        (["went down by a", "went up by b"], ["went down by a", "went up by b"]),
        (["started ada", "started bob"], ["started ada", "started bob"]),
        (["<*> <*> ada", "<*> <*> bob"], ["<*> <*> ada", "<*> <*> bob"]),
        (["<*>", "<*> <*>"], ["<*>", "<*> <*>"]),
        (["a b c d", "a b c d e"], ["a b c d", "a b c d e"]),
        ([""], [""]),
    ],
)  # fmt: skip
def test_templates_of_as_many_words_that_are_mostly_equal_are_one_pattern(
    texts: list[str], found: list[str]
) -> None:
    assert [text for text, _ in merged(*texts)] == found
    assert sum(count for _, count in merged(*texts)) == len(texts)


def test_a_pattern_has_the_counts_of_its_templates_and_the_most_frequent_as_members() -> None:
    templates = [TemplateCount(f"a b c d {at}x", str(at), 100.0 - at, at) for at in range(9)]
    (pattern,) = patterns_of(templates)
    assert (pattern.now, pattern.before) == (sum(100 - at for at in range(9)), 36)
    assert [each.hash for each in pattern.members] == [str(at) for at in range(MAX_MEMBERS)]


WORDS = st.sampled_from(
    ["a", "b", "user", "x=1", "(ok)", '"', "\\", "*", "<*>", "/", "%", "_", "é", "日本", ""]
)
PIECES = st.lists(WORDS | st.text(max_size=5), max_size=8).map(" ".join)
MESSAGES = st.lists(PIECES, min_size=1, max_size=12)


def template_of(random: Random, message: str) -> str:
    """A template of `message`: some of its substrings replaced."""
    text = message
    for _ in range(random.randrange(4)):
        if text:
            start = random.randrange(len(text))
            text = text[:start] + WILD + text[start + random.randrange(5) :]
    return text


@examples(400)
@given(MESSAGES, st.randoms(use_true_random=False))
def test_the_filter_of_a_pattern_holds_for_every_message_of_its_templates(
    messages: list[str], random: Random
) -> None:
    messages = [message.replace(WILD, "") for message in messages]
    by_template = {template_of(random, message): message for message in messages}
    for pattern in patterns_of([TemplateCount(text, text, 1.0) for text in by_template]):
        found = query_of(pattern.text)
        if found is None:
            continue
        text, tree = found
        assert parse_filter(text) == tree
        for each in pattern.members:
            assert holds(tree, by_template[each.text]), (text, by_template[each.text])


@pytest.mark.parametrize(
    ("template", "text", "tree"),
    [
        ("out of memory", 'message:"out of memory"', Equals(MESSAGE, ("out of memory",))),
        ("user <*> in", 'message:"user "*" in"', Like(MESSAGE, ("user ", " in"))),
        ("<*>", "message:*", Exists(MESSAGE)),
        ("", 'message:""', Equals(MESSAGE, ("",))),
        ('say "<*>" \\ *', None, Like(MESSAGE, ('say "', '" \\ *'))),
    ],
)
def test_a_filter_is_the_literal_text_with_stars(
    template: str, text: str | None, tree: Equals | Like | Exists
) -> None:
    found = query_of(template.replace("<*>", WILD))
    assert found
    assert found[1] == tree
    assert text is None or found[0] == text


def test_a_template_that_the_language_cannot_write_whole_has_a_weaker_filter_or_none() -> None:
    broken = query_of(f"a \ud800 longer part{WILD}the longest of its parts")
    assert broken == (
        'message:*"the longest of its parts"*',
        Like(MESSAGE, ("", "the longest of its parts", "")),
    )
    assert query_of("\ud800") is None


@pytest.mark.parametrize(
    ("parts", "message", "held"),
    [
        (("a", "c"), "abc", True),
        (("a", "c"), "abcd", False),
        (("ab", "bc"), "abc", False),
        (("", "b", ""), "abc", True),
        (("a", "b", "b", ""), "abcb", True),
        (("a", "b", "b", ""), "abc", False),
        (("a", "b", "b"), "ab", False),
        (("a", "b", "b"), "abb", True),
    ],
)
def test_parts_are_found_in_their_order_without_overlaps(
    parts: tuple[str, ...], message: str, held: bool
) -> None:
    assert holds(Like(MESSAGE, parts), message) is held


def counts(rows: int, sampled: int, **templates: int) -> RangeCounts:
    listed = [
        TemplateRow(name, name, n, ["2026-11-01 12:00:00.000000000"], sampled)
        for name, n in templates.items()
    ]
    return RangeCounts(rows, sampled, listed)


def test_counts_of_samples_and_of_two_stores_are_estimated_for_all_rows() -> None:
    found = all_templates([counts(1000, 100, a=30, b=70), counts(50, 50, a=50)], [counts(10, 10, a=10)])
    assert [(each.text, each.now, each.before) for each in found] == [("b", 700, 0), ("a", 350, 10)]


@pytest.mark.parametrize(
    ("now", "before", "length", "weight", "change"),
    [
        (5, 0, 1.0, 1.0, "new"),
        (0, 5, 1.0, 1.0, "gone"),
        (200, 20, 1.0, 1.0, "risen"),
        (20, 200, 1.0, 1.0, "fallen"),
        (200, 20, 10.0, 1.0, "same"),
        (6, 3, 1.0, 1.0, "same"),
        (10_400, 10_000, 1.0, 1.0, "same"),
        (200, 20, 1.0, 100.0, "same"),
    ],
)
def test_a_change_is_larger_than_chance_and_than_a_half(
    now: float, before: float, length: float, weight: float, change: str
) -> None:
    (pattern,) = patterns_of([TemplateCount("a", "1", now, before)])
    assert Comparison(length, weight, weight).change(pattern) == change


def test_ranges_of_other_lengths_are_compared_by_their_length() -> None:
    assert comparison(((0, HOUR),), [], []) is None
    compared = comparison(((0, HOUR), (0, 2 * HOUR)), [counts(10, 5)], [counts(10, 10)])
    assert compared == Comparison(0.5, 2.0, 1.0)
    many, few = patterns_of([TemplateCount("a", "1", 100, 200), TemplateCount("b", "2", 10, 0)])
    assert ranked([many, few], compared) == [few, many]
    assert ranked([few, many], None) == [many, few]


def test_the_second_range_is_as_long_as_the_first_unless_it_has_an_end() -> None:
    body = {
        "from": "1970-01-01T02:00:00Z",
        "to": "1970-01-01T03:00:00Z",
        "compare_from": "1970-01-01T00:00:00Z",
    }
    assert patterns_request(json.dumps(body).encode()).ranges == ((2 * HOUR, 3 * HOUR), (0, HOUR))
    longer = {**body, "compare_to": "1970-01-01T02:00:00Z"}
    assert patterns_request(json.dumps(longer).encode()).ranges[1] == (0, 2 * HOUR)
    relative = patterns_request(b'{"from": "-1h", "compare_from": "-2h"}', 10 * HOUR)
    assert relative.ranges == ((9 * HOUR, 10 * HOUR), (8 * HOUR, 9 * HOUR))


def test_the_table_of_the_pipe_has_merged_patterns_and_says_when_templates_are_missing() -> None:
    compiled = compiled_stats(stats_request(b'{"query": "* | patterns 2"}'), TenantId("acme"))
    assert compiled.statement.parameters["tenant_id"] == "acme"
    rows: list[list[str | int | float | None]] = [
        [f"user ada logged in from {WILD}", 5, 4],
        ["out of memory", 4, 4],
        [f"user bob logged in from {WILD}", 3, 4],
    ]
    columns, found = merged_patterns(compiled, TableRows([*rows, ["rare", 1, 4]], False, 9, 1.0, 5))
    assert [each.name for each in columns] == ["pattern", "count"]
    assert found == TableRows([["user <*> logged in from <*>", 8], ["out of memory", 4]], False, 9, 1.0, 5)
    assert merged_patterns(compiled, TableRows(rows, False, 9, 1.0))[1].truncated
    assert merged_patterns(compiled, TableRows(rows[:0], False, 9, 1.0))[1].rows == []


def answer(*rows: dict[str, object]) -> bytes:
    total = {"c0": "", "c1": "", "c2": "7", "c3": [], "c4": 0}
    return json.dumps({"data": [*rows, total], "statistics": {"rows_read": 1, "elapsed": 0.1}}).encode()


def row(**changes: object) -> dict[str, object]:
    return {"c0": "a", "c1": "1", "c2": "3", "c3": ["2026-11-01 12:00:00.000000000"], "c4": "5", **changes}


def test_an_answer_is_decoded_wherever_the_number_of_all_rows_is() -> None:
    found = range_counts(decode_templates(answer(row())))
    assert (found.rows, found.sampled, found.weight, len(found.templates)) == (7, 5, 1.4, 1)
    assert range_counts(NO_TEMPLATES).weight == 1.0


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[" * 100_000,
        answer(row(c2="-1")),
        answer(row(c2="x")),
        answer(row(c3=["yesterday"])),
        answer(row(c1="")),
        answer(row(c1="1) OR 1=1")),
        answer(row(c0="x" * 3000)),
        answer(*[row(c0="x" * 2000)] * (MAX_TEMPLATE_BYTES // 2000 + 1)),
        answer(*[row()] * (MAX_TEMPLATES + 1)),
        b'{"data":[],"statistics":{"rows_read":1,"elapsed":0.1}}',
    ],
    ids=range(11),
)
def test_an_answer_that_was_not_asked_for_is_unusable(content: bytes) -> None:
    with pytest.raises(UnusableAnswerError):
        decode_templates(content)


HOSTILE = {
    "one word each": (50_000, "{word}"),
    "a common first word": (50_000, "start {words} {words}"),
    "many short words": (50_000, "a {letters} z"),
    "blanks": (8000, " " * 490 + "{word}"),
    "similar": (50_000, "user {word} logged in from \x7f"),
    "long words": (8000, "a." * 150 + "{word}" + ".b" * 80 + " c"),
}


def merge_hostile(name: str) -> dict[str, int]:
    """Merge as many templates of a form as a statement returns, and write their filters."""
    random = Random(name)
    count, form = HOSTILE[name]
    letters = "abcdefghijklmnopqrstuvwxyz"
    parts: dict[str, Callable[[], str]] = {
        "{word}": lambda: "".join(random.choices(letters, k=8)),
        "{words}": lambda: " ".join("".join(random.choices(letters, k=6)) for _ in range(5)),
        "{letters}": lambda: " ".join(random.choices(letters, k=38)),
    }
    made = set()
    for _ in range(count):
        text = form
        for place, part in parts.items():
            if place in form:
                text = text.replace(place, part())
        made.add(text)
    patterns = patterns_of([TemplateCount(text, text, 1.0) for text in sorted(made)])
    queries = [query_of(pattern.text) for pattern in patterns[:50]]
    return {"bytes": sum(map(len, made)), "patterns": len(patterns), "queries": sum(map(bool, queries))}


@pytest.mark.measured
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_take_bounded_time_and_memory(name: str) -> None:
    cost = cost_of(
        "tests.unit.query.test_patterns:merge_hostile", {"name": name}, memory_mb=1024, within_cpu_seconds=12
    )
    assert cost.result["queries"] > 0, cost
    assert cost.result["bytes"] <= MAX_TEMPLATE_BYTES * 1.1
    assert cost.cpu_seconds < 12, cost
    assert cost.peak_mb < 400, cost
