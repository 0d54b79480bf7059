"""The query language: every text is a tree or an error with a column, and a tree prints as itself."""

from contextlib import suppress
from random import Random

import pytest

from functions.query.format import formatted
from functions.query.language import parser as parsing
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.parser import parse, parse_filter
from functions.query.language.printer import NoTextError, printed
from functions.query.language.syntax_tree import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Bound,
    ContainsText,
    ContainsWordLike,
    ContainsWords,
    Equals,
    Exists,
    FieldRef,
    Filter,
    InRange,
    Like,
    Loose,
    MatchesRegex,
    Negation,
    Query,
)
from tests.measured import cpu_seconds_of
from tests.query_texts import damaged, query_text

SERVICE = FieldRef("column", "service")
LEVEL = FieldRef("column", "level")
MESSAGE = FieldRef("column", "message")
STATUS = FieldRef("path", "status")

THE_ISSUES = (
    'level:error service:(api OR web) @duration_ms:>500 "timed out" path:/health* -user:bot '
    "msg:*connection refused* /tim(ed)? out/ trace_id:4bf92f "
    "| stats count() as n, p95(duration_ms) by service, bucket(5m) | sort -n | limit 20"
)


def fault(text: str) -> QuerySyntaxError:
    with pytest.raises(QuerySyntaxError) as raised:
        parse(text)
    return raised.value


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("*", EVERYTHING),
        ("timeout", ContainsWords("timeout")),
        ('"timed out"', ContainsWords("timed out")),
        ("a b", AllOf((ContainsWords("a"), ContainsWords("b")))),
        ("a AND b", AllOf((ContainsWords("a"), ContainsWords("b")))),
        (
            "a OR b c",
            AnyOf((ContainsWords("a"), AllOf((ContainsWords("b"), ContainsWords("c"))))),
        ),
        ("(a OR b) c", AllOf((AnyOf((ContainsWords("a"), ContainsWords("b"))), ContainsWords("c")))),
        ("NOT a", Negation(ContainsWords("a"))),
        ("-a", Negation(ContainsWords("a"))),
        ("level:WARNING", Equals(LEVEL, ("warn",))),
        ("level:>=error", Equals(LEVEL, ("error", "fatal"))),
        ("service:(api OR web)", Equals(SERVICE, ("api", "web"))),
        ("status:500", Equals(STATUS, (Loose("500"),))),
        ('status:"500"', Equals(STATUS, ("500",))),
        ("status:007", Equals(STATUS, ("007",))),
        ("service:500", Equals(SERVICE, ("500",))),
        ("@service:x", Equals(FieldRef("path", "service"), ("x",))),
        ("metadata.service:x", Equals(FieldRef("path", "service"), ("x",))),
        ("`a b`:x", Equals(FieldRef("path", "a b"), ("x",))),
        ("status:>=500", InRange(STATUS, Bound(500, True), None)),
        ("status:[400 TO 499]", InRange(STATUS, Bound(400, True), Bound(499, True))),
        ("status:[* TO 5.5]", InRange(STATUS, None, Bound(5.5, True))),
        ('status:<"5"', InRange(STATUS, None, Bound("5", False))),
        ("status:*", Exists(STATUS)),
        ("path:/health*", Like(FieldRef("path", "path"), ("/health", ""))),
        ("msg:*connection refused*", Like(MESSAGE, ("", "connection refused", ""))),
        ("/tim(ed)? out/", MatchesRegex(MESSAGE, "tim(ed)? out")),
        ("status:/5../i", MatchesRegex(STATUS, "5..", True)),
        ("/api/v1", ContainsWords("/api/v1")),
        ("conn*", ContainsWordLike(("conn", ""))),
        (
            "status:(1 OR NOT >5)",
            AnyOf((Equals(STATUS, (Loose("1"),)), Negation(InRange(STATUS, Bound(5, False), None)))),
        ),
    ],
)
def test_a_filter_means_what_the_documentation_says(text: str, tree: Filter) -> None:
    assert parse(text) == Query(tree)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("level:errr", 7, "fatal"),
        ("(a OR", 6, "a word"),
        ("(a", 3, ")"),
        ("a)", 2, "|"),
        ('x:"open', 8, "a closing quotation mark"),
        ("`open", 6, "a closing backtick"),
        ("x:", 3, "a value"),
        ("x:>", 4, "a value"),
        ("x:[1 TO ]", 9, "a value"),
        ("x:[1 2]", 6, "TO"),
        ("x:[1 TO b]", 3, "two numbers, or two texts"),
        ("x:>99999999999999999999", 4, "a number of at most 64 bits"),
        ("x:[1 TO 1e999]", 9, "quotes around a text"),
        ("timestamp:yesterday", 11, "an RFC 3339 time such as 2026-11-23T10:00:00Z"),
        ("timestamp:2026*", 11, "a value"),
        ("/a(?=b)/", 4, "a group: (…), (?:…), (?P<name>…) or (?i)"),
        (r"ab /x\1/", 6, r"an escape of RE2, such as \d, \w, \s, \b, \. or \x41"),
        ("a | ", 5, "stats"),
        ("a | statz", 5, "stats"),
        ("a | stats count(", 17, "a field"),
        ("a | stats p95(service)", 15, "a field with numbers"),
        ("a | stats count() by x | sort y", 31, "count"),
        ("a | stats count() | where timeout", 27, "column:value"),
        ("a | stats count(), count()", 20, "another name: `as name`"),
        ("a | limit 10001", 11, "a number of rows from 1 to 10,000"),
        ("a | patterns 1001", 14, "a number of patterns from 1 to 1,000"),
        ("a | patterns | limit 5", 14, "the end"),
        ("a | top 2 user | patterns", 26, "sort"),
        ("a | stats count() by bucket(5x)", 30, "s"),
        ("a | extract /x/", 13, "a group (?P<name>…) in the expression"),
        ("a" + ".b" * 16 + ":1", 1, "a path of at most 16 parts between dots"),
        ("(" * 33, 33, "at most 32 levels of parentheses and negations"),
        ("a " * 65, 129, "at most 64 conditions"),
        ("a | " + "limit 5 | " * 17, 163, "at most 16 pipes"),
        ("x" * 8193, 8193, "at most 8,192 characters"),
    ],
)
def test_an_error_names_the_column_and_what_is_expected_there(text: str, column: int, expected: str) -> None:
    found = fault(text)
    assert (found.column, expected in found.expected) == (column, True), (found.column, found.expected)
    assert str(found).startswith(f"Column {column}: expected ")


