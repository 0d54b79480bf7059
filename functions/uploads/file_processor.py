"""Process one file of a notification: known or new, rejected or read; then its original."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from functions.shared import journal
from functions.shared.buckets.contract import BucketError, BucketRefusedError, ObjectChangedError
from functions.shared.buckets.drop_bucket import DroppedFile, FileGoneError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.uploads.checkpoints import CheckpointLostError
from functions.uploads.counters import MAX_KEPT_BYTES, MAX_KEPT_FILES, KeptOriginals, OpenUploads
from functions.uploads.file_place import FilePlace, announced_id, new_file, new_upload
from functions.uploads.file_reader import RESERVE_SECONDS, FileReader
from functions.uploads.files import DELETE, DONE, FAILED, PARTLY, File, Upload, digest_of
from functions.uploads.gate import Halt, UsagePendingError
from functions.uploads.refused_files import RefusedFiles
from functions.uploads.register import LeaseLostError, UploadRegister

MAX_ATTEMPTS = 5
"""Attempts that began at the same place and did not end: the file's content crashes the reader."""

REFUSED_SECONDS = 3600
"""A message may be redelivered often because its account has no slot. No file is abandoned for denied access
sooner than this after it was first seen.
"""

ORIGINAL_DELETED = "original_deleted"
_ORIGINAL_DELETED = (
    f"The original was deleted: the account has reached the limit of {MAX_KEPT_BYTES // 1024**3} GiB or "
    f"{MAX_KEPT_FILES:,} stored originals."
)


