"""One run of one export: read a page, encode it, upload a part when it is full, store the progress, repeat.

Memory holds at most a page and a part. A run may end anywhere: the next one continues behind what was last
stored. At the end of its time a run stores the bytes that are too few for a part as an object of their own,
the rest, so that a search with few matches in many rows makes progress, too. A part is uploaded before its
ETag and the position behind it are stored, in one write: uploaded again after a crash, it is replaced as a
whole.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from functions.query.exporting.formats import CONTENT_TYPES, Encoder, TextEncoder
from functions.query.exporting.reader import ExportReader
from functions.query.results.page import found_event
from functions.shared.errors import PermanentError
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_export import (
    SearchExport,
    SearchExportRequest,
    WriteProgress,
    WrittenPart,
)
from functions.shared.exports.search_exports import SearchExports

PART_BYTES = 8 * 1024 * 1024
"""S3 requires five megabytes at least for every part except the last."""

PARTS_A_STEP = 2_000
STEPS = 3
"""After so many parts their size doubles, at most so often: to 64 MB, and files of more than 300 GB."""

MAX_PARTS = 10_000

RESERVE_SECONDS = 30.0
"""The end of a turn, for a page that is being read then, and for storing the rest."""

LEASE_MARGIN_SECONDS = 10


class ExportTooLargeError(PermanentError):
    """The file would have more parts than S3 accepts."""


class RestGoneError(PermanentError):
    """The object with the bytes behind the last part was deleted."""


@dataclass(slots=True)
class _PartBuffer:
    """Encoded bytes that are not uploaded yet."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, content: bytes) -> None:
        if content:
            self.parts.append(content)
            self.size += len(content)

    def body(self) -> bytes:
        return b"".join(self.parts)


@dataclass(slots=True)
class SearchExportRun:
    """An export with its stores. `now`: Unix seconds; `left`: seconds until the run is stopped."""

    export: SearchExport
    reader: ExportReader
    exports: SearchExports
    files: ExportFiles
    now: Callable[[], float]
    left: Callable[[], float]
    part_bytes: int = PART_BYTES

    def advance(self) -> bool:
        """Do what can be done now; whether the file is ready.

        Raises
        ------
        SearchExportChangedError: another run works on it, or it is gone.
        NoUploadError, RestGoneError: its objects were deleted. ExportTooLargeError.
        HttpError: of a search. Errors of the stores.
        """
        until = int(self.now() + self.left()) + LEASE_MARGIN_SECONDS
        self.export = self.exports.save(replace(self.export, busy_until=until))
        if not self.export.progress.upload_id:
            self._begin()
        while not self.export.progress.complete:
            if not self._next_part():
                return False
        self._put_together()
        return True

    def _begin(self) -> None:
        """Begin the upload. One that a run began but did not store before it died has no parts."""
        upload_id = self.files.archives.begin(
            self.export.object_key, self.export.file_name, CONTENT_TYPES[self.export.request.format]
        )
        self._save(replace(self.export.progress, upload_id=upload_id))

    def _next_part(self) -> bool:
        """Read and encode until a part is full, and upload it; without the time for that, store the rest."""
        progress, encoder, buffer = self.export.progress, encoder_of(self.export.request), _PartBuffer()
        target = self.part_bytes << min(progress.parts // PARTS_A_STEP, STEPS)
        if progress.rest:
            buffer.add(self._rest())
        elif progress.position is None:
            buffer.add(encoder.begin())
        position, rows, is_last = progress.position, progress.rows, False
        while buffer.size < target and not is_last:
            if self.left() < RESERVE_SECONDS:
                self._store_rest(replace(progress, position=position, rows=rows), encoder, buffer)
                return False
            page = self.reader.page(position)
            rows += len(page.rows)
            buffer.add(encoder.add([found_event(row) for row in page.rows]))
            is_last = page.after is None
            position = page.after.stored() if page.after else position
        buffer.add(encoder.flush())
        groups = [*progress.rest_groups, *encoder.groups]
        if is_last:
            buffer.add(encoder.end([*self._earlier_groups(), *groups]))
        after = replace(progress, position=position, rows=rows, complete=is_last)
        self._upload(after, buffer.body(), groups)
        return True

    def _upload(self, progress: WriteProgress, body: bytes, groups: list[list[int]]) -> None:
        number = progress.parts + 1
        if number > MAX_PARTS:
            raise ExportTooLargeError("the file would have more parts than S3 accepts")
        etag = self.files.archives.put_part(self.export.object_key, progress.upload_id, number, body)
        after = replace(progress, parts=number, bytes=progress.bytes + len(body), rest="", rest_groups=[])
        self._save(after, WrittenPart(number, etag, groups))

    def _store_rest(self, progress: WriteProgress, encoder: Encoder, buffer: _PartBuffer) -> None:
        """Store the bytes behind the last part, and release the lease."""
        buffer.add(encoder.flush())
        groups, rest = [*progress.rest_groups, *encoder.groups], ""
        if buffer.size:
            rest = f"{self.export.folder}rest-{self.export.revision}"
            self.files.bucket.create(rest, buffer.body())
        self.export = replace(self.export, busy_until=0)
        self._save(replace(progress, rest=rest, rest_groups=groups))

    def _save(self, progress: WriteProgress, part: WrittenPart | None = None) -> None:
        """Store the progress; then nothing needs the rest from before it."""
        old = self.export.progress.rest
        self.export = self.exports.save(replace(self.export, progress=progress, reason=""), part)
        if old and old != progress.rest:
            self.files.bucket.delete([old])

    def _rest(self) -> bytes:
        found = self.files.bucket.get(self.export.progress.rest)
        if found is None:
            raise RestGoneError("the rest of an export is gone")
        return bytes(found.body)

    def _earlier_groups(self) -> list[list[int]]:
        if self.export.request.format != "parquet":
            return []
        return [group for part in self.exports.parts(self.export) for group in part.groups]

    def _put_together(self) -> None:
        etags = [part.etag for part in self.exports.parts(self.export)]
        self.files.archives.complete(self.export.object_key, self.export.progress.upload_id, etags)
        self.files.delete_rests(self.export)
        ready = replace(self.export, state="ready", ready_at=int(self.now()), busy_until=0, reason="")
        self.export = self.exports.close(ready)


def encoder_of(request: SearchExportRequest) -> Encoder:
    """An encoder for the file."""
    if request.format == "parquet":
        from functions.query.exporting.parquet import ParquetEncoder

        return ParquetEncoder(request.compression)
    return TextEncoder(request.format, request.compression)
