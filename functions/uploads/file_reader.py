"""Read one file into staged objects: from its beginning or a checkpoint, as far as time permits.

Exactly once: every reader splits the records into the same parts, the key of a part follows from the file
and the part's number, and a key is written once. So an attempt that dies, two concurrent attempts, and one
that begins anew all write the same objects; sync's ledger deduplicates what is made of them (docs/adr/0020).
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from functions.shared.buckets.contract import Bucket, BucketError
from functions.shared.events.encoding import encode_rows
from functions.shared.events.package import Package, frame, put_package
from functions.shared.events.staged_key import StagedKey
from functions.uploads.checkpoints import Checkpoints
from functions.uploads.files import DONE, FAILED, MAX_LISTED_REFUSALS, PARTLY, File, RefusedRecord
from functions.uploads.formats.contract import RecordBatch
from functions.uploads.gate import Gate, Halt
from functions.uploads.progress_limits import FAR, IDLE, SLOW, CpuBudget, is_idle, is_skipping_spent
from functions.uploads.records import Records, opened, resumed
from functions.uploads.register import UploadRegister
from functions.uploads.streams.contract import BrokenFileError, Ranges

PART_BYTES = 16 * 1024 * 1024
"""Size of the rows as NDJSON. Compressed they are a few megabytes, so that sync can batch several parts."""

PART_ROWS = 150_000
PART_TEXT_BYTES = 128 * 1024 * 1024
"""For text that gives hardly any rows: the bytes that are read before progress is recorded."""

CHECKPOINT_EVERY_SECONDS = 15
RESERVE_SECONDS = 3
"""The part of the invocation's time to record the progress and to publish the file again."""

SECONDS_AFTER_SKIPPING = 30
"""The part of the invocation's time that skipping to the checkpoint leaves: enough to read one object."""

SKIP_ATTEMPTS = 2
"""The first attempt may have been slow because of the bucket."""


@dataclass(slots=True)
class FilePart:
    """Rows that become the object `object_id`."""

    object_id: str
    text_from: int
    frames: list[bytes] = field(default_factory=list)
    rows: int = 0
    raw_bytes: int = 0

    def add(self, batch: RecordBatch) -> int:
        """Add the rows of `batch`; returns their billed bytes."""
        if not batch.rows:
            return 0
        encoded = encode_rows(batch.rows, self.object_id, self.rows)
        self.frames.append(frame(encoded.lines))
        self.rows += len(batch.rows)
        self.raw_bytes += encoded.raw_bytes
        return encoded.raw_bytes

    def is_full_at(self, text_at: int) -> bool:
        return (
            self.raw_bytes >= PART_BYTES
            or self.rows >= PART_ROWS
            or text_at - self.text_from >= PART_TEXT_BYTES
        )


