"""What a search's body may say, and what is said about the rest."""

import base64
import json
import re
from typing import Any

import pytest

from functions.query.language.syntax_tree import (
    EVERYTHING,
    AllOf,
    ContainsWords,
    Equals,
    FieldRef,
    Negation,
)
from functions.query.requests.request import DEFAULT_RANGE_NS, Search, search
from functions.query.results import cursor as cursors
from functions.query.times import NANOSECONDS
from functions.shared.errors import HttpError

NOW = 1_790_000_000 * NANOSECONDS


def asked(**body: Any) -> Search:
    return search(json.dumps(body).encode(), NOW)


def refusal(**body: Any) -> HttpError:
    with pytest.raises(HttpError) as refused:
        asked(**body)
    root = re.match(r"\w+", refused.value.details["field"])
    assert root
    assert (refused.value.status, refused.value.code) == (400, f"invalid_{root[0]}")
    return refused.value


def test_an_empty_body_asks_for_the_newest_hundred_of_the_last_day() -> None:
    found = search(b"", NOW)
    assert (found.since, found.until) == (NOW - DEFAULT_RANGE_NS, NOW)
    assert (found.order, found.limit, found.after) == ("desc", 100, None)
    assert found.filter == EVERYTHING


def test_from_defaults_to_a_day_before_to() -> None:
    found = asked(to="1970-01-03T00:00:00Z")
    assert (found.since, found.until) == (24 * 3600 * NANOSECONDS, 48 * 3600 * NANOSECONDS)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": True}, "limit"),
        ({"order": "up"}, "order"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01T00:00:00Z"}, "to"),
        ({"to": "2026-11-01T00:00:00"}, "to"),
        ({"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, "from"),
        ({"from": "1969-12-31T23:59:59Z", "to": "2026-11-01T00:00:00Z"}, "from"),
        ({"services": "gateway"}, "services"),
        ({"levels": [1]}, "levels[0]"),
        ({"levels": ["info", "errr"]}, "levels[1]"),
        ({"q": 5}, "q"),
        ({"q": "w " * 33}, "q"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "ünï"}, "cursor"),
        ({"where": [{"field": "metadata.a", "op": "like", "value": 1}]}, "where[0].op"),
        ({"where": [{"field": "tenant_id", "op": "eq", "value": "x"}]}, "where[0].field"),
        ({"where": [{"field": "batch_id", "op": "eq", "value": "x"}]}, "where[0].field"),
        ({"where": [{"field": "metadata.a", "op": "eq"}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "eq", "value": [1]}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "eq", "value": {"b": 1}}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "in", "value": 1}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "in", "value": []}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "lt", "value": None}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "gt", "value": True}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "eq", "value": 2**64}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "contains", "value": 1}]}, "where[0].value"),
        ({"where": [{"field": "metadata.a", "op": "exists", "value": "yes"}]}, "where[0].value"),
        ({"where": [{"field": "service", "op": "eq", "value": 1}]}, "where[0].value"),
        ({"where": [{"field": "timestamp", "op": "gt", "value": 5}]}, "where[0].value"),
        ({"where": [{"field": "timestamp", "op": "contains", "value": "2026"}]}, "where[0].op"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_by_name(body: dict[str, Any], name: str) -> None:
    assert f"'{name}'" in refusal(**body).message


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"null", b'{"q":"\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(HttpError) as refused:
        search(content, NOW)
    assert refused.value.code == "invalid_body"


def test_an_unknown_field_is_named_with_the_allowed_ones() -> None:
    for body, within in (
        ({"tenant_id": "beta"}, "the body"),
        ({"where": [{"field": "level", "op": "eq", "tenant_id": "beta"}]}, "'where[0]'"),
    ):
        with pytest.raises(HttpError) as refused:
            asked(**body)
        assert (refused.value.status, refused.value.code) == (400, "unknown_field")
        assert refused.value.message.startswith(f"There is an unknown field 'tenant_id' in {within}. Allowed")


def test_a_value_that_is_not_in_the_list_is_answered_with_the_list() -> None:
    assert refusal(order="up").message == "'order' must be one of asc, desc."
    for value in (5, "2026-02-30T00:00:00Z"):
        where = [{"field": "received_at", "op": "gt", "value": value}]
        assert "'where[0].value' " in (message := refusal(where=where).message)
        assert "contains" not in message
        assert "RFC 3339" in message or "does not exist" in message
    where = [{"field": "timestamp", "op": "contains", "value": "2026-11-23T10:00:00Z"}]
    message = refusal(where=where).message
    assert message == "'where[0].op' must not be 'contains' for 'timestamp': compare times."
    where = [{"field": "metadata.a", "op": "like", "value": 1}]
    assert refusal(where=where).message == (
        "'where[0].op' must be one of contains, eq, exists, gt, gte, in, lt, lte, ne."
    )


@pytest.mark.parametrize(
    ("op", "value", "levels"),
    [
        ("eq", "WARNING", ("warn",)),
        ("in", ["err", "fatal"], ("error", "fatal")),
        ("gte", "error", ("error", "fatal")),
        ("gt", "info", ("warn", "error", "fatal")),
        ("lt", "info", ("trace", "debug")),
        ("lte", "Debug", ("trace", "debug")),
    ],
)
def test_a_condition_on_the_level_takes_its_names_and_compares_by_severity(
    op: str, value: Any, levels: tuple[str, ...]
) -> None:
    where = [{"field": "level", "op": op, "value": value}]
    assert asked(where=where).filter == Equals(FieldRef("column", "level"), levels)


@pytest.mark.parametrize(("op", "value"), [("eq", "errr"), ("ne", ""), ("in", ["info", "x"]), ("gt", "3")])
def test_a_level_that_no_event_has_is_answered_with_the_levels(op: str, value: Any) -> None:
    message = refusal(where=[{"field": "level", "op": op, "value": value}]).message
    assert message == "'where[0].value' must be one of trace, debug, info, warn, error, fatal."


@pytest.mark.parametrize(("op", "value"), [("gt", "fatal"), ("lt", "trace")])
def test_a_range_without_a_level_is_an_error(op: str, value: str) -> None:
    message = refusal(where=[{"field": "level", "op": op, "value": value}]).message
    assert message == f"'where[0].value' leaves no level for '{op}': the levels are {ALL_LEVELS}."


ALL_LEVELS = "trace, debug, info, warn, error, fatal"
WIDE = [{"field": "metadata.a", "op": "in", "value": list(range(1000))}] * 4
LONG_PATHS = [{"field": "metadata." + ".".join("a" * 16), "op": "exists"}] * 8


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"where": [{"field": f"metadata.a{'.a' * 16}", "op": "exists"}]}, "'where[0].field' has 17 parts"),
        (
            {"where": [*LONG_PATHS, {"field": "metadata.a", "op": "exists"}]},
            "'body' has paths of metadata with 129 parts in total, more than 128: use fewer conditions",
        ),
        ({"where": WIDE, "levels": ["info"]}, "'body' has 4,001 values in all lists"),
        ({"services": ["x" * 1000] * 99}, "'body' has values of 99,000 bytes in total, more than 98,304"),
        ({"services": ["'" * 1000] * 25}, "'body' has values of 100,000 bytes in total"),
        ({"where": [{"field": "message", "op": "in", "value": ["é" * 1000] * 50}]}, "100,000 bytes"),
    ],
)  # fmt: skip
def test_a_search_that_asks_for_too_much_says_what_to_reduce(body: dict[str, Any], said: str) -> None:
    assert said in refusal(**body).message


