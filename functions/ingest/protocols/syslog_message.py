"""Syslog: the messages of RFC 5424 and RFC 3164, and their framing over a stream.

Time is linear in the text: no pattern can match the same characters in two ways.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.ingest import streamed
from functions.shared.errors import HttpError
from functions.shared.events import levels, timestamps
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent

MAX_BYTES = 16 * 1024 * 1024
TOO_LARGE = RejectedEvent("event_too_large", "The message is larger than 1 MiB.")

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)

_COUNT = re.compile(rb"\s*+(\d{1,9}) ")
_PRIORITY = re.compile(r"<(\d{1,3})>")
_NEW = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,255}) (\S{1,255}) (\S{1,64})(?: |$)")
_ELEMENT = re.compile(r'\[([^\s="\]]{1,64})((?: [^\s="\]]{1,64}="(?:[^"\\]++|\\.)*+")*+)\]', re.DOTALL)
_PARAMETER = re.compile(r' ([^\s="\]]{1,64})="((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_OLD_TIME = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d)(\.\d{1,9})? ")
_ISO_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\S{8,40}) ")
_HOST = re.compile(r"(\S{1,255}) ")
_TAG = re.compile(r"([^\s:\[\]]{1,128})(?:\[([^\]\s]{1,128})\])?:(?: |$)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NONE = "-"
_BOM = "\ufeff"


def frames(pieces: Iterator[bytes]) -> Iterator[bytes | RejectedEvent]:
    """The messages of a body: counted by octets (RFC 6587) if it begins so, else one a line.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_BYTES:
            raise HttpError(413, "payload_too_large", "A body of syslog decodes to more than 16 MiB.")
    first = _COUNT.match(body)
    if first and body[first.end() : first.end() + 1] == b"<":
        return _counted(bytes(body))
    return streamed.text_lines(iter((bytes(body),)))


def _counted(body: bytes) -> Iterator[bytes | RejectedEvent]:
    at = 0
    while count := _COUNT.match(body, at):
        start, length = count.end(), int(count[1])
        at = start + length
        if not length or at > len(body):
            break
        yield body[start:at].rstrip() if length <= MAX_EVENT_SIZE else TOO_LARGE
    if body[at:].strip() or at > len(body):
        raise HttpError(400, "invalid_body", "A frame is longer or shorter than the number before it says.")


def parse(message: bytes, now: datetime) -> dict[str, Any]:
    """A message as an event, as far as it can be parsed; `now` supplies the year that RFC 3164 omits."""
    text = message.decode(errors="replace").lstrip(_BOM)
    event: dict[str, Any] = {"message": text}
    metadata: dict[str, Any] = {}
    priority = _PRIORITY.match(text)
    rest = text
    if priority and int(priority[1]) < 8 * len(_FACILITIES):
        facility, severity = divmod(int(priority[1]), 8)
        rest = text[priority.end() :]
        event["level"] = levels.SYSLOG[severity]
        metadata = {"facility": _FACILITIES[facility], "severity": severity}
        event["message"] = rest
    header = _NEW.match(rest) if priority else None
    if header:
        _read_new(header, rest[header.end() :], event, metadata)
    else:
        _read_old(rest, now, event, metadata)
    return {**event, "metadata": metadata}


def _read_new(header: re.Match[str], rest: str, event: dict[str, Any], metadata: dict[str, Any]) -> None:
    """RFC 5424; Heroku's messages leave out the structured data."""
    time, host, app, process, message_id = header.groups()
    if time != _NONE:
        if timestamps.from_text(time) is None:
            return
        event["timestamp"] = time
    _put(metadata, hostname=host, procid=process, msgid=message_id)
    if app != _NONE:
        event["service"] = app[:200]
    data, rest = _structured_data(rest)
    if data:
        metadata["structured_data"] = data
    event["message"] = rest.removeprefix(_BOM)


def _structured_data(rest: str) -> tuple[dict[str, dict[str, str]], str]:
    """The structured data that `rest` begins with, and what follows it."""
    if rest == _NONE or rest.startswith("- "):
        return {}, rest[2:]
    data: dict[str, dict[str, str]] = {}
    at = 0
    while element := _ELEMENT.match(rest, at):
        pairs = _PARAMETER.findall(element[2])
        data[element[1]] = {name: _ESCAPED.sub(r"\1", value) for name, value in pairs}
        at = element.end()
    is_whole = at == len(rest) or rest[at : at + 1] == " "
    return (data, rest[at + 1 :]) if data and is_whole else ({}, rest)


def _read_old(rest: str, now: datetime, event: dict[str, Any], metadata: dict[str, Any]) -> None:
    """RFC 3164, and what agents make of it: other times, no host, no tag."""
    time, at = _time_of(rest, now)
    if time is None:
        return
    event["timestamp"] = time
    tag = _TAG.match(rest, at)
    host = None if tag else _HOST.match(rest, at)
    if host:
        metadata["hostname"] = host[1]
        at = host.end()
        tag = _TAG.match(rest, at)
    if tag:
        event["service"] = tag[1]
        _put(metadata, procid=tag[2] or _NONE)
        at = tag.end()
    event["message"] = rest[at:]


def _time_of(rest: str, now: datetime) -> tuple[str | None, int]:
    """The time that `rest` begins with, and where it ends; a time without a zone is UTC."""
    iso = _ISO_TIME.match(rest)
    if iso:
        return (iso[1] if timestamps.from_text(iso[1]) is not None else None), iso.end()
    old = _OLD_TIME.match(rest)
    if not old or old[1] not in _MONTHS:
        return None, 0
    month = _MONTHS.index(old[1]) + 1
    for year in (now.year, now.year - 1):
        text = f"{year}-{month:02d}-{int(old[2]):02d}T{old[3]}{old[4] or ''}Z"
        nanoseconds = timestamps.from_text(text)
        if nanoseconds is not None and nanoseconds < timestamps.from_datetime(now + timedelta(days=1)):
            return text, old.end()
    return None, 0


def _put(metadata: dict[str, Any], **fields: str) -> None:
    metadata |= {name: value for name, value in fields.items() if value != _NONE}


def current_time() -> datetime:
    return datetime.now(UTC)
