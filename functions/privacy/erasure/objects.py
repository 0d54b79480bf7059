"""What of a tenant's logs is staged, set aside or otherwise in a bucket, as an erasure sees it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import structs

from functions.privacy.erasure.place import NotYetError, Time
from functions.privacy.erasure.subject import Subject
from functions.shared.buckets.contract import Bucket, Listed
from functions.shared.errors import PermanentError
from functions.shared.quarantine import pack, unpack
from functions.shared.staging import ID_CHARACTERS, StagedKey, is_staged
from functions.shared.tenancy import TenantId, quarantine_prefix, staged_prefix

STILL_BEING_STAGED = timedelta(minutes=1)
"""Longer than a request that was received before an erasure can take to put its object."""

LEFT_TO_SYNC_SECONDS = 6 * 3600
"""What was staged when an account stopped is loaded, and erased with the other rows, in minutes."""

DELETED_AT_A_TIME = 1000
LOOKED_AT_AT_A_TIME = 1000

A_STEP_SECONDS = 30
"""What is left of a turn before another document is read, or another thousand objects are listed."""

UNREADABLE = "quarantine"
"""What an erasure waits for that finds something in the quarantine which is no document."""


class Files(Protocol):
    """As much of functions.shared.buckets.contract.Bucket as it takes to remove what is there."""

    def under(self, prefix: str) -> Iterator[Listed]: ...
    def delete(self, keys: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything below a prefix that is the tenant's own."""

    bucket: Files
    prefix: str
    time: Time

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

    They are left to sync: to take one away changes a batch that may be written down already, and other
    people's rows may be in it.

    `stopped_at`: of a whole account, since when it takes no logs, in Unix seconds. What is still staged
    LEFT_TO_SYNC_SECONDS after that, nobody comes for: it is deleted. A person's rows are waited for.
    """

    bucket: Bucket
    tenant: TenantId
    time: Time
    until: Callable[[], datetime | None] = lambda: None
    stopped_at: Callable[[], float] | None = None

    def count(self) -> int:
        return waiting(self.bucket, self.tenant, self.time, self.until())

    def remove(self) -> str | None:
        until = self.until()
        listing = timed(self.bucket.under(staged_prefix(self.tenant)), self.time)
        found = [each.key for each in listing if _holds(each, until)]
        if found and not self._given_up():
            raise NotYetError("staged")
        self.bucket.delete(found)
        return None

    def _given_up(self) -> bool:
        return self.stopped_at is not None and self.time.now() >= self.stopped_at() + LEFT_TO_SYNC_SECONDS


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A person's rows among those that ClickHouse refused; counted in rows, the others stay.

    What lies there and is no document that anybody can read may tell of them: its owner has to remove it. In
    a customer's own bucket anything may lie.
    """

    bucket: Bucket
    subject: Subject
    time: Time

    def count(self) -> int:
        told = [self._rows_in(key) for key in self._documents()]
        rows = sum(each for each in told if each is not None)
        if None in told and not rows:
            raise NotYetError(UNREADABLE)
        return rows

    def remove(self) -> str | None:
        unreadable = False
        for key in self._documents():
            unreadable |= not self._forgotten_in(key)
        if unreadable:
            raise NotYetError(UNREADABLE)
        return None

    def _documents(self) -> Iterator[str]:
        """Their keys, while there is time to read another one."""
        for each in self.bucket.under(quarantine_prefix(self.subject.tenant)):
            self.time.need(A_STEP_SECONDS)
            yield each.key

    def _rows_in(self, key: str) -> int | None:
        """None when nobody can read it."""
        found = self.bucket.get(key)
        try:
            rows = unpack(bytes(found.body))[1] if found else []
        except PermanentError:
            return None
        rule = self.subject.rule()
        return sum(rule.matches_line(row) for row in rows)

    def _forgotten_in(self, key: str) -> bool:
        """Whether it could be read. What somebody replaced meanwhile is left to the next round."""
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


def waiting(bucket: Bucket, tenant: TenantId, time: Time, until: datetime | None = None) -> int:
    """How many staged objects may hold rows of `tenant` that were received before `until`; None for all.

    Raises
    ------
    NotYetError: there is no time to list all of them.
    """
    return sum(_holds(each, until) for each in timed(bucket.under(staged_prefix(tenant)), time))


def timed(listing: Iterable[Listed], time: Time) -> Iterator[Listed]:
    """The same listing, as far as there is time.

    Raises
    ------
    NotYetError: there is none for the next LOOKED_AT_AT_A_TIME.
    """
    for number, each in enumerate(listing, 1):
        yield each
        if number % LOOKED_AT_AT_A_TIME == 0:
            time.need(A_STEP_SECONDS)


def _holds(each: Listed, until: datetime | None) -> bool:
    """By S3's clock, or, for rows that were set aside and staged anew, by the day of their receipt."""
    if not is_staged(each.key):
        return until is None
    if until is None:
        return True
    key = StagedKey.parse(each.key)
    anew = len(key.object_id) > ID_CHARACTERS and key.day <= until.date()
    return anew or each.modified_at <= until + STILL_BEING_STAGED
