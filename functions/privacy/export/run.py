"""One run of one data export: read, pack, upload a part, store the progress, and repeat.

Memory holds at most a piece and a part. A run may end anywhere: the next one continues after the last part
that was stored, and reads again what came after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from functions.privacy.export.exports import ArchivePart, Exports
from functions.privacy.export.manifest import NAME, README, README_TEXT, manifest
from functions.privacy.export.record import READY, Export, ExportFile
from functions.privacy.export.sources import Source, named
from functions.privacy.export.zipping import directory, packed
from functions.shared.errors import PermanentError
from functions.shared.exports.archives import Archives
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import exports_prefix

PART_BYTES = 8 * 1024 * 1024
"""S3 requires five megabytes at least for every part except the last."""

MAX_PARTS = 10_000
RESERVE_SECONDS = 30.0
LEASE_MARGIN_SECONDS = 10


class TooLargeError(PermanentError):
    """The archive would have more parts than S3 accepts; a shorter period would fit."""


@dataclass(slots=True)
class _Buffer:
    """Packed bytes that are not uploaded yet; they begin at `offset` of the archive."""

    offset: int
    at: datetime
    parts: list[bytes] = field(default_factory=list)
    files: list[ExportFile] = field(default_factory=list)
    size: int = 0

    def add(self, name: str, content: bytes, rows: int, holds: str) -> None:
        data, entry = packed(name, content, self.offset + self.size, self.at)
        self.files.append(ExportFile(entry, sha256(content).hexdigest(), rows, holds))
        self.append(data)

    def append(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(slots=True)
class ExportRun:
    """An export with its stores. `now`: Unix seconds; `left`: seconds until the run is stopped.

    `waiting`: how many staged objects may hold events that belong to it.
    `notice_items`: written together with the state `ready`, items of TransactWriteItems.
    """

    export: Export
    sources: Sequence[Source]
    exports: Exports
    archives: Archives
    now: Callable[[], float]
    left: Callable[[], float]
    waiting: Callable[[], int]
    notice_items: Callable[[Export], Sequence[Write]] = lambda _export: ()
    part_bytes: int = PART_BYTES

    def advance(self) -> bool:
        """Do what can be done now; whether the archive is ready.

        Raises
        ------
        ExportChangedError: another run works on it, or it is gone. TooLargeError. Errors of the stores.
        """
        self._take()
        if not self.export.progress.upload_id:
            self._begin()
        while not self.export.progress.complete:
            if not self._next_part():
                self.export = self.exports.save(replace(self.export, busy_until=0))
                return False
        self._put_together()
        return True

    def _take(self) -> None:
        """Take a lease until this run is over: each part must be the one whose ETag is stored."""
        until = int(self.now() + self.left()) + LEASE_MARGIN_SECONDS
        self.export = self.exports.save(replace(self.export, busy_until=until))

    def _begin(self) -> None:
        """Abort uploads that a run began but did not store before it died. Begin a new upload."""
        for each in self.archives.unfinished(exports_prefix(self.export.tenant)):
            if each.key == self.export.object_key:
                self.archives.abort(each.key, each.upload_id)
        upload_id = self.archives.begin(self.export.object_key, f"astralog-{self.export.export_id}.zip")
        progress = replace(self.export.progress, upload_id=upload_id)
        self.export = self.exports.save(replace(self.export, progress=progress))

    def _next_part(self) -> bool:
        """Read and pack until a part is full, upload it; False if the time is over before that."""
        progress = self.export.progress
        buffer = _Buffer(progress.offset, datetime.fromtimestamp(self.export.began_at, UTC))
        if progress.parts == 0:
            buffer.add(README, README_TEXT.encode(), 0, "how to read this archive")
        while progress.source < len(self.sources) and buffer.size < self.part_bytes:
            if self.left() < RESERVE_SECONDS:
                return False
            source = self.sources[progress.source]
            piece = source.read(progress.position)
            files = progress.files
            # An empty source gets one empty file, as proof that it was read.
            if piece.rows or (piece.after is None and files == 0):
                files += 1
                for name, content in named(source, files, piece):
                    buffer.add(name, content, piece.rows, source.holds)
            if piece.after is None:
                progress = replace(progress, source=progress.source + 1, position=None, files=0)
            else:
                progress = replace(progress, position=piece.after, files=files)
        if progress.source == len(self.sources):
            self._end(buffer)
            progress = replace(progress, complete=True)
        number = progress.parts + 1
        if number > MAX_PARTS:
            raise TooLargeError("the archive would have more parts than S3 accepts")
        body = b"".join(buffer.parts)
        etag = self.archives.put_part(self.export.object_key, progress.upload_id, number, body)
        progress = replace(progress, parts=number, offset=buffer.end)
        self.export = self.exports.save(
            replace(self.export, progress=progress), ArchivePart(number, etag, buffer.files)
        )
        return True

    def _end(self, buffer: _Buffer) -> None:
        """The manifest and the directory of all files, including the manifest."""
        before = [file for part in self.exports.parts(self.export) for file in part.files]
        document = manifest(self.export, [*before, *buffer.files], self.now(), self.waiting())
        buffer.add(NAME, document, 0, "contents of this archive")
        entries = [each.entry for each in [*before, *buffer.files]]
        buffer.append(directory(entries, buffer.end, buffer.at))

    def _put_together(self) -> None:
        progress = self.export.progress
        etags = [part.etag for part in self.exports.parts(self.export)]
        self.archives.complete(self.export.object_key, progress.upload_id, etags)
        ready = replace(
            self.export, state=READY, ready_at=int(self.now()), bytes=progress.offset, busy_until=0
        )
        self.export = self.exports.finish(ready, self.notice_items(ready))