@pytest.mark.parametrize(
    "body",
    [
        {"where": LONG_PATHS},
        {"where": WIDE},
        {"where": [{"field": "metadata.id", "op": "in", "value": [f"{n:036}" for n in range(1000)]}]},
        {"services": ["x" * 1000] * 98},
    ],
)
def test_a_search_at_its_limits_is_taken(body: dict[str, Any]) -> None:
    assert asked(**body).limit == 100


def test_conditions_keep_the_type_of_their_value() -> None:
    values = (False, "false", 0, None, 1.5)
    wheres = [{"field": "metadata.a", "op": "eq", "value": value} for value in values]
    found = asked(where=wheres).filter
    assert isinstance(found, AllOf)
    assert found == AllOf(tuple(Equals(FieldRef("path", "a"), (value,)) for value in values))
    kinds = [type(condition.values[0]) for condition in found.operands if isinstance(condition, Equals)]
    assert kinds == [type(value) for value in values]


def test_words_phrases_and_exclusions_are_distinguished() -> None:
    terms = asked(q='timeout "connection reset" -health -"not found" - "open').filter
    assert terms == AllOf(
        (
            ContainsWords("timeout"),
            ContainsWords("connection reset"),
            Negation(ContainsWords("health")),
            Negation(ContainsWords("not found")),
            ContainsWords("-"),
            ContainsWords("open"),
        )
    )


