"""Pages, retries and errors of the command's reader (a whole service: tests/integration/test_command.py)."""

import json
from typing import Any

import pytest

from astralog._reader import TRIES, Reader, ReadError
from astralog._settings import endpoint_of, key_of
from astralog._transport import Response

PAGES: dict[Any, tuple[list[int], str | None]] = {
    None: ([1, 2], "c1"),
    "c1": ([3, 4], "c2"),
    "c2": ([5], None),
}


class FakeTransport:
    """Answers with `responses` in turn, and then with pages of a search."""

    def __init__(self, *responses: Response | OSError) -> None:
        self.responses = list(responses)
        self.asked: list[dict[str, Any]] = []

    def ask(self, _method: str, _path: str, document: dict[str, Any] | None = None) -> Response:
        self.asked.append(document or {})
        if self.responses:
            response = self.responses.pop(0)
            if isinstance(response, OSError):
                raise response
            return response
        asked = document or {}
        events, cursor = PAGES[asked["cursor"]]
        return answer(200, {"events": events[: asked["limit"]], "next_cursor": cursor})


def answer(status: int, document: dict[str, Any], retry_after: float | None = None) -> Response:
    return Response(status, retry_after, document, json.dumps(document).encode())


def reader(transport: FakeTransport) -> tuple[Reader, list[float], list[str]]:
    slept, notified = list[float](), list[str]()
    made = Reader(endpoint_of("http://127.0.0.1:1"), key_of("k"), notify=notified.append, sleep=slept.append)
    made._transport = transport  # type: ignore[assignment]
    return made, slept, notified


@pytest.mark.parametrize(("limit", "found"), [(None, 5), (9, 5), (3, 3), (2, 2), (1, 1)])
def test_pages_are_read_as_far_as_they_are_wanted(limit: int | None, found: int) -> None:
    transport = FakeTransport()
    events: list[Any] = list(reader(transport)[0].search({"query": "x"}, limit))
    assert events == [1, 2, 3, 4, 5][:found]
    assert [each["query"] for each in transport.asked] == ["x"] * len(transport.asked)
    if limit:
        assert transport.asked[0]["limit"] == limit


def test_what_passes_is_tried_again_with_a_notice() -> None:
    busy = answer(429, {"code": "too_many_searches", "error": "Busy."}, 7.0)
    transport = FakeTransport(busy, ConnectionResetError(), answer(503, {}))
    made, slept, notified = reader(transport)
    events: list[Any] = list(made.search({}, None))
    assert events == [1, 2, 3, 4, 5]
    assert slept == [7.0, 1.0, 2.0]
    assert notified == [
        "Busy. Trying again in 7 s.",
        "http://127.0.0.1:1 does not answer. Trying again in 1 s.",
        "http://127.0.0.1:1 answered 503. Trying again in 2 s.",
    ]


def test_an_outage_ends_after_some_tries() -> None:
    transport = FakeTransport(*(OSError() for _ in range(TRIES)))
    made, slept, _ = reader(transport)
    with pytest.raises(ReadError) as raised:
        list(made.search({}, None))
    assert (raised.value.status, len(slept), len(transport.asked)) == (None, TRIES - 1, TRIES)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"events": []}', b"[" * 100_000])
def test_another_service_is_recognized(body: bytes) -> None:
    made, _, _ = reader(FakeTransport(Response(200, None, {}, body)))
    with pytest.raises(ReadError, match="is not AstraLog"):
        list(made.search({}, None))


def test_a_rejection_is_not_repeated_and_has_the_sentence_of_the_service() -> None:
    rejected = answer(400, {"code": "invalid_query", "error": "Column 7: expected trace.", "column": 7})
    made, slept, _ = reader(FakeTransport(rejected))
    with pytest.raises(ReadError, match="Column 7: expected trace") as raised:
        made.stats({"query": "level:errr"})
    assert (raised.value.status, raised.value.document["column"], slept) == (400, 7, [])