class FileProcessor:
    """Processes files.

    Parameters
    ----------
    function: the name of the function in metrics.
    go_on: publishes the file again, with a delay in seconds.
    open_uploads, kept: counters that bound what an account may announce, and keep in our bucket.

    `refused` rejects several files together.
    """

    def __init__(
        self,
        register: UploadRegister,
        publish_again: Callable[[DroppedFile, int], None],
        function: str,
        open_uploads: OpenUploads,
        kept: KeptOriginals,
    ) -> None:
        self._register = register
        self._publish_again = publish_again
        self._function = function
        self._open_uploads = open_uploads
        self._kept = kept
        self.refused = RefusedFiles(register, open_uploads, kept)

    def do(
        self,
        dropped: DroppedFile,
        place: FilePlace,
        seconds_left: Callable[[], float],
        *,
        is_last_try: bool = False,
    ) -> None:
        """Process a file as far as possible now; on return its message is no longer needed.

        `is_last_try`: a bucket that denies access now will not be asked again.

        Raises
        ------
        HeldError, LeaseLostError, BucketError, StoreUnavailableError: the message must be redelivered.
        UsagePendingError: so must the messages of all files of the account.
        """
        file, now = self._known(dropped, place), datetime.now(UTC)
        if file.may_be_read_at(now) and not place.refusal:
            file = self._register.reopen(file, file.anew(now, place.retention_days))
        if not file.is_settled and not place.refusal and (halt := place.gate.halt()) and halt.wait_seconds:
            raise UsagePendingError(halt.wait_seconds)
        if not file.is_settled:
            file = self._register.begin(file, str(uuid4()), int(seconds_left()) + RESERVE_SECONDS)
            reading = FileReader(
                file, place.drops.ranges(dropped), place.staging, self._register, place.gate, seconds_left
            )
            if not self._settled(reading, place, is_last_try=is_last_try):
                self._publish_again(dropped, reading.wait_seconds)
                return
            file = reading.file
            self._measure(file)
        self._leave(file, place)

    def _settled(self, reading: FileReader, place: FilePlace, *, is_last_try: bool) -> bool:
        """Read as far as permitted; whether the file is settled."""
        if place.refusal:
            reading.stop(Halt(place.refusal))
            return True
        try:
            return self._read(reading)
        except BucketError as fault:
            is_old = self._register.now() - reading.file.first_seen_at >= REFUSED_SECONDS
            if not (is_last_try and is_old and isinstance(fault, BucketRefusedError)):
                self._release_lease(reading)
                raise
            reading.abandon(
                "no_access", "The bucket denies read access. Grant access, then upload the file again."
            )
            return True

    def _release_lease(self, reading: FileReader) -> None:
        """Release the lease and do not count the attempt: the failure was caused by the bucket, not the file.

        The next attempt need not wait.
        """
        with suppress(LeaseLostError, StoreUnavailableError):
            noted = reading.noted
            self._register.note(replace(noted, attempts=max(0, noted.attempts - 1)), keeps_lease=False)

    def _known(self, dropped: DroppedFile, place: FilePlace) -> File:
        """The register's entry of the file; a file seen for the first time is recorded."""
        digest = digest_of(place.tenant, dropped)
        known = self._register.files(place.tenant, [digest]).get(digest)
        if known:
            return known
        now = datetime.now(UTC)
        upload = self._upload(dropped, place, now)
        file = new_file(dropped, upload, place, now)
        claimed = self._register.claim(file, upload)
        if claimed is file and upload.until is not None:
            self._open_uploads.release(place.tenant, upload.size_bytes, upload.created_at)
        return claimed

    def _upload(self, dropped: DroppedFile, place: FilePlace, now: datetime) -> Upload:
        """The upload of the file: the announced one, or a new one for a file that was not announced."""
        announced = self._register.waiting(place.tenant, announced_id(dropped, place), dropped.key)
        if announced:
            return announced
        originals = self._register.originals(place.tenant) or place.originals
        return new_upload(dropped, place, now, originals)

    def _read(self, reading: FileReader) -> bool:
        """Whether the file is settled; a permanent failure settles it too."""
        if reading.file.attempts > MAX_ATTEMPTS:
            reading.abandon(
                "unreadable", f"Reading the file failed {MAX_ATTEMPTS} times at the same position."
            )
            return True
        try:
            return reading.run()
        except FileGoneError:
            reading.abandon("gone", "The file was deleted before it was read.")
        except ObjectChangedError:
            reading.abandon("replaced", "The file was replaced by another file before it was read.")
        except CheckpointLostError:
            reading.abandon(
                "interrupted", "The reading position was lost. Upload the rest of the file again."
            )
        return True

    def _leave(self, file: File, place: FilePlace) -> None:
        """Keep the original unless every record of the file is stored and the choice is to delete."""
        if file.state != DONE or file.originals != DELETE:
            if not place.is_theirs and not file.kept_on:
                self._keep(file, place)
            return
        try:
            place.drops.delete(file.dropped)
        except BucketRefusedError as fault:
            if not place.is_theirs:
                raise
            # The customer decides about that permission. A retry would delay the customer's other files.
            journal.write("original_kept", tenant_id=place.tenant, reason=fault.reason)
        if file.kept_on and self._register.amend(file, replace(file, kept_on="")):
            self._kept.release(file.tenant, file.dropped.size_bytes, file.kept_on)

    def _keep(self, file: File, place: FilePlace) -> None:
        """Count the original as kept in our bucket; delete it when the account's limit is reached."""
        size_bytes = file.dropped.size_bytes
        if day := self._kept.take(file.tenant, size_bytes):
            if not self._register.amend(file, replace(file, kept_on=day)):
                self._kept.release(file.tenant, size_bytes, day)
            return
        place.drops.delete(file.dropped)
        journal.write("original_over_limit", tenant_id=file.tenant, bytes=size_bytes)
        changed = replace(
            file,
            originals=DELETE,
            code=file.code or ORIGINAL_DELETED,
            reason=f"{file.reason} {_ORIGINAL_DELETED}".strip(),
        )
        self._register.amend(file, changed)

    def _measure(self, file: File) -> None:
        journal.measure(
            self._function,
            {
                "FilesRead": (1, "Count"),
                "FilesFailed": (int(file.state == FAILED), "Count"),
                "FilesPartly": (int(file.state == PARTLY), "Count"),
                "FileRows": (file.rows, "Count"),
                "FileBytes": (file.dropped.size_bytes, "Bytes"),
            },
            tenant_id=file.tenant,
            state=file.state,
            code=file.code,
        )
