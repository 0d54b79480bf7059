"""Files that were put in, as an erasure of a person sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.privacy.erasure.objects import Files
from functions.privacy.erasure.place import NotYetError, Time
from functions.privacy.erasure.reading import READING, Reading
from functions.shared.buckets.contract import Listed
from functions.shared.tenancy import TenantId, checkpoint_prefix, dropin_prefix

STILL_BEING_PUT = timedelta(minutes=1)

READ_WITHIN = timedelta(days=20)
"""A backlog may be days long, and a message lives for two weeks. What nobody has begun by then is given up:
ten days later the law's deadline passes, and the bucket would have deleted it."""


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """Files of `tenant` that were put in until `asked_at`.

    They may hold the person, in whatever form, packed or not. One that is still to be read is waited for: its
    rows are erased with the others, whenever they were received. One that was read, or refused, and is kept
    for its owner, goes as a whole.
    """

    bucket: Files
    reading: Reading
    tenant: TenantId
    asked_at: datetime
    time: Time

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
            if settled or (self._given_up(now) and not under_way):
                gone.append(each.key)
        self.bucket.delete(gone)
        if len(gone) < len(files):
            raise NotYetError("uploads")
        return None

    def _files(self) -> list[Listed]:
        """What is empty, as a folder that a console has drawn, holds nobody."""
        until = self.asked_at + STILL_BEING_PUT
        found = self.bucket.under(dropin_prefix(self.tenant))
        return [each for each in found if each.size_bytes and each.modified_at <= until]

    def _given_up(self, now: float) -> bool:
        return now >= (self.asked_at + READ_WITHIN).timestamp()


@dataclass(frozen=True, slots=True)
class LastFile:
    """Notes, once, until when rows of files from before the request were received.

    A file that was put in before may be seen after, and read and gone before anybody looks. So it is noted
    when the last of the files that were seen until none from before was left, had been seen first.

    `noted`: what was noted.
    """

    files: DroppedFiles
    noted: Callable[[], str | None]

    def count(self) -> int:
        return int(self.noted() is None)

    def remove(self) -> str | None:
        """Unix seconds, in whole ones; that of the request where no file was seen since."""
        asked_at, now = self.files.asked_at, self.files.time.now()
        over = (asked_at + STILL_BEING_PUT).timestamp()
        if now < over or self.files.count():
            raise NotYetError("uploads")
        seen = list(self.files.reading.files())
        if any(each.under_way_at(now) and each.received_at.timestamp() <= over for each in seen):
            raise NotYetError("uploads")  # one in a customer's own bucket
        return str(
            max([int(asked_at.timestamp()), *(int(each.received_at.timestamp()) + 1 for each in seen)])
        )


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How far the reading of files was, with some of their text: left behind where reading ended badly.

    `until`: those from before.
    """

    bucket: Files
    reading: Reading
    tenant: TenantId
    until: Callable[[], datetime]
    time: Time

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
    """Until when rows are erased: until they were asked for, or until the last file from before was seen."""
    return asked_at if mark is None else max(asked_at, datetime.fromtimestamp(float(mark), UTC))
