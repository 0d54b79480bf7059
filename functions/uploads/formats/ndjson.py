"""NDJSON: one JSON object a line.

Windows of ordinary events are parsed in C (functions.shared.judging.bulk); all others line by line.
"""

from functions.shared.judging import bulk
from functions.shared.judging.half_pairs import without_half_pairs
from functions.shared.judging.judge import Verdict
from functions.shared.judging.rows import Row
from functions.uploads.formats.contract import Batch, rejected_bytes
from functions.uploads.formats.json_records import row_of
from functions.uploads.formats.lines import LineFormat


class Ndjson(LineFormat):
    """The Format of NDJSON."""

    name = "ndjson"

    def convert(self, body: bytes, batch: Batch) -> None:
        body = body.replace(b"\r\n", b"\n") if b"\r" in body else body
        ordinary = bulk.encoded(body.rstrip(b"\n"), True, self.receipt)
        if ordinary:
            batch.rows, batch.lines = ordinary
            return
        rows: list[Row] = []
        for line in without_half_pairs(body).split(b"\n"):
            if not line.strip():
                continue
            row = row_of(line, self.receipt)
            if isinstance(row, Verdict):
                self.add_extra(rejected_bytes(line))
                batch.refuse(self.index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.keep(rows)
