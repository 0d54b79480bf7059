"""The memory of an export: of a page and a part, whatever the number of rows."""

import gzip
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from functions.query.compile import Statement
from functions.query.exporting.reader import ExportedEvents, ExportReader, StatementOf
from functions.query.exporting.run import PART_BYTES, SearchExportRun
from functions.query.language.syntax_tree import EVERYTHING
from functions.query.results.cursor import MANAGED
from functions.query.results.rows import EventRow, SearchResult
from functions.shared.buckets.contract import Bucket
from functions.shared.exports.archives import Archives
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_export import (
    ExportCompression,
    ExportFormat,
    SearchExport,
    SearchExportRequest,
    WrittenPart,
)
from functions.shared.exports.search_exports import SearchExports
from functions.shared.tenancy import TenantId
from tests.measured import Cost, cost_of

SECOND = 1_000_000_000
BEGAN = 1_795_000_000 * SECOND
LAMBDA_MB = 1024
FORMATS: tuple[ExportFormat, ...] = ("ndjson", "csv", "parquet")


class Engine:
    """Answers pages of `rows` events, one a millisecond, without storing them."""

    def __init__(self, rows: int, message_bytes: int) -> None:
        self._rows = rows
        self._message_bytes = message_bytes

    def find(self, compiled: StatementOf, limit: int) -> SearchResult:
        bound = compiled(MANAGED, True).parameters
        since, until = (self._number(str(bound[name])) for name in ("p0", "p1"))
        first = since + 1 if "p4" in bound else since
        return SearchResult([self._row(n) for n in range(first, min(until, first + limit))], 1, 1.0)

    def _number(self, instant: str) -> int:
        whole, _, fraction = instant.partition(".")
        seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
        passed = (seconds * SECOND + int(fraction) - BEGAN) // 1_000_000
        return max(0, min(passed, self._rows))

    def _row(self, number: int) -> EventRow:
        at = datetime.fromtimestamp((BEGAN + number * 1_000_000) / SECOND, UTC)
        text = f"{at:%Y-%m-%d %H:%M:%S}.{number % 1000:03}000"
        message = f"{number} {Random(number).randbytes(self._message_bytes // 2).hex()}"
        return EventRow(
            text + "000", text, "info", "api", "p", message, "", "", f'{{"n": {number}}}', "a", number, "0"
        )


class Uploads:
    """Stands for S3: parts are hashed or kept, as `kept` says."""

    def __init__(self, *, kept: bool) -> None:
        self._kept = kept
        self.bodies: list[bytes] = []
        self.largest = 0

    def begin(self, *_: str) -> str:
        return "u"

    def put_part(self, _key: str, _upload_id: str, number: int, body: bytes) -> str:
        self.largest = max(self.largest, len(body))
        if self._kept:
            self.bodies.append(body)
        return f"etag-{number}"

    def complete(self, *_: Any) -> None:
        """Parts are complete."""


class Items:
    """Stands for the table: the state of one export and its parts."""

    def __init__(self) -> None:
        self.written: list[WrittenPart] = []

    def save(self, export: SearchExport, part: WrittenPart | None = None) -> SearchExport:
        self.written += [part] if part else []
        return export

    def close(self, export: SearchExport) -> SearchExport:
        return export

    def parts(self, _export: SearchExport) -> list[WrittenPart]:
        return self.written


class NoObjects:
    """A bucket without rests."""

    def under(self, _prefix: str) -> Iterator[Any]:
        return iter(())

    def delete(self, _keys: Sequence[str]) -> None:
        """Nothing is there."""


def export_of(
    rows: int,
    file_format: ExportFormat,
    message_bytes: int,
    uploads: Uploads,
    compression: ExportCompression = "gzip",
) -> SearchExport:
    """Write one file of events that an engine made up."""
    tenant, until = TenantId("acme"), BEGAN + rows * 1_000_000
    request = SearchExportRequest("{}", BEGAN, until, until, file_format, compression, "managed", 0, "key:k")
    events = ExportedEvents(tenant, EVERYTHING, BEGAN, until, until)
    run = SearchExportRun(
        export=SearchExport(tenant, "sxp_1", "requested", 0, request),
        reader=ExportReader(events, Engine(rows, message_bytes).find),
        exports=cast(SearchExports, Items()),
        files=ExportFiles(cast(Archives, uploads), cast(Bucket, NoObjects())),
        now=time.time,
        left=lambda: 300.0,
    )
    assert run.advance()
    return run.export