def test_a_text_of_digits_that_no_number_has_is_compared_as_text_in_quotes() -> None:
    query = Query(InRange(FieldRef("path", "x"), Bound("99999999999999999999", inclusive=False), None))
    assert parse('x:>"99999999999999999999"') == query
    assert parse(printed(query)) == query


def test_the_caret_stands_below_the_column_of_its_line() -> None:
    assert fault("service:api\nlevel:errr").caret == "level:errr\n      ^"
    long = "x" * 500 + " level:errr"
    line, caret = fault(long).caret.split("\n")
    assert len(line) <= 120
    assert line[len(caret) - 1 :] == "errr"


def test_the_example_of_the_documentation_prints_as_itself() -> None:
    query = parse(THE_ISSUES)
    assert len(query.pipes) == 3
    assert parse(printed(query)) == query


def test_pipes_are_refused_where_only_a_filter_is_expected() -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        parse_filter("level:error | stats count()")
    assert (raised.value.column, raised.value.expected) == (13, ("the end",))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "  level:>=warn   NOT  path:/health*   /tim(ed)? out/i ",
            "level:>=warn -path:/health* /tim(ed)? out/i",
        ),
        ("(a AND (b AND c)) path:/a/b", "a b c path:/a/b"),
        ('"/a" b/', '"/a" b/'),
        ('path:"/a/" "/b/i"', 'path:"/a/" "/b/i"'),
        ("level:(warn OR error)|limit 5", "level:(warn OR error) | limit 5"),
        ("", "*"),
    ],
)
def test_a_query_is_formatted_as_a_person_writes_it(text: str, wanted: str) -> None:
    assert formatted(parse(text)) == wanted
    assert parse(wanted) == parse(text)


def test_a_long_query_has_a_line_for_each_pipe() -> None:
    lines = formatted(parse(THE_ISSUES)).split("\n")
    assert [line.split()[1] for line in lines[1:]] == ["stats", "sort", "limit"]
    assert parse("\n".join(lines)) == parse(THE_ISSUES)


def test_a_condition_that_only_json_has_is_not_printed_as_another() -> None:
    for only_json in (Equals(STATUS, (500,)), Equals(STATUS, (None,)), ContainsText(STATUS, "x")):
        with pytest.raises(NoTextError):
            printed(Query(only_json))


def parsed(text: str) -> Query | None:
    """The tree; None for an error that is complete."""
    try:
        return parse(text)
    except QuerySyntaxError as error:
        complete = 1 <= error.column <= len(text) + 1 and error.expected and str(error)
        if not complete:
            raise
        return None


def check_texts(seed: int, count: int) -> tuple[int, int]:
    """How many texts are queries, and how many are errors; each is one of both, and prints as itself."""
    random, queries = Random(seed), 0
    for _ in range(count):
        text = query_text(random)
        if random.random() < 0.4:
            text = damaged(random, text)
        query = parsed(text)
        if query is not None:
            queries += 1
            again = printed(query)
            assert parse(again) == query, (text, again)
            assert printed(parse(again)) == again, (text, again)
            pretty = formatted(query)
            assert (parse(pretty), formatted(parse(pretty))) == (query, pretty), (text, pretty)
    return queries, count - queries


def test_every_generated_text_is_a_query_or_an_error_with_a_column() -> None:
    queries, errors = check_texts(1, 800)
    assert min(queries, errors) > 150


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_generated_texts_are_queries_or_errors_with_a_column(seed: int) -> None:
    check_texts(100 + seed, 1000)


HOSTILE = {
    "parentheses": "(",
    "quotes": '"a" ',
    "an open quote": '"' + "a ",
    "slashes": "/a ",
    "stars": "*a ",
    "colons": "a:",
    "closed slashes": "/a/ ",
    "minus": "-",
    "backslashes": "\\",
    "blanks": " ",
    "words": "ab ",
    "spaced stars": "*a b ",
    "values": "x:(" + "a OR ",
    "escaped slashes": "/\\/ ",
    "backticks": "`a``",
    "pipes": "a|",
    "or": "a OR ",
    "a long word": "x",
    "brackets": "x:[",
    "phrases": '"a"',
    "newlines": "/\n",
    "keywords": "AND OR NOT ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_text_takes_time_in_proportion(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quadratic time would be minutes for most of them."""
    monkeypatch.setattr(parsing, "MAX_CHARACTERS", 10**7)
    monkeypatch.setattr("functions.query.language.filter_parser.MAX_CONDITIONS", 10**7)
    monkeypatch.setattr("functions.query.language.filter_parser.MAX_VALUES", 10**7)
    text = HOSTILE[name] * (200_000 // len(HOSTILE[name]))

    def read() -> None:
        with suppress(QuerySyntaxError):
            parse(text)

    assert cpu_seconds_of(read, within=5) < 5
