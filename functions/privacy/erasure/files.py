"""Files that were put in, as an erasure of a person sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.privacy.erasure.objects import Files
from functions.privacy.erasure.place import NotYetError, Time
from functions.privacy.holdings import Holding
from functions.privacy.tables import Tables
from functions.shared.buckets.contract import Listed
from functions.shared.tenancy import TenantId, checkpoint_prefix, dropin_prefix

STILL_BEING_PUT = timedelta(minutes=1)

READ_WITHIN_SECONDS = 86_400
"""What nobody has read by then is no file that anybody reads."""

FILE = "file#"
READING = "reading"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the table of uploads says of the files of `tenant`."""

    tables: Tables
    uploads: Holding
    tenant: TenantId

    def read(self) -> set[tuple[str, str]]:
        """The files, by key and ETag, that need not be read any more."""
        return {
            (item["file_key"]["S"], item["etag"]["S"])
            for item in self._files()
            if item["state"]["S"] != READING
        }

    def under_way(self) -> set[str]:
        """The digests of those that are being read."""
        files = (item for item in self._files() if item["state"]["S"] == READING)
        return {item["entry"]["S"].removeprefix(FILE) for item in files}

    def _files(self) -> list[dict[str, dict[str, str]]]:
        items = self.tables.items(self.uploads, self.tenant)
        return [item for item in items if item["entry"]["S"].startswith(FILE)]


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """Files of `tenant` that were put in until `asked_at`.

    They may hold the person, in whatever form, packed or not. One that is still to be read is waited for: its
    rows are erased with the others, whenever they were received. One that was read, and is kept because its
    owner wants that, goes as a whole: its rows are stored.
    """

    bucket: Files
    reading: Reading
    tenant: TenantId
    asked_at: datetime
    time: Time

    def count(self) -> int:
        return len(self._files())

    def remove(self) -> str | None:
        """The moment from which on none was left: what came of them was received before it."""
        files = self._files()
        read = self.reading.read() if files else set()
        given_up = self.time.now() >= self.asked_at.timestamp() + READ_WITHIN_SECONDS
        gone = [each.key for each in files if given_up or (each.key, each.etag) in read]
        self.bucket.delete(gone)
        if len(gone) < len(files):
            raise NotYetError("uploads")
        return str(int(self.time.now()) + 1)

    def _files(self) -> list[Listed]:
        until = self.asked_at + STILL_BEING_PUT
        return [each for each in self.bucket.under(dropin_prefix(self.tenant)) if each.modified_at <= until]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How far the reading of files was, with some of their text: left behind where reading ended badly.

    `until`: those from before.
    """

    bucket: Files
    reading: Reading
    tenant: TenantId
    until: Callable[[], datetime]

    def count(self) -> int:
        return len(self._left_behind())

    def remove(self) -> str | None:
        self.bucket.delete(self._left_behind())
        return None

    def _left_behind(self) -> list[str]:
        prefix, until = checkpoint_prefix(self.tenant), self.until() + STILL_BEING_PUT
        found = [each.key for each in self.bucket.under(prefix) if each.modified_at <= until]
        under_way = self.reading.under_way() if found else set()
        return [key for key in found if key.removeprefix(prefix).partition("/")[0] not in under_way]


def later(asked_at: datetime, mark: str | None) -> datetime:
    """Until when rows are erased: until they were asked for, or until the last file from before was read."""
    return asked_at if mark is None else max(asked_at, datetime.fromtimestamp(float(mark), UTC))
