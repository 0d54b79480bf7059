"""A log record as one line of the body: JSON in UTF-8, never more than the service accepts of an event."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from astralog._plain import PlainValues, bounded_repr, cut

MAX_EVENT_BYTES = 1_000_000
"""The limit for a line: the service accepts 1 MiB of message and metadata. Of a longer one only
the message is sent."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""The attributes of a record that are not of the application."""

_STANDARD_NAMES = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_LEVELS = ((10, "trace"), (20, "debug"), (30, "info"), (40, "warn"), (50, "error"))
_TRACE_IDS = (("trace_id", "otelTraceID"), ("span_id", "otelSpanID"))
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_traceback = logging.Formatter()


class EventEncoder:
    """Encodes the records of one handler.

    service, project: those of every event; empty for none.
    metadata: fields of every event that does not have them itself.
    max_message: characters of a message, and of the text of an exception.
    """

    def __init__(self, service: str, project: str, metadata: dict[str, Any], max_message: int) -> None:
        self._static = {
            name: value for name, value in (("service", service), ("project_id", project)) if value
        }
        self._metadata = {str(key): PlainValues(max_message).of(value) for key, value in metadata.items()}
        self._max_message = max_message

    def encode(self, record: logging.LogRecord, message: Callable[[logging.LogRecord], str]) -> bytes:
        """The line, without its end. `message` is how the handler formats the record's message."""
        metadata = {**self._metadata, "logger": cut(str(record.name), 1000)}
        event: dict[str, Any] = {
            **_time(record),
            "level": _level(record.levelno),
            **self._static,
            "message": self._message(record, message, metadata),
            "metadata": metadata,
        }
        self._add_extra(event, metadata, record)
        self._add_exception(metadata, record)
        line = _encoded(event)
        if len(line) > MAX_EVENT_BYTES:
            event["metadata"] = {"logger": metadata["logger"], "metadata_cut": True}
            line = _encoded(event)
        return line

    def _message(
        self,
        record: logging.LogRecord,
        message: Callable[[logging.LogRecord], str],
        metadata: dict[str, Any],
    ) -> str:
        """The formatted message; the format with its arguments beside it where they do not fit each other."""
        try:
            return cut(message(record), self._max_message)
        except Exception as error:  # a mistake in a log call must not cost the record
            metadata["logging_error"] = bounded_repr(error)
            metadata["logging_args"] = bounded_repr(record.args)
            text = record.msg if isinstance(record.msg, str) else bounded_repr(record.msg)
            return cut(text, self._max_message)

    def _add_extra(self, event: dict[str, Any], metadata: dict[str, Any], record: logging.LogRecord) -> None:
        values = PlainValues(self._max_message)
        extra = {
            str(name): values.of(value) for name, value in list(vars(record).items()) if name not in _OWN
        }
        metadata.update(extra)
        if record.levelname not in _STANDARD_NAMES:
            metadata.setdefault("level_name", cut(str(record.levelname), 100))
        for field, otel in _TRACE_IDS:
            found = extra.get(otel)
            if isinstance(found, str) and found.strip("0"):
                event[field] = found

    def _add_exception(self, metadata: dict[str, Any], record: logging.LogRecord) -> None:
        found = record.exc_info
        if record.exc_text:
            metadata["exception"] = _end_of(record.exc_text, self._max_message)
        elif found and found[0] is not None:
            metadata["exception"] = _end_of(_traceback_of(found), self._max_message)
        if found and found[0] is not None:
            metadata["exception_type"] = found[0].__name__
        if record.stack_info:
            metadata["stack"] = _end_of(record.stack_info, self._max_message)


def _time(record: logging.LogRecord) -> dict[str, str]:
    """To the microsecond, which is what a record has; without one the time of receipt counts."""
    try:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
    except (OverflowError, OSError, ValueError, TypeError):
        return {}
    return {"timestamp": moment.isoformat(timespec="microseconds")}


def _level(number: int) -> str:
    return next((name for bound, name in _LEVELS if number < bound), "fatal")


def _traceback_of(found: Any) -> str:
    try:
        return _traceback.formatException(found)
    except Exception:  # an exception of the application, with whatever methods it has
        return bounded_repr(found[1])


def _end_of(text: str, length: int) -> str:
    """The last `length` characters: the end of a traceback is what says most."""
    return text if len(text) <= length else f"…{text[-length:]}"


def _encoded(event: dict[str, Any]) -> bytes:
    try:
        return _encode(event).encode()
    except UnicodeEncodeError:  # halves of surrogate pairs
        return _encode_ascii(event).encode()
