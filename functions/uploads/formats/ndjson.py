"""NDJSON: one JSON object a line.

Windows of ordinary events are parsed in C (functions.shared.events.bulk); all others line by line.
"""

from functions.shared.events import bulk
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.row import Row
from functions.shared.events.surrogates import replace_lone_surrogates
from functions.uploads.formats.contract import RecordBatch, rejected_bytes
from functions.uploads.formats.json_records import row_of
from functions.uploads.formats.lines import LineFormat


class Ndjson(LineFormat):
    """The Format of NDJSON."""

    name = "ndjson"

    def convert(self, body: bytes, batch: RecordBatch) -> None:
        body = body.replace(b"\r\n", b"\n") if b"\r" in body else body
        ordinary = bulk.rows_of(body.rstrip(b"\n"), True, self.receipt)
        if ordinary:
            batch.rows = ordinary
            return
        rows: list[Row] = []
        for line in replace_lone_surrogates(body).split(b"\n"):
            if not line.strip():
                continue
            row = row_of(line, self.receipt)
            if isinstance(row, RejectedEvent):
                self.add_extra(rejected_bytes(line))
                batch.refuse(self.index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.rows += rows