def write(
    rows: int, file_format: ExportFormat, message_bytes: int, compression: ExportCompression = "gzip"
) -> Mapping[str, int]:
    """For tests.measured: rows written, and the largest part."""
    uploads = Uploads(kept=False)
    export = export_of(rows, file_format, message_bytes, uploads, compression)
    return {"rows": export.progress.rows, "largest": uploads.largest}


def _cost(
    rows: int, file_format: ExportFormat, message_bytes: int = 200, compression: ExportCompression = "gzip"
) -> Cost:
    argument = {
        "rows": rows,
        "file_format": file_format,
        "message_bytes": message_bytes,
        "compression": compression,
    }
    return cost_of(
        f"{__name__}:write",
        argument,
        memory_mb=LAMBDA_MB,
        timeout_seconds=300,
    )


@pytest.mark.measured
@pytest.mark.parametrize(
    ("file_format", "compression", "rows"),
    [("ndjson", "gzip", 30_000), ("csv", "none", 15_000), ("parquet", "gzip", 30_000)],
)
def test_the_memory_of_an_export_does_not_grow_with_its_rows(
    file_format: ExportFormat, compression: ExportCompression, rows: int
) -> None:
    """Both have several parts, of which one is held at a time. Packing takes nine tenths of the CPU time."""
    few, many = (_cost(count, file_format, 1_000, compression) for count in (rows, 3 * rows))
    assert (few.result["rows"], many.result["rows"]) == (rows, 3 * rows)
    assert PART_BYTES <= few.result["largest"] <= many.result["largest"] < 3 * PART_BYTES
    assert many.peak_mb < few.peak_mb + 30, (str(few), str(many))
    assert many.peak_mb < LAMBDA_MB / 2


@pytest.mark.measured
@pytest.mark.soak
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_million_rows_need_no_more_memory_than_some_thousands(file_format: ExportFormat) -> None:
    few, many = _cost(10_000, file_format), _cost(1_000_000, file_format)
    assert many.result["rows"] == 1_000_000
    assert many.peak_mb < few.peak_mb + 80, (str(few), str(many))


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_a_file_of_many_parts_has_each_row_once_in_order(file_format: ExportFormat, rows: int) -> None:
    uploads = Uploads(kept=True)
    export = export_of(rows, file_format, 300, uploads)
    numbers = _numbers(file_format, b"".join(uploads.bodies))
    assert all(number == at for at, number in enumerate(numbers))
    assert export.progress.rows == rows
    assert export.progress.bytes == sum(map(len, uploads.bodies))


def _numbers(file_format: ExportFormat, content: bytes) -> Iterator[int]:
    if file_format == "parquet":
        for batch in pq.ParquetFile(io.BytesIO(content)).iter_batches(columns=["metadata"]):
            yield from (json.loads(each.as_py())["n"] for each in batch.column(0))
        return
    with gzip.open(io.BytesIO(content), "rt", encoding="utf-8", newline="") as lines:
        if file_format == "csv":
            next(lines)
        read: Callable[[str], int] = _of_csv if file_format == "csv" else _of_json
        yield from map(read, lines)


def _of_json(line: str) -> int:
    return int(json.loads(line)["metadata"]["n"])


def _of_csv(line: str) -> int:
    return int(line.rsplit(" ", 1)[1].rstrip('}"\r\n'))


def test_the_engine_of_this_test_reads_the_statement_of_a_page() -> None:
    events = ExportedEvents(TenantId("acme"), EVERYTHING, BEGAN, BEGAN + 5_000_000, BEGAN + 5_000_000)
    seen: list[Statement] = []

    def find(compiled: StatementOf, limit: int) -> SearchResult:
        seen.append(compiled(MANAGED, True))
        return Engine(5, 1).find(compiled, limit)

    page = ExportReader(events, find).page()
    assert [row.position for row in page.rows] == [*range(5)]
    assert page.after is None
    assert "received_at < {p" in seen[0].sql
