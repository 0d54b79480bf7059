"""Build rows from the values that a format has found: the fixed columns, and metadata for the rest.

The rules are those of functions.shared.events.judge for JSON events: times out of range are clamped and the
original kept in the metadata, names that are too long go into the metadata, nothing is dropped.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from functions.shared.events import levels, timestamps
from functions.shared.events.judge import MAX_EVENT_SIZE, MAX_NAME_CHARACTERS, RejectedEvent
from functions.shared.events.row import NO_METADATA, ReceiptContext, Row

Metadata = dict[str, Any]

_encoder = msgspec.json.Encoder(decimal_format="number")

_TOO_LARGE = RejectedEvent("event_too_large", "The event's message and metadata are larger than 1 MiB.")
_SUMMARY_CHARACTERS = 500
_LEVEL_DIGITS = 3


class Columns:
    """Makes rows of one file."""

    def __init__(self, receipt: ReceiptContext) -> None:
        self._tenant = str(receipt.tenant)
        self._project = receipt.project_id
        self._received = receipt.received_text
        self._earliest = timestamps.from_datetime(receipt.earliest)
        self._latest = timestamps.from_datetime(receipt.latest)
        self._earliest_text = timestamps.to_text(self._earliest)
        self._latest_text = timestamps.to_text(self._latest)

    def row(
        self,
        message: str,
        timestamp: str,
        level: str,
        service: str,
        metadata: Metadata,
        trace_id: str = "",
        span_id: str = "",
    ) -> Row | RejectedEvent:
        """Build a row; `timestamp` is text from `moment`, or empty for the time of receipt."""
        if len(service) > MAX_NAME_CHARACTERS:
            metadata["service"], service = service, ""
        raw = Raw(_encoder.encode(metadata)) if metadata else NO_METADATA
        if len(message) + len(trace_id) + len(span_id) + len(raw) > MAX_EVENT_SIZE:
            return _TOO_LARGE
        return Row(
            self._tenant,
            self._project,
            timestamp or self._received,
            level,
            service,
            message,
            trace_id,
            span_id,
            self._received,
            raw,
        )

    def moment(self, nanoseconds: int, original: Any, metadata: Metadata) -> str:
        """A time in the format of rows; out of range it is clamped, and the original kept in the metadata."""
        if self._earliest < nanoseconds < self._latest:
            return timestamps.to_text(nanoseconds)
        metadata["original_timestamp"] = original
        return timestamps.to_text(min(max(nanoseconds, self._earliest), self._latest))

    def within(self, timestamp: str, original: str, metadata: Metadata) -> str:
        """Like `moment`, for a time that is text of that format already."""
        if self._earliest_text < timestamp < self._latest_text:
            return timestamp
        metadata["original_timestamp"] = original
        return self._earliest_text if timestamp <= self._earliest_text else self._latest_text

    def level(self, value: Any, metadata: Metadata, name: str = "level") -> str:
        """The level that `value` means; a value that means none is kept in the metadata."""
        if value is None or value == "":
            return levels.DEFAULT
        is_number = isinstance(value, str) and len(value) <= _LEVEL_DIGITS and value.isdecimal()
        level = levels.canonical(int(value) if is_number else value)
        if level is None:
            metadata[name] = value
        return level or levels.DEFAULT


def level_of_status(status: str) -> str:
    """The level of an HTTP status code."""
    return {"5": "error", "4": "warn"}.get(status[:1], levels.DEFAULT)


def summary(values: Iterable[tuple[str, Any]]) -> str:
    """The message of a record without one: its values as `name=value`."""
    shown: list[str] = []
    length = 0
    for name, value in values:
        shown.append(f"{name}={_shown(value)}")
        length += len(shown[-1])
        if length >= _SUMMARY_CHARACTERS:
            break
    return " ".join(shown)[:_SUMMARY_CHARACTERS]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return bytes(value).decode() if isinstance(value, Raw) else _encoder.encode(value).decode()
