"""OTLP/HTTP: what its exporters send, and the answers by which they keep or drop a batch.

An exporter reads 200 only as success, retries 429, 502, 503 and 504, and drops the batch at anything else, or
when `Retry-After` is longer than its deadline of about ten seconds.
"""

import base64
import json
from collections.abc import Iterable, Iterator

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from functions.ingest.protocols.contract import IngestProtocol, IngestResult, LogRequest, Part, windows
from functions.ingest.protocols.otlp import json_form, protobuf
from functions.ingest.protocols.refusals import Cause, cause_of, status_for
from functions.shared.errors import HttpError
from functions.shared.http import Answer

_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_RETRY_SECONDS = 2

_STATUSES = {Cause.UNAVAILABLE: 503, Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}

_GRPC = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}
"""HTTP status -> the code of google.rpc.Status; 2, unknown, for others."""


class OtlpProtocol(IngestProtocol):
    """OTLP/HTTP logs. The answer is in the encoding of the request."""

    max_rejections = 1
    resends_same_bytes = True

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        body = b"".join(pieces)
        return windows(json_form.events(body) if _is_json(request) else protobuf.events(body))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """200, also when records were rejected, which `partial_success` counts: a resend would not help."""
        if not result.rejected:
            return _answer(200, {}, b"", request)
        (first,) = result.rejections
        message = f"Record {first.index}: {first.cause.reason}"
        partial = {"rejectedLogRecords": str(result.rejected), "errorMessage": message}
        response = ExportLogsServiceResponse()
        response.partial_success.rejected_log_records = result.rejected
        response.partial_success.error_message = message
        return _answer(200, {"partialSuccess": partial}, response.SerializeToString(), request)

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        status = status_for(error, _STATUSES)
        code = _GRPC.get(status, 2)
        message = f"{error.message} ({error.code})"
        body = {"code": code, "message": message, "details": []}
        answer = _answer(status, body, _status(code, message), request)
        if cause_of(error) in (Cause.BUSY, Cause.UNAVAILABLE, Cause.OVER_QUOTA):
            seconds = min(error.retry_after_seconds or _RETRY_SECONDS, _RETRY_SECONDS)
            answer["headers"]["retry-after"] = str(seconds)
        return answer


PROTOCOL = OtlpProtocol()


def _is_json(request: LogRequest) -> bool:
    return request.media_type == _JSON


def _answer(status: int, body: dict[str, object], encoded: bytes, request: LogRequest) -> Answer:
    if _is_json(request):
        return {"statusCode": status, "headers": {"content-type": _JSON}, "body": json.dumps(body)}
    return {
        "statusCode": status,
        "headers": {"content-type": _PROTOBUF},
        "body": base64.b64encode(encoded).decode(),
        "isBase64Encoded": True,
    }


def _status(code: int, message: str) -> bytes:
    """google.rpc.Status: field 1 is the code, field 2 the message."""
    text = message.encode()
    length = len(text)
    varint = bytes([length]) if length < 0x80 else bytes([length & 0x7F | 0x80, length >> 7])
    return bytes([0x08, code]) + b"\x12" + varint + text
