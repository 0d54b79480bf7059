"""Files in the drop bucket, as an erasure of a person sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.privacy.erasure.objects import Files
from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.uploaded_files import READING, UploadedFiles
from functions.shared.buckets.contract import ListedObject
from functions.shared.tenancy import TenantId, checkpoint_prefix, dropin_prefix

STILL_BEING_PUT = timedelta(minutes=1)

READ_WITHIN = timedelta(days=20)
"""A backlog may be days long, and a message lives for two weeks. Files that no run has begun by then are
abandoned: ten days later the law's deadline passes, and the bucket would have deleted them."""


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """Files of `tenant` that were put until `asked_at`.

    They may mention the person, in any format, packed or not. If a file is still to be read, the erasure
    waits: its rows are erased with the others, whenever they were received. A file that was read or rejected,
    and is kept for the customer, is deleted as a whole.
    """

    bucket: Files
    reading: UploadedFiles
    tenant: TenantId
    asked_at: datetime
    time: ErasureClock

    def count(self) -> int:
        return len(self._files())

    def remove(self) -> str | None:
        files, now = self._files(), self.time.now()
        seen = {(each.key, each.etag): each for each in self.reading.files()} if files else {}
        gone: list[str] = []
        for each in files:
            known = seen.get((each.key, each.etag))
            settled = known is not None and known.state != READING
            under_way = known is not None and known.under_way_at(now)
            if settled or (self._is_abandoned(now) and not under_way):
                gone.append(each.key)
        self.bucket.delete(gone)
        if len(gone) < len(files):
            raise NotYetError("uploads")
        return None

    def _files(self) -> list[ListedObject]:
        """Without empty files, such as folders created in a console: they mention no person."""
        until = self.asked_at + STILL_BEING_PUT
        found = self.bucket.under(dropin_prefix(self.tenant))
        return [each for each in found if each.size_bytes and each.modified_at <= until]

    def _is_abandoned(self, now: float) -> bool:
        return now >= (self.asked_at + READ_WITHIN).timestamp()


@dataclass(frozen=True, slots=True)
class LastFile:
    """Records, once, until when rows of files from before the request were received.

    A file that was put before the request may be seen after it, and be read and gone before this place looks.
    So this place waits until no file from before is left, and then records when the last of the files known
    by then was first seen.

    `noted`: what was recorded.
    """

    files: DroppedFiles
    noted: Callable[[], str | None]

    def count(self) -> int:
        return int(self.noted() is None)

    def remove(self) -> str | None:
        """Whole Unix seconds; the time of the request if no file was seen since."""
        asked_at, now = self.files.asked_at, self.files.time.now()
        over = (asked_at + STILL_BEING_PUT).timestamp()
        if now < over or self.files.count():
            raise NotYetError("uploads")
        seen = list(self.files.reading.files())
        if any(each.under_way_at(now) and each.received_at.timestamp() <= over for each in seen):
            raise NotYetError("uploads")  # a file in a customer's own bucket
        return str(
            max([int(asked_at.timestamp()), *(int(each.received_at.timestamp()) + 1 for each in seen)])
        )


@dataclass(frozen=True, slots=True)
class LeftoverCheckpoints:
    """Checkpoints of files, which have some of their text: left behind when reading failed.

    `until`: only checkpoints written before then.
    """

    bucket: Files
    reading: UploadedFiles
    tenant: TenantId
    until: Callable[[], datetime]
    time: ErasureClock

    def count(self) -> int:
        return len(self._left_behind())

    def remove(self) -> str | None:
        self.bucket.delete(self._left_behind())
        return None

    def _left_behind(self) -> list[str]:
        prefix, until = checkpoint_prefix(self.tenant), self.until() + STILL_BEING_PUT
        found = [each.key for each in self.bucket.under(prefix) if each.modified_at <= until]
        now, seen = self.time.now(), self.reading.files() if found else ()
        under_way = {each.digest for each in seen if each.under_way_at(now)}
        return [key for key in found if key.removeprefix(prefix).partition("/")[0] not in under_way]


def later(asked_at: datetime, mark: str | None) -> datetime:
    """Until when rows are erased: the time of the request, or when the last file from before it was seen."""
    return asked_at if mark is None else max(asked_at, datetime.fromtimestamp(float(mark), UTC))
