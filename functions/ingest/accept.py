"""Judge, encode and compress the records of a decoded body."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field

from functions.ingest import records
from functions.ingest.protocols.contract import IngestResult, Part, Window
from functions.shared.errors import HttpError
from functions.shared.events import bulk
from functions.shared.events.aliases import read_as_event
from functions.shared.events.encoding import encode_rows
from functions.shared.events.judge import judge
from functions.shared.events.package import Package, frame
from functions.shared.events.row import ReceiptContext, Row

MAX_EVENTS = 200_000


class Accepted(Struct):
    """The rows of a body so far, as zstd frames of NDJSON, and the result that its sender gets."""

    result: IngestResult = field(default_factory=IngestResult)
    frames: list[bytes] = field(default_factory=list)
    raw_bytes: int = 0

    @property
    def package(self) -> Package:
        return Package(b"".join(self.frames), self.result.rows, self.raw_bytes)

    def add(self, rows: Sequence[Any], object_id: str) -> None:
        """Add `rows`, structs with the fields of Row, as the next rows of the object."""
        encoded = encode_rows(rows, object_id, self.result.rows)
        self.frames.append(frame(encoded.lines))
        self.result.rows += len(rows)
        self.raw_bytes += encoded.raw_bytes


def accept(parts: Iterable[Part], receipt: ReceiptContext, accepted: Accepted | None = None) -> Accepted:
    """Judge every record of a body; `accepted` counts those before an error, too.

    Raises
    ------
    HttpError: 400 or 413, when the body as a whole is rejected.
    """
    accepted = accepted or Accepted()
    result = accepted.result
    for part in parts:
        if isinstance(part, Window):
            _judge(part, receipt, accepted)
        else:
            result.reject(result.records, part)
        if result.records > MAX_EVENTS:
            raise _too_many_events()
    return accepted


def _judge(window: Window, receipt: ReceiptContext, accepted: Accepted) -> None:
    ordinary = bulk.rows_of(window.body, window.ndjson, receipt)
    if ordinary:
        accepted.add(ordinary, receipt.object_id)
    else:
        _judge_one_by_one(window, receipt, accepted)


def _judge_one_by_one(window: Window, receipt: ReceiptContext, accepted: Accepted) -> None:
    rows: list[Row] = []
    for index, record in enumerate(records.split(window), accepted.result.records):
        if index == MAX_EVENTS:
            raise _too_many_events()
        judged = judge(record, receipt, read_as_event)
        if isinstance(judged, Row):
            rows.append(judged)
        else:
            accepted.result.reject(index, judged)
    if rows:
        accepted.add(rows, receipt.object_id)


def _too_many_events() -> HttpError:
    return HttpError(413, "too_many_events", f"The body holds more than {MAX_EVENTS} events.")
