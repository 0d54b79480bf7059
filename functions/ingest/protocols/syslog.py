"""Syslog over HTTP: `POST /v1/syslog`, with lines or counted frames, as rsyslog and syslog-ng send them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from functions.ingest.protocols import syslog_message
from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.enveloped import Converted, line_event
from functions.ingest.protocols.forwarder import ForwarderProtocol
from functions.shared.events.judge import RejectedEvent


class SyslogProtocol(ForwarderProtocol):
    """Messages of RFC 5424 and RFC 3164. The answers are those of our own API."""

    success_status = 202

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        now = syslog_message.current_time()
        return windows(_event(frame, now) for frame in syslog_message.frames(pieces))


PROTOCOL = SyslogProtocol()


def _event(frame: bytes | RejectedEvent, now: datetime) -> Converted:
    if isinstance(frame, RejectedEvent):
        return frame
    return line_event(frame, {}) if frame[:1] == b"{" else syslog_message.parse(frame, now)
