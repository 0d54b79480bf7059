"""The contract of a protocol: decode a request into records, and answer in the client's own form.

Everything else is the same for every protocol and happens outside of it: authentication, rate limit, limits
of size, judging, staging, idempotency marks, waiting, metrics and the log line of a rejected request. So an
adapter adds a way in, and no way around a guarantee (docs/adr/0029).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from functions.ingest import unpack
from functions.ingest.idempotency import IdempotencyKey, read_key
from functions.shared import sent_key
from functions.shared.access import Principal, principal
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.http import Answer, Event, body_of

MAX_REJECTIONS = 1000

UNMATCHED = "$default"
"""The route of requests that match no other."""


class LogRequest:
    """One request to a route that accepts logs. Names of headers are in lower case.

    `route`: `<method> <path>` of the topology. `parameters`: the values of the path's `{parameters}`.
    `event`: all of it, as the gateway sent it.
    `decoded`: what `decode` leaves for `accepted`, such as the action of each record; None by default.
    """

    __slots__ = ("_body", "decoded", "event", "headers", "parameters", "query", "request_id", "route")

    def __init__(self, event: Event) -> None:
        self._body: bytes | None = None
        self.decoded: Any = None
        self.event = event
        self.route: str = event["routeKey"]
        self.headers: dict[str, str] = event.get("headers") or {}
        self.query: dict[str, str] = event.get("queryStringParameters") or {}
        self.parameters: dict[str, str] = event.get("pathParameters") or {}
        self.request_id: str = event["requestContext"]["requestId"]

    @property
    def method(self) -> str:
        """The HTTP method, in upper case; a route of any method does not say it."""
        method: str = self.event["requestContext"]["http"]["method"]
        return method

    @property
    def path(self) -> str:
        path: str = self.event.get("rawPath", "/")
        return path

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty without one."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def body(self) -> bytes:
        """The body as received, before Content-Encoding is undone: what a sender's signature covers.

        Raises
        ------
        HttpError: 400 when the gateway marks it as base64 and it is not.
        """
        if self._body is None:
            self._body = body_of(self.event)
        return self._body

    @property
    def sent_key(self) -> str:
        """The API key as sent, valid or not, which signs the webhooks of its sender; empty without one."""
        return sent_key.find(self.headers) or sent_key.find_in_query(self.query) or ""

    def caller(self) -> Principal:
        """The sender, by its key.

        Raises
        ------
        HttpError: 401 or 429 when the authorizer found no valid key.
        """
        return principal(self.event)


class Window(Struct, frozen=True):
    """Some records as JSON, about a megabyte: one document, or with `ndjson` one record a line.

    A document is an array, an object with `events` or `logs`, or one record. Field names are those of
    functions.shared.events.names.
    """

    body: bytes
    ndjson: bool


Part = Window | RejectedEvent
"""What decoding yields: records to judge, or a record that the protocol itself rejects."""

WINDOW_BYTES = 1024 * 1024

TOO_DEEP = RejectedEvent("too_deep", "The event is nested too deep.")

EventFields = Mapping[str, Any]
"""A record as field -> value, under the names of functions.shared.events.names."""

_encode = msgspec.json.Encoder().encode


def windows(records: Iterable[EventFields | bytes | RejectedEvent]) -> Iterator[Part]:
    """Single records as parts: good ones in windows, and the rejected ones in their places between them.

    A record of bytes is JSON already, on one line.

    Raises
    ------
    HttpError: 413 when all records together are larger than a decoded body may be: what a body says once
    for many records, such as a stream's labels, each of them has here.
    """
    lines, window_bytes, left_bytes = list[bytes](), 0, unpack.MAX_DECODED_BYTES
    for record in records:
        line = record if isinstance(record, bytes | RejectedEvent) else _line_of(record)
        if isinstance(line, RejectedEvent):
            if lines:
                yield _window_of(lines)
            yield line
            continue
        lines.append(line)
        window_bytes += len(line)
        if window_bytes < WINDOW_BYTES:
            continue
        left_bytes -= window_bytes
        window_bytes = 0
        if left_bytes < 0:
            raise HttpError(
                413, "payload_too_large", "The records of the body are larger than 64 MB together."
            )
        yield _window_of(lines)
    if lines:
        yield _window_of(lines)


def _line_of(record: EventFields) -> bytes | RejectedEvent:
    """A record as JSON on one line; its values may be as they were sent, with line breaks in them."""
    line = _encode(record)
    if b"\n" not in line and b"\r" not in line:
        return line
    try:
        return msgspec.json.format(line, indent=-1)
    except RecursionError:
        return TOO_DEEP


def _window_of(lines: list[bytes]) -> Window:
    """The lines as a window; the list is empty afterwards."""
    lines.append(b"")
    body = b"\n".join(lines)
    lines.clear()
    return Window(body, ndjson=True)


class Rejection(Struct, frozen=True):
    """A rejected record; `index` counts all records of the request from 0."""

    index: int
    cause: RejectedEvent


class IngestResult(Struct):
    """The result of one request: `rows` records accepted and durable in S3, `rejected` records rejected.

    `rejections` describes the first rejected ones, at most `max_rejections`. `searchable`: the sender asked
    to wait, and searches find the rows.
    """

    max_rejections: int = MAX_REJECTIONS
    rows: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    searchable: bool = False

    @property
    def records(self) -> int:
        return self.rows + self.rejected

    def reject(self, index: int, cause: RejectedEvent) -> None:
        self.rejected += 1
        if len(self.rejections) < self.max_rejections:
            self.rejections.append(Rejection(index, cause))


class IngestProtocol(ABC):
    """One protocol. It has no state: one instance, its module's `PROTOCOL`, serves all requests.

    A request that is rejected anywhere, by us or by the protocol, is an HttpError, and `rejected` puts it
    into the protocol's form. Then nothing of the request is stored.
    """

    max_rejections = MAX_REJECTIONS
    """How many rejected records are described to `accepted`; a protocol with a result for each needs all."""

    resends_same_bytes = False
    """Whether clients send a request again byte for byte, with times in nanoseconds and without an id: such a
    request is recognised (functions.ingest.resends)."""

    def reads(self, request: LogRequest) -> bool:
        """Whether the request is in this protocol; asked only where several share a route."""
        return True

    def handshake(self, request: LogRequest) -> Answer | None:
        """The response to a request that brings no logs, such as a health check; None for one that does.

        Called first, without a valid key: call `request.caller()` where the client expects 401 for a bad one.
        Protocols that the topology names for it are also asked for requests of the route UNMATCHED, which
        have no key; what they do not know is None.
        """
        return None

    def idempotency_key(self, request: LogRequest) -> IdempotencyKey | None:
        """The request's idempotency key, by which a retry is recognised for 24 hours; None without one.

        A protocol whose requests have an id that is stable over retries prefixes it with its own name.

        Raises
        ------
        HttpError: 400, for a key that is too long.
        """
        return read_key(request.headers)

    def unpack(self, request: LogRequest) -> Iterator[bytes]:
        """The body after Content-Encoding, in pieces.

        An override keeps the bounds of functions.ingest.unpack on memory, time and decoded size.
        """
        return unpack.chunks(request.body, request.headers.get("content-encoding", ""))

    @abstractmethod
    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        """The records in `pieces`, in their order, lazily. `windows` makes parts of single records.

        Pure: it reaches no network, keeps nothing, and holds one window at a time where the format permits.

        Raises
        ------
        HttpError: 400, 413 or 415, possibly after some parts, when the body as a whole is rejected.
        """

    @abstractmethod
    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """The response to a body that was decoded, whatever became of its records.

        A result without rows may be an error of the request instead: raise `nothing_accepted(result)`. With
        rows it must not raise, because they are stored.
        """

    @abstractmethod
    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        """The response to a rejected request: status and body by which this client retries what it should.

        Status 500 means that the outcome is unknown; 429 and 503 that nothing is stored. The body of
        `request` may be what is wrong with it: do not read it here.
        """


def nothing_accepted(result: IngestResult) -> HttpError:
    """The error of a body without a single good record."""
    details = described(result)
    if result.rejected:
        message = "None of the events could be accepted: see 'errors'."
        return HttpError(400, "all_rejected", message, details=details)
    return HttpError(400, "no_events", "The body holds no events.", details=details)


def described(result: IngestResult) -> dict[str, int | list[dict[str, str | int]]]:
    """The result as POST /v1/drain shows it: counts, and the rejected events by index, code and reason."""
    errors: list[dict[str, str | int]] = [
        {"index": each.index, "code": each.cause.code, "reason": each.cause.reason}
        for each in result.rejections
    ]
    return {"accepted": result.rows, "rejected": result.rejected, "errors": errors}
