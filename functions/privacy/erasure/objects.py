"""A tenant's staged objects, quarantine and other objects in a bucket, as places of an erasure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import structs

from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.subject import Subject
from functions.shared.buckets.contract import Bucket, ListedObject
from functions.shared.errors import PermanentError
from functions.shared.events.staged_key import ID_CHARACTERS, StagedKey, is_staged
from functions.shared.quarantine import pack, unpack
from functions.shared.tenancy import TenantId, quarantine_prefix, staged_prefix

STILL_BEING_STAGED = timedelta(minutes=1)
"""Longer than a request that was received before an erasure can take to put its object."""

LEFT_TO_SYNC_SECONDS = 6 * 3600
"""What was staged when an account stopped is loaded within minutes, and erased with the other rows."""

DELETED_AT_A_TIME = 1000
LOOKED_AT_AT_A_TIME = 1000

A_STEP_SECONDS = 30
"""The time that must be left of a turn to read another document or list another thousand objects."""

UNREADABLE = "quarantine"
"""What an erasure waits for if an object in the quarantine is not a readable document."""


class Files(Protocol):
    """The part of functions.shared.buckets.contract.Bucket that removing objects needs."""

    def under(self, prefix: str) -> Iterator[ListedObject]: ...
    def delete(self, keys: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything below a prefix that belongs to the tenant."""

    bucket: Files
    prefix: str
    time: ErasureClock

    def count(self) -> int:
        return sum(1 for _ in timed(self.bucket.under(self.prefix), self.time))

    def remove(self) -> str | None:
        keys: list[str] = []
        for each in self.bucket.under(self.prefix):
            keys.append(each.key)
            if len(keys) == DELETED_AT_A_TIME:
                self.time.need(30)
                self.bucket.delete(keys)
                keys = []
        self.bucket.delete(keys)
        return None


@dataclass(frozen=True, slots=True)
class StagedObjects:
    """Staged objects that may hold rows of `tenant` that were received before `until`; None for all.

    They are left to sync: deleting one would change a batch whose manifest may already be written, and it may
    hold rows about other people.

    `stopped_at`: for a whole account, since when it accepts no logs, in Unix seconds. Objects still staged
    LEFT_TO_SYNC_SECONDS after that are abandoned and deleted. For a person's rows the erasure waits.
    """

    bucket: Bucket
    tenant: TenantId
    time: ErasureClock
    until: Callable[[], datetime | None] = lambda: None
    stopped_at: Callable[[], float] | None = None

    def count(self) -> int:
        return count_staged(self.bucket, self.tenant, self.time, self.until())

    def remove(self) -> str | None:
        until = self.until()
        listing = timed(self.bucket.under(staged_prefix(self.tenant)), self.time)
        found = [each.key for each in listing if _holds(each, until)]
        if found and not self._is_abandoned():
            raise NotYetError("staged")
        self.bucket.delete(found)
        return None

    def _is_abandoned(self) -> bool:
        return self.stopped_at is not None and self.time.now() >= self.stopped_at() + LEFT_TO_SYNC_SECONDS


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A person's rows in the quarantine; counted in rows, other rows stay.

    An object there that is not a readable document may mention the person: the customer has to remove it. A
    customer's own bucket may hold any object.
    """

    bucket: Bucket
    subject: Subject
    time: ErasureClock

    def count(self) -> int:
        row_counts = [self._rows_in(key) for key in self._documents()]
        rows = sum(each for each in row_counts if each is not None)
        if None in row_counts and not rows:
            raise NotYetError(UNREADABLE)
        return rows

    def remove(self) -> str | None:
        unreadable = False
        for key in self._documents():
            unreadable |= not self._delete_rows_in(key)
        if unreadable:
            raise NotYetError(UNREADABLE)
        return None

    def _documents(self) -> Iterator[str]:
        """The keys of the documents, while there is time to read another one."""
        for each in self.bucket.under(quarantine_prefix(self.subject.tenant)):
            self.time.need(A_STEP_SECONDS)
            yield each.key

    def _rows_in(self, key: str) -> int | None:
        """The number of rows; None if the document is unreadable."""
        found = self.bucket.get(key)
        try:
            rows = unpack(bytes(found.body))[1] if found else []
        except PermanentError:
            return None
        rule = self.subject.rule()
        return sum(rule.matches_line(row) for row in rows)

    def _delete_rows_in(self, key: str) -> bool:
        """Whether it could be read. A document that was replaced meanwhile is left to the next round."""
        found = self.bucket.get(key)
        if found is None:
            return True
        try:
            header, rows = unpack(bytes(found.body))
        except PermanentError:
            return False
        rule = self.subject.rule()
        kept = [at for at, row in enumerate(rows) if not rule.matches_line(row)]
        if not kept:
            self.bucket.delete([key])
        elif len(kept) < len(rows):
            positions = [header.positions[at] for at in kept]
            shorter = structs.replace(header, positions=positions, rows=len(kept))
            self.bucket.replace(key, pack(shorter, [rows[at] for at in kept]), found.etag)
        return True


def count_staged(bucket: Bucket, tenant: TenantId, time: ErasureClock, until: datetime | None = None) -> int:
    """How many staged objects may hold rows of `tenant` that were received before `until`; None for all.

    Raises
    ------
    NotYetError: the time is too short to list all of them.
    """
    return sum(_holds(each, until) for each in timed(bucket.under(staged_prefix(tenant)), time))


def timed(listing: Iterable[ListedObject], time: ErasureClock) -> Iterator[ListedObject]:
    """The same listing, while there is time.

    Raises
    ------
    NotYetError: the time is too short for the next LOOKED_AT_AT_A_TIME.
    """
    for number, each in enumerate(listing, 1):
        yield each
        if number % LOOKED_AT_AT_A_TIME == 0:
            time.need(A_STEP_SECONDS)


def _holds(each: ListedObject, until: datetime | None) -> bool:
    """By S3's time, or, for rows that were quarantined and staged again, by the day of their receipt."""
    if not is_staged(each.key):
        return until is None
    if until is None:
        return True
    key = StagedKey.parse(each.key)
    anew = len(key.object_id) > ID_CHARACTERS and key.day <= until.date()
    return anew or each.modified_at <= until + STILL_BEING_STAGED