class FileReader:
    """The reading of one file whose lease we hold.

    `file` is the progress, `noted` the progress that is recorded. `wait_seconds`: the delay before reading
    continues, if it was paused because of the account.

    Parameters
    ----------
    bucket: where the rows are staged; the tenant's own bucket for BYOC.
    gate: decides between two parts whether reading may continue.
    seconds_left: the time until the invocation is stopped.
    """

    def __init__(
        self,
        file: File,
        ranges: Ranges,
        bucket: Bucket,
        register: UploadRegister,
        gate: Gate,
        seconds_left: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.file = file
        self._ranges = ranges
        self._bucket = bucket
        self._register = register
        self._gate = gate
        self._checkpoints = Checkpoints(bucket, file.tenant, file.digest)
        self._seconds_left = seconds_left
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._checked_at = self._part_began_at = clock()
        self._cpu = CpuBudget(cpu_clock)
        self._slowest_part = 0.0
        self._sure = self.noted = file
        self.wait_seconds = 0

    def run(self) -> bool:
        """Read as far as time permits; whether the file is settled.

        Raises
        ------
        FileGoneError, ObjectChangedError, BucketError, LeaseLostError, StoreUnavailableError
        """
        try:
            records = self._records()
        except BrokenFileError as fault:
            self._settle(fault)
            return True
        if not self._skip(records):
            return self.file.is_settled
        part = self._new_part(records)
        while (batch := records.next()) is not None:
            self._count(batch, part.add(batch), records)
            if is_idle(records.work_bytes, self.file):
                self._stage(part)
                self._settle(IDLE)
                return True
            if self._cpu.is_spent(self.file):
                # The moment depends on the machine: only whole parts count, which another attempt has, too.
                self.abandon(SLOW.code, SLOW.reason)
                return True
            if batch.cut or part.is_full_at(records.text_at):
                self._stage(part)
                part = self._new_part(records)
                if self._stops_at(records):
                    return self.file.is_settled
        self._stage(part)
        self._settle(records.fault)
        return True

    def abandon(self, code: str, reason: str) -> None:
        """Abandon the rest of the file; its staged rows count."""
        self.file = self._sure
        self._settle(BrokenFileError(code, reason))

    def stop(self, halt: Halt) -> None:
        """Stop because the account's logs are rejected now.

        Staged rows count, and the checkpoint stays for the rest.
        """
        stopped = replace(
            self._sure, state=PARTLY if self._sure.rows else FAILED, code=halt.code, reason=halt.reason
        )
        self.file = self.noted = self._sure = self._register.note(stopped, keeps_lease=False)

    def _records(self) -> Records:
        if not self.file.checkpoint:
            records = opened(self._ranges, self.file.receipt)
            self.file = replace(self.file, compression=records.compression, format=records.format)
            return records
        checkpoint = self._checkpoints.get(self.file.checkpoint)
        return resumed(self._ranges, self.file.receipt, self.file.compression, checkpoint)

    def _skip(self, records: Records) -> bool:
        """Skip to the checkpoint; False when that takes too long for this invocation or for the file."""
        if is_skipping_spent(self.file):
            self.abandon(FAR.code, FAR.reason)
            return False
        began = self._cpu_clock()
        is_found = records.skip(lambda: self._seconds_left() > SECONDS_AFTER_SKIPPING)
        spent_ms = round(1000 * (self._cpu_clock() - began))
        self.file = self._sure = replace(self.file, skip_ms=self.file.skip_ms + spent_ms)
        self._checked_at = self._part_began_at = self._clock()
        if not is_found and self.file.attempts >= SKIP_ATTEMPTS:
            self.abandon(FAR.code, FAR.reason)
        elif not is_found:
            self.file = self.noted = self._sure = self._register.note(self.file, keeps_lease=False)
        return is_found

    def _new_part(self, records: Records) -> FilePart:
        return FilePart(self.file.part_id(self.file.parts), records.text_at)

    def _count(self, batch: RecordBatch, raw_bytes: int, records: Records) -> None:
        listed = self.file.refusals
        if batch.refusals and len(listed) < MAX_LISTED_REFUSALS:
            more = [
                RefusedRecord(each.index, each.verdict.code, each.verdict.reason) for each in batch.refusals
            ]
            listed = (*listed, *more)[:MAX_LISTED_REFUSALS]
        self.file = replace(
            self.file,
            format=records.format,
            rows=self.file.rows + len(batch.rows),
            raw_bytes=self.file.raw_bytes + raw_bytes,
            refused=self.file.refused + batch.refused,
            refusals=listed,
            bytes_read=max(self.file.bytes_read, min(records.file_at, self._ranges.size_bytes)),
        )

    def _stage(self, part: FilePart) -> None:
        """Write the part's object, unless the part has no rows."""
        if not part.rows:
            return
        key = StagedKey(
            tenant=self.file.tenant,
            day=self.file.day,
            object_id=part.object_id,
            rows=part.rows,
            raw_bytes=part.raw_bytes,
            expires_on=self.file.expires_on,
        )
        put_package(self._bucket, str(key), Package(b"".join(part.frames), part.rows, part.raw_bytes))
        self._gate.staged(part.raw_bytes)
        self.file = self._sure = replace(self.file, parts=self.file.parts + 1)
        now = self._clock()
        self._slowest_part = max(self._slowest_part, now - self._part_began_at)
        self._part_began_at = now

    def _stops_at(self, records: Records) -> bool:
        """Whether to stop between two parts; also writes the checkpoint at its interval."""
        now, halt = self._clock(), self._gate.halt()
        runs_low = self._seconds_left() < RESERVE_SECONDS + 2 * self._slowest_part
        stops = runs_low or halt is not None
        if stops or now - self._checked_at >= CHECKPOINT_EVERY_SECONDS:
            key = self._checkpoints.put(self.file.parts, records.text_at, records.checkpoint())
            self.file = self._sure = replace(self.file, checkpoint=key, attempts=int(not stops))
            if halt and halt.code:
                self.stop(halt)
                return True
            self.file = self.noted = self._sure = self._register.note(self.file, keeps_lease=not stops)
            self._checked_at = now
        self.wait_seconds = halt.wait_seconds if halt else 0
        return stops

    def _settle(self, fault: BrokenFileError | None) -> None:
        """Settle the file: it is read as far as possible."""
        short_of_it = PARTLY if self.file.rows else FAILED
        state = short_of_it if fault or self.file.refused else DONE
        if fault:
            self.file = replace(self.file, code=fault.code, reason=fault.reason)
        elif not self.file.rows and not self.file.refused:
            self.file = replace(self.file, code="empty", reason="The file contains no records.")
        self.file = self.noted = self._register.note(replace(self.file, state=state), keeps_lease=False)
        if self.file.checkpoint:
            # The bucket's lifecycle rule deletes the checkpoints that are left.
            with suppress(BucketError):
                self._checkpoints.delete()