def test_a_query_and_json_conditions_must_all_hold() -> None:
    found = asked(query="service:(api OR web) -timeout", levels=["ERROR"], q="refused").filter
    assert found == AllOf(
        (
            Equals(FieldRef("column", "level"), ("error",)),
            ContainsWords("refused"),
            Equals(FieldRef("column", "service"), ("api", "web")),
            Negation(ContainsWords("timeout")),
        )
    )


def test_an_invalid_query_is_answered_with_its_column_and_a_caret() -> None:
    with pytest.raises(HttpError) as refused:
        asked(query="service:api level:errr")
    assert (refused.value.status, refused.value.code) == (400, "invalid_query")
    assert refused.value.message == (
        "Column 19: expected trace, debug, info, warn, error or fatal; found 'errr'."
    )
    assert refused.value.details == {
        "field": "query",
        "column": 19,
        "expected": ["trace", "debug", "info", "warn", "error", "fatal"],
        "caret": "service:api level:errr\n                  ^",
    }


def test_an_impossible_level_is_answered_with_the_levels() -> None:
    assert refusal(levels=["errr"]).message == (
        "'levels[0]' must be one of trace, debug, info, warn, error, fatal."
    )


def test_nanoseconds_and_offsets_are_understood() -> None:
    found = asked(**{"from": "1970-01-01T01:00:00.1234567899+01:00", "to": "1970-01-01t00:00:01z"})
    assert (found.since, found.until) == (123_456_789, NANOSECONDS)


def a_cursor(body: dict[str, Any]) -> str:
    return cursors.encode(
        cursors.Cursor(cursors.VERSION, asked(**body).digest, 5, 7, cursors.CursorPosition(6, "o", 3, 0, 1))
    )


def test_a_cursor_goes_with_its_search_whatever_the_page_size() -> None:
    body = {"q": "timeout", "where": [{"field": "metadata.a", "op": "exists"}]}
    found = asked(**body, cursor=a_cursor(body), limit=7)
    assert (found.since, found.until, found.after) == (5, 7, cursors.CursorPosition(6, "o", 3, 0, 1))


def test_a_cursor_of_another_search_is_refused() -> None:
    assert "another search" in refusal(q="other", cursor=a_cursor({"q": "timeout"})).message


def test_a_cursor_of_an_earlier_version_says_what_to_do() -> None:
    place = {"instant": 6, "batch_id": "b", "row_hash": 9, "given": 1, "store": "managed"}
    old = [2, asked(q="timeout").digest, 5, 7, place]
    text = base64.urlsafe_b64encode(json.dumps(old).encode()).decode().rstrip("=")
    assert "start again without it" in refusal(q="timeout", cursor=text).message
