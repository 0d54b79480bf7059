"""POST /v1/drain in JSON: an array of events, an object with `events` or `logs`, or one event.

Nearly every body is one window. One that is large, or could hold very many records, is cut while it streams
in (functions.ingest.streamed), so that memory stays bounded whatever it holds.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec
from msgspec import Raw

from functions.ingest import streamed
from functions.ingest.protocols.contract import (
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    Window,
    described,
    nothing_accepted,
)
from functions.ingest.protocols.refusals import Cause, cause_of, retry_after
from functions.shared.errors import HttpError
from functions.shared.http import Answer, answer, refused

ONE_WINDOW_BYTES = 8 * 1024 * 1024
SURELY_FEW_BYTES = 512 * 1024
MANY_COMMAS = 300_000
MANY_BRACES = 100_000
"""They bound how many values, and how many events, a window can hold: 15 to 20 MB of memory each."""


class JsonProtocol(IngestProtocol):
    """Our own API. Also reads NDJSON under a JSON content type, which is what curl sends by default."""

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        whole = one_window(pieces)
        if not isinstance(whole, bytes):
            return streamed.elements(whole)
        return (Window(whole, _looks_like_lines(whole)),)

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        if not result.rows:
            raise nothing_accepted(result)
        return answer(200 if result.searchable else 202, {"status": "accepted", **described(result)})

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        """402 is 429 to a sender that drops every batch at a 4xx, if what it keeps can be saved."""
        response = refused(error, request.event)
        if cause_of(error) is Cause.OVER_QUOTA and _drops_at_any_4xx(request):
            return {**response, "statusCode": 429, "headers": {**response["headers"], **retry_after(error)}}
        return response


_DROPPING_SENDERS = ("fluent-bit", "fluentd", "vector/", "logstash", "manticore", "ruby")
"""In User-Agent: agents that keep a batch at 408, 429 and 5xx only. Logstash calls itself by its HTTP client,
Manticore, and Fluentd by its language."""


def _drops_at_any_4xx(request: LogRequest) -> bool:
    agent = request.headers.get("user-agent", "").lower()
    return any(name in agent for name in _DROPPING_SENDERS)


PROTOCOL = JsonProtocol()


def one_window(pieces: Iterator[bytes]) -> bytes | Iterator[bytes]:
    """The whole body, stripped, if it may be one window; otherwise its pieces, to be cut."""
    head, size_bytes = list[bytes](), 0
    for piece in pieces:
        head.append(piece)
        size_bytes += len(piece)
        if size_bytes > ONE_WINDOW_BYTES:
            return chain(head, pieces)
    whole = b"".join(head).strip()
    return whole if len(whole) <= SURELY_FEW_BYTES or _holds_few(whole) else iter((whole,))


def _holds_few(body: bytes) -> bool:
    return body.count(b",") <= MANY_COMMAS and body.count(b"{") <= MANY_BRACES


def _looks_like_lines(body: bytes) -> bool:
    """NDJSON under another content type, such as curl's own: a first line that is an object by itself."""
    first, newline, _ = body.partition(b"\n")
    return bool(newline) and first[:1] == b"{" and _is_json(first)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
