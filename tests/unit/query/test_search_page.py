"""Pages: what a client gets for the rows that were found."""

import json
from typing import Any

import pytest

from functions.query.requests.request import Search, search
from functions.query.results import page as pages
from functions.query.results.cursor import decode
from functions.query.results.page import page
from functions.query.results.rows import EventRow, SearchResult

LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


def row(**changes: Any) -> EventRow:
    fields = {
        "timestamp": "2026-11-01 12:00:00.000000001",
        "received_at": "2026-11-01 12:00:01.000001",
        "level": "info",
        "service": "gateway",
        "project_id": "shop",
        "message": "hello",
        "trace_id": "t",
        "span_id": "s",
        "metadata": "{}",
        "object_id": "01k",
        "position": 5,
        "row_hash": "0",
        **changes,
    }
    return EventRow(**fields)


def asked(cursor: str | None = None, limit: int = 2) -> Search:
    return search(json.dumps({"limit": limit, "cursor": cursor}).encode(), 10**18)


def answered(rows: list[EventRow], of: Search | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(page(of or asked(), SearchResult(rows, 11, 1.23456, 1234)))
    return answer


def test_an_event_has_the_wires_fields_and_times() -> None:
    answer = answered([row(metadata='{"a":false}')])
    assert answer == {
        "events": [
            {
                "id": "01k-5",
                "timestamp": "2026-11-01T12:00:00.000000001Z",
                "received_at": "2026-11-01T12:00:01.000001Z",
                "level": "info",
                "service": "gateway",
                "project_id": "shop",
                "message": "hello",
                "trace_id": "t",
                "span_id": "s",
                "metadata": {"a": False},
            }
        ],
        "next_cursor": None,
        "stats": {"rows_read": 11, "bytes_read": 1234, "elapsed_ms": 1.235, "partial": False},
    }


def test_metadata_is_passed_on_to_the_byte() -> None:
    text = '{ "a":1.50, "a" : "\\u00e9" }'
    assert text.encode() in page(asked(), SearchResult([row(metadata=text)], 1, 1.0))


def test_a_row_beyond_the_limit_means_a_next_page() -> None:
    answer = answered([row(position=1), row(position=2), row(position=3)])
    assert len(answer["events"]) == 2
    position = decode(answer["next_cursor"]).position
    assert (position.object_id, position.position, position.given) == ("01k", 2, 1)


def test_a_row_without_identity_has_no_id_and_its_hash_in_the_cursor() -> None:
    older = [row(object_id="", position=0, row_hash=str(number)) for number in (7, 8, 9)]
    answer = answered(older)
    assert [event["id"] for event in answer["events"]] == [None, None]
    assert decode(answer["next_cursor"]).position.row_hash == 8


def test_equal_rows_are_counted_across_pages() -> None:
    equal = row(object_id="", position=0, row_hash="18446744073709551615")
    first = answered([equal] * 3)
    assert decode(first["next_cursor"]).position.given == 2
    second = answered([equal] * 3, asked(cursor=first["next_cursor"]))
    assert decode(second["next_cursor"]).position.given == 4


def test_a_page_too_large_for_a_response_ends_early_and_has_a_next_page() -> None:
    large = "x" * (pages.MAX_PAGE_BYTES // 2)
    rows = [row(position=number, message=large) for number in range(3)]
    answer = answered(rows, asked(limit=100))
    assert len(answer["events"]) == 1
    assert decode(answer["next_cursor"]).position.position == 0


HOSTILE_TEXTS = {"nul": "\x00", "quote": '"', "backslash": "\\", "emoji": "\U0001f600", "plain": "x"}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
@pytest.mark.parametrize("length", [1000, 300_000, 1_048_000])
def test_an_answer_fits_whatever_its_events_are_made_of(text: str, length: int) -> None:
    rows = [row(position=number, message=text * length) for number in range(30)]
    content = page(asked(limit=100), SearchResult(rows, 1, 1.0))
    sent = json.dumps({"statusCode": 200, "body": content.decode()}, ensure_ascii=False)
    assert len(sent.encode()) < LAMBDA_ANSWER_BYTES
    assert json.loads(content)["events"]


def test_one_event_too_large_for_an_answer_is_shown_with_its_message_cut() -> None:
    hostile = [row(message="\x00" * 1_048_000, position=1), row(position=2)]
    answer = answered(hostile, asked(limit=100))
    (event, *_) = answer["events"]
    assert event["message"] == "\x00" * pages.MAX_CUT_MESSAGE
    assert event["message_cut"] is True
    assert "message_cut" not in answered([row()])["events"][0]
