"""The records of a file of any kind: detect compression and format, or resume from a checkpoint."""

from collections.abc import Callable
from typing import Protocol

from functions.shared.events.row import ReceiptContext
from functions.uploads.checkpoints import Checkpoint
from functions.uploads.formats import parquet_rows
from functions.uploads.formats.contract import Format, RecordBatch
from functions.uploads.formats.detection import SAMPLE_BYTES, detect, format_of
from functions.uploads.formats.parquet_rows import ParquetRows
from functions.uploads.streams.contract import BrokenFileError, Ranges, ResumePoint
from functions.uploads.streams.opening import FIRST_BYTES, PLAIN, compression_of, stream_of
from functions.uploads.text import UTF8_BOM, Text


class Records(Protocol):
    """A file's records, from the place where reading began.

    `fault`: why there are no more, if the file is broken. `text_at`: how much of the text is done.
    `work_bytes`: how much was decompressed so far, in all attempts together.
    """

    compression: str

    @property
    def format(self) -> str: ...
    @property
    def fault(self) -> BrokenFileError | None: ...
    @property
    def file_at(self) -> int: ...
    @property
    def text_at(self) -> int: ...
    @property
    def work_bytes(self) -> int: ...

    def skip(self, may_continue: Callable[[], bool]) -> bool:
        """Skip to the place where reading stopped; False when `may_continue` forbade it before.

        Called once, before `next`.
        """
        ...

    def next(self) -> RecordBatch | None:
        """The next records; None when there are no more. Depends on the file alone."""
        ...

    def checkpoint(self) -> Checkpoint:
        """The place at which the records continue."""
        ...


class TextRecords:
    """The records of a text."""

    def __init__(self, compression: str, kind: str, text: Text, form: Format) -> None:
        self.compression = compression
        self._kind = kind
        self._text = text
        self._form = form

    @property
    def format(self) -> str:
        return self._form.name

    @property
    def fault(self) -> BrokenFileError | None:
        return self._text.fault

    @property
    def file_at(self) -> int:
        return self._text.file_at

    @property
    def text_at(self) -> int:
        return self._text.at

    @property
    def work_bytes(self) -> int:
        return self._text.at + self._form.extra_bytes

    def skip(self, may_continue: Callable[[], bool]) -> bool:
        return self._text.skip(may_continue)

    def next(self) -> RecordBatch | None:
        return self._form.next(self._text)

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self._kind, self._form.state(), self._text.at, self._text.mark())


class ParquetRecords:
    """The records of a Parquet file."""

    compression = PLAIN
    format = ParquetRows.name

    def __init__(self, rows: ParquetRows) -> None:
        self._rows = rows

    @property
    def fault(self) -> BrokenFileError | None:
        return self._rows.fault

    @property
    def file_at(self) -> int:
        return self._rows.file_at

    @property
    def text_at(self) -> int:
        return self._rows.file_at

    @property
    def work_bytes(self) -> int:
        return self._rows.work_bytes

    def skip(self, may_continue: Callable[[], bool]) -> bool:
        return self._rows.skip(may_continue)

    def next(self) -> RecordBatch | None:
        return self._rows.next()

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.format, self._rows.state(), 0, ResumePoint())


def opened(ranges: Ranges, receipt: ReceiptContext) -> Records:
    """The records of a file from its beginning.

    Raises
    ------
    BrokenFileError: no part of the file can be read.
    """
    first = ranges.read(0, min(FIRST_BYTES, ranges.size_bytes)) if ranges.size_bytes else b""
    if first.startswith(parquet_rows.MAGIC):
        return ParquetRecords(ParquetRows(ranges, receipt, {}))
    compression = compression_of(first)
    text = Text(stream_of(compression, ranges, ResumePoint()))
    text.fill(SAMPLE_BYTES)
    if text.data.startswith(UTF8_BOM):
        text.drop(len(UTF8_BOM))
    if not text.data and text.fault:
        raise text.fault
    sample = text.data[:SAMPLE_BYTES]
    if sample.startswith(parquet_rows.MAGIC):
        raise BrokenFileError(
            "unsupported_format",
            "This is a compressed Parquet file. Upload it uncompressed: Parquet is compressed internally.",
        )
    kind, state = detect(sample, is_whole=text.ended and len(text.data) == len(sample))
    return TextRecords(compression, kind, text, format_of(kind, receipt, state))


def resumed(ranges: Ranges, receipt: ReceiptContext, compression: str, checkpoint: Checkpoint) -> Records:
    """The records after the checkpoint."""
    if checkpoint.kind == ParquetRows.name:
        return ParquetRecords(ParquetRows(ranges, receipt, checkpoint.state))
    stream = stream_of(compression, ranges, checkpoint.mark)
    text = Text(stream, begins_at=checkpoint.mark.text_at, at=checkpoint.at)
    return TextRecords(
        compression, checkpoint.kind, text, format_of(checkpoint.kind, receipt, checkpoint.state)
    )
