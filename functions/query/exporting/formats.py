"""Events as NDJSON and CSV, plain or gzip, piece by piece. Pure but for the encoder's own buffer.

Gzip files consist of members, each complete in itself: a part of an upload ends with a member, so the next
one can be written by another process. Every reader of gzip reads such files.
"""

import csv
import io
import zlib
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from functions.query.results.page import FoundEvent
from functions.shared.exports.cells import safe
from functions.shared.exports.search_export import ExportCompression, ExportFormat

COLUMNS = FoundEvent.__struct_fields__[:-1]
"""The fields of an event in a response of search; `message_cut` is never set in an export."""

CONTENT_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

_LEVEL = 6
_GZIP_WINDOW = 31
"""With a gzip header, whose time is 0: the same events give the same bytes."""

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class Encoder(Protocol):
    """Writes events. `groups`: see functions.query.exporting.parquet; empty for other formats."""

    groups: list[list[int]]

    def begin(self) -> bytes:
        """The beginning of the file."""

    def add(self, events: Sequence[FoundEvent]) -> bytes:
        """Add events; the bytes that are ready."""

    def flush(self) -> bytes:
        """The bytes of all events that were added: after them another encoder can continue."""

    def end(self, groups: Sequence[Sequence[int]]) -> bytes:
        """The end of the file, whose groups these are."""


class TextEncoder:
    """An Encoder of NDJSON or CSV."""

    def __init__(self, file_format: ExportFormat, compression: ExportCompression) -> None:
        self._is_csv = file_format == "csv"
        self._lines: Callable[[Sequence[FoundEvent]], bytes] = csv_lines if self._is_csv else json_lines
        self._is_packed = compression == "gzip"
        self._member: zlib._Compress | None = None
        self.groups: list[list[int]] = []

    def begin(self) -> bytes:
        return self._packed(csv_header()) if self._is_csv else b""

    def add(self, events: Sequence[FoundEvent]) -> bytes:
        return self._packed(self._lines(events)) if events else b""

    def flush(self) -> bytes:
        member, self._member = self._member, None
        return member.flush() if member else b""

    def end(self, groups: Sequence[Sequence[int]]) -> bytes:
        del groups
        return self.flush()

    def _packed(self, content: bytes) -> bytes:
        if not self._is_packed:
            return content
        if self._member is None:
            self._member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        return self._member.compress(content)


def json_lines(events: Sequence[FoundEvent]) -> bytes:
    """One JSON object a line, each as a search returns it.

    Metadata as it was sent may have line breaks between its values, never within: they become blanks.
    """
    return b"".join(msgspec.json.encode(each).translate(_ONE_LINE) + b"\n" for each in events)


def csv_header() -> bytes:
    return _csv([COLUMNS])


def csv_lines(events: Sequence[FoundEvent]) -> bytes:
    """Rows of CSV (RFC 4180), all cells quoted; a cell that spreadsheets would run has an apostrophe in front
    (functions.shared.exports.cells). Metadata is JSON in its cell.
    """
    return _csv([tuple(safe(_cell(getattr(each, name))) for name in COLUMNS) for each in events])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: str | msgspec.Raw | None) -> str:
    return value if isinstance(value, str) else "" if value is None else bytes(value).decode()
