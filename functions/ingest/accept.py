"""A decoded body in, what was accepted of it out: judged, encoded, compressed."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from functions.ingest import records
from functions.ingest.streamed import Window
from functions.shared.errors import HttpError
from functions.shared.events import bulk
from functions.shared.events.judge import RejectedEvent, judge
from functions.shared.events.package import Package, frame
from functions.shared.events.row import ReceiptContext, Row

MAX_EVENTS = 200_000
MAX_ERRORS_LISTED = 1000

_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Accepted:
    """What became of a body's records. `errors` tells of the first MAX_ERRORS_TOLD that were refused."""

    frames: list[bytes] = field(default_factory=list)
    rows: int = 0
    raw_bytes: int = 0
    rejected: int = 0
    errors: list[dict[str, str | int]] = field(default_factory=list)

    @property
    def package(self) -> Package:
        return Package(b"".join(self.frames), self.rows, self.raw_bytes)

    def add_frame(self, rows: int, lines: bytes) -> None:
        self.frames.append(frame(lines))
        self.rows += rows
        self.raw_bytes += len(lines)

    def reject(self, index: int, verdict: RejectedEvent) -> None:
        self.rejected += 1
        if len(self.errors) < MAX_ERRORS_LISTED:
            self.errors.append({"index": index, "code": verdict.code, "reason": verdict.reason})


def accept(windows: Iterable[Window], receipt: ReceiptContext) -> Accepted:
    """Judge every record of a body.

    Raises
    ------
    HttpError: 400 or 413, when the body as a whole cannot be taken.
    """
    accepted = Accepted()
    for window in windows:
        ordinary = bulk.encoded(window.body, window.ndjson, receipt)
        if ordinary:
            accepted.add_frame(*ordinary)
        else:
            _one_by_one(window, receipt, accepted)
        if accepted.rows + accepted.rejected > MAX_EVENTS:
            raise _too_many_events()
    return accepted


def _one_by_one(window: Window, receipt: ReceiptContext, accepted: Accepted) -> None:
    rows: list[Row] = []
    first = accepted.rows + accepted.rejected
    for index, record in enumerate(records.split(window), first):
        if index == MAX_EVENTS:
            raise _too_many_events()
        judged = judge(record, receipt)
        if isinstance(judged, Row):
            rows.append(judged)
        else:
            accepted.reject(index, judged)
    if rows:
        accepted.add_frame(len(rows), _encoder.encode_lines(rows))


def _too_many_events() -> HttpError:
    return HttpError(413, "too_many_events", f"The body holds more than {MAX_EVENTS} events.")
