"""Datadog's log intake: `POST /api/v2/logs`, the older `/v1/input`, and the check of a key.

The agent retries at any status but 400, 401, 403 and 413, and an empty body is its test of the connection.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from functions.ingest import streamed
from functions.ingest.protocols.contract import (
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    described,
    nothing_accepted,
    windows,
)
from functions.ingest.protocols.enveloped import (
    Converted,
    Fields,
    converted,
    event_of,
    line_event,
    object_in,
    text_of,
    without,
)
from functions.ingest.protocols.refusals import Cause, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.http import Answer, answer

_VALIDATE = "GET /api/v1/validate"
_STATUSES = {Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}
_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 413: "Payload Too Large"}
_PARAMETERS = ("ddsource", "ddtags", "hostname", "service")
MAX_TAGS_CHARACTERS = 64 * 1024


class DatadogProtocol(IngestProtocol):
    """Logs of the agent, of Datadog's libraries and of forwarders."""

    def handshake(self, request: LogRequest) -> Answer | None:
        if request.route != _VALIDATE:
            return None
        request.caller()
        return answer(200, {"valid": True})

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        common = {name: request.query[name] for name in _PARAMETERS if name in request.query}
        if request.media_type == "text/plain":
            return windows(line_event(line, common) for line in streamed.text_lines(pieces))
        values = without(streamed.values(pieces), _is_empty_object)
        return windows(converted(values, partial(_event, common=common)))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """202, also for the agent's empty body."""
        if result.rejected and not result.rows:
            raise nothing_accepted(result)
        return answer(202, described(result) if result.rejected else {})

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        status = status_for(error, _STATUSES)
        if request.route == _VALIDATE and status == 401:
            status = 403
        details = [each["reason"] for each in error.details.get("errors", ())][:1]
        problem = {
            "status": str(status),
            "title": _TITLES.get(status, error.code),
            "detail": " ".join([error.message, *details]),
        }
        return answer(status, {"errors": [problem]}, **retry_after(error))


PROTOCOL = DatadogProtocol()


def _is_empty_object(value: bytes) -> bool:
    return value[:1] == b"{" and b'"' not in value


def _event(fields: Fields, common: Mapping[str, str]) -> Converted:
    """A log; a JSON object in the text of its message is the log itself, as in Datadog."""
    envelope = {name: value for name, value in common.items() if name not in fields}
    tags = tags_of(text_of(fields.get("ddtags")) or envelope.get("ddtags", ""))
    more: dict[str, Any] = {**envelope, "tags": tags} if tags else envelope
    if "service" in tags and not ("service" in fields or "service" in envelope):
        more["service"] = tags["service"]
    inner = object_in(text_of(fields.get("message")))
    return event_of({**fields, "message": inner} if inner else fields, more)


def tags_of(text: str) -> dict[str, str]:
    """`ddtags`, a list of `name:value` separated by commas, as an object; others are not in it."""
    if len(text) > MAX_TAGS_CHARACTERS:
        return {}
    pairs = (each.strip().partition(":") for each in text.split(","))
    return {name: value for name, colon, value in pairs if colon and name}
