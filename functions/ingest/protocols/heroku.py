"""Heroku's log drains: `POST /v1/heroku`, frames of syslog counted by octets.

A frame of Logplex is sent again under the same id when its answer was lost or was an error.
"""

from collections.abc import Iterable, Iterator

from functions.ingest.idempotency import IdempotencyKey, checked_key
from functions.ingest.protocols import syslog_message
from functions.ingest.protocols.contract import IngestResult, LogRequest, Part, windows
from functions.ingest.protocols.forwarder import ForwarderProtocol
from functions.shared.events.judge import MAX_NAME_CHARACTERS, RejectedEvent
from functions.shared.http import Answer

_FRAME_ID = "logplex-frame-id"
_DRAIN_TOKEN = "logplex-drain-token"  # noqa: S105 - the name of a header


class HerokuProtocol(ForwarderProtocol):
    """Logs of an app's drain. `?service=` names the app, because Logplex itself says `app` or `heroku`."""

    def idempotency_key(self, request: LogRequest) -> IdempotencyKey | None:
        sent = request.headers.get(_FRAME_ID, "")
        return checked_key(f"heroku:{sent}") if sent else None

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        now = syslog_message.current_time()
        service = request.query.get("service", "")[:MAX_NAME_CHARACTERS]
        drain = request.headers.get(_DRAIN_TOKEN, "")
        for_all = {"drain": drain} if drain else {}

        def event(frame: bytes) -> dict[str, object]:
            found = syslog_message.parse(frame, now)
            found["metadata"] |= for_all
            if service:
                found["metadata"]["app_name"] = found.get("service", "")
                found["service"] = service
            return found

        frames = syslog_message.frames(pieces)
        return windows(each if isinstance(each, RejectedEvent) else event(each) for each in frames)

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """204 without a body, which is what Logplex expects."""
        super().accepted(result, request)
        return {"statusCode": 204, "headers": {}, "body": ""}


PROTOCOL = HerokuProtocol()
