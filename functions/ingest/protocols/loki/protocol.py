"""Loki's push: what its clients send, and the answers by which they keep or drop a batch.

Its agents take 204 for success, send the batch again after 429 and 5xx, and drop it at any other status.
"""

from collections.abc import Iterable, Iterator

from functions.ingest import unpack
from functions.ingest.protocols.contract import (
    UNMATCHED,
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    windows,
)
from functions.ingest.protocols.refusals import Cause, status_for
from functions.shared.errors import HttpError
from functions.shared.http import Answer

_STATUSES = {Cause.UNAVAILABLE: 503, Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}
_READY = "/ready"
_ELSEWHERE = ("/loki/", "/api/prom/")


class LokiProtocol(IngestProtocol):
    """Loki's push in both encodings. Errors are plain text."""

    max_rejections = 1
    resends_same_bytes = True

    def handshake(self, request: LogRequest) -> Answer | None:
        if request.route != UNMATCHED:
            return None
        if request.path == _READY:
            return _text(200, "ready")
        if request.path.startswith(_ELSEWHERE):
            return _text(404, "AstraLog has Loki's push API only: send logs to POST /loki/api/v1/push.")
        return None

    def unpack(self, request: LogRequest) -> Iterator[bytes]:
        """In protobuf the body is a block of snappy, whether Content-Encoding says so or not."""
        encoding = request.headers.get("content-encoding", "")
        is_snappy = encoding.strip().lower() == "snappy"
        pieces = unpack.chunks(request.body, "" if is_snappy else encoding)
        return pieces if _is_json(request) else _decompressed(pieces)

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        body = b"".join(pieces)
        if _is_json(request):
            from functions.ingest.protocols.loki import json_form

            return windows(json_form.events(body))
        from functions.ingest.protocols.loki import protobuf

        return windows(protobuf.events(body))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """204; 400 when entries were rejected, as Loki does, which also stores the others."""
        if not result.rejected:
            return {"statusCode": 204, "headers": {}, "body": ""}
        (first,) = result.rejections
        counts = f"{result.rejected} of {result.records} entries were rejected, and the others are stored."
        return _text(400, f"{counts} Entry {first.index}: {first.cause.reason} ({first.cause.code})")

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        answer = _text(status_for(error, _STATUSES), f"{error.message} ({error.code})")
        if error.retry_after_seconds is not None:
            answer["headers"]["retry-after"] = str(error.retry_after_seconds)
        return answer


PROTOCOL = LokiProtocol()


def _is_json(request: LogRequest) -> bool:
    return request.media_type == "application/json"


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    from functions.ingest.protocols.loki import protobuf  # imports protobuf and snappy

    yield protobuf.decompress(b"".join(pieces))


def _text(status: int, text: str) -> Answer:
    headers = {"content-type": "text/plain; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": f"{text}\n"}
