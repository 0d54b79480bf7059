"""Syslog over HTTP: `POST /v1/syslog`, with lines or counted frames, as rsyslog and syslog-ng send them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from functions.ingest.protocols import syslog_message
from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.enveloped import Converted, line_event
from functions.ingest.protocols.json import JsonProtocol
from functions.ingest.protocols.refusals import Cause, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.http import Answer

_STATUSES = {Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}


class SyslogProtocol(JsonProtocol):
    """Messages of RFC 5424 and RFC 3164. The answers are those of our own API."""

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        now = syslog_message.current_time()
        return windows(_event(frame, now) for frame in syslog_message.frames(pieces))

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        """Forwarders drop what they hold at most of 4xx, and keep it at 429."""
        response = super().rejected(error, request)
        response["headers"] |= retry_after(error)
        return {**response, "statusCode": status_for(error, _STATUSES)}


PROTOCOL = SyslogProtocol()


def _event(frame: bytes | RejectedEvent, now: datetime) -> Converted:
    if isinstance(frame, RejectedEvent):
        return frame
    return line_event(frame, {}) if frame[:1] == b"{" else syslog_message.parse(frame, now)
