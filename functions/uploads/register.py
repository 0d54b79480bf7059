"""The register of uploads and files in DynamoDB: what is being read, by which invocation, and how far.

Entries of a tenant:

- `upload#<id>`: what the customer sees; written when an upload is announced or its file is found.
- `file#<digest>`: a file, identified by bucket, key and ETag, so that repeated notifications of a file are
  one file.
- `settings`: the choices of the account.
- `sweep`: the key at which the next sweep of a bucket continues, if the bucket is too large for one run.

Slots and counters of the tenant have their own modules. A transaction ties a file to its upload, once.
The reader of a file holds a lease; its writes are conditional on that lease.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.shared.errors import RetryableError
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, open_client, write_all
from functions.shared.tables.uploads import FileItem, UploadItem, UploadSettingsItem
from functions.shared.tenancy import TenantId
from functions.uploads import items
from functions.uploads.files import READING, File, Upload
from functions.uploads.items import FILE, SETTINGS, SWEEP, UPLOAD, file_item, file_of, upload_item, upload_of

SECONDS_A_DAY = 86_400
FORGET_UPLOADS_AFTER_DAYS = 90
FORGET_FILES_AFTER_DAYS = 90
"""Far longer than a file can be published again: 28 days by its queue, 30 by the sweeper."""

FORGET_SWEEPS_AFTER_DAYS = 1

OURS = "-"
"""Stands for the tenant in the sweep entry of our drop bucket; no tenant has this id."""

_CLAIM_TRIES = 3


class HeldError(RetryableError):
    """Another invocation reads the file, until `seconds` from now at the latest."""

    def __init__(self, seconds: int) -> None:
        super().__init__("the file is being read")
        self.seconds = seconds


class LeaseLostError(RetryableError):
    """The lease expired and another invocation has it: progress that was not recorded does not count."""


@dataclass(frozen=True, slots=True)
class UploadPage:
    """Uploads, newest first, each with its file if that has arrived; `next` is the cursor, or None."""

    uploads: list[tuple[Upload, File | None]]
    next: str | None


class UploadRegister:
    """The table. Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    table: its keys are `tenant_id` and `entry`.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._client = client or open_client()
        self._uploads = Table(UploadItem, table, self._client)
        self._files = Table(FileItem, table, self._client)
        self._settings = Table(UploadSettingsItem, table, self._client)
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970, by the clock that leases are measured with."""
        return self._clock()

    def announce(self, upload: Upload) -> None:
        """Record an upload whose file has not arrived yet."""
        self._uploads.put(upload_item(upload, self._forget_at(FORGET_UPLOADS_AFTER_DAYS)))

    def upload(self, tenant: TenantId, upload_id: str) -> tuple[Upload, File | None] | None:
        """The tenant's upload with that id, with its file if that has arrived."""
        upload = self._upload(tenant, upload_id)
        if upload is None:
            return None
        return upload, self._file(tenant, upload.file) if upload.file else None

    def page(self, tenant: TenantId, limit: int, before: str | None = None) -> UploadPage:
        """`limit` uploads older than the one with the id `before`, newest first."""
        last = f"{UPLOAD}{before}" if before else f"{UPLOAD}~"
        found = self._uploads.page(
            str(tenant),
            sort=UploadItem.entry.between(UPLOAD, last),
            newest_first=True,
            limit=limit + 1 + bool(before),
        ).items
        uploads = [upload_of(each) for each in found if not self._is_forgotten(each)]
        uploads = [each for each in uploads if each.upload_id != before]
        files = self.files(tenant, [each.file for each in uploads[:limit] if each.file])
        shown = [(each, files.get(each.file)) for each in uploads[:limit]]
        return UploadPage(shown, shown[-1][0].upload_id if len(uploads) > limit else None)

    def files(self, tenant: TenantId, digests: Sequence[str]) -> dict[str, File]:
        """The tenant's known files among `digests`, by digest."""
        keys = [items.key(tenant, FILE + each) for each in dict.fromkeys(digests)]
        found = (file_of(item) for item in self._files.read(keys) if not self._is_forgotten(item))
        return {file.digest: file for file in found}

    def originals(self, tenant: TenantId) -> str | None:
        """The account's choice for originals (keep or delete); None when it has not chosen."""
        item = self._settings.get(items.key(tenant, SETTINGS))
        return None if item is None else item.originals

    def choose_originals(self, tenant: TenantId, originals: str) -> None:
        """Store the account's choice for originals."""
        self._settings.put(UploadSettingsItem(*items.key(tenant, SETTINGS), originals=originals))

    def swept_to(self, tenant: TenantId | None) -> str | None:
        """The key after which the sweep of that bucket (None: ours) continues; None if one run is enough."""
        item = self._settings.get(items.key(tenant or OURS, SWEEP))
        return None if item is None or self._is_forgotten(item) else item.key

    def note_swept(self, tenant: TenantId | None, key: str | None) -> None:
        """Store the key after which the sweep continues, empty for the beginning; None deletes the entry."""
        entry = items.key(tenant or OURS, SWEEP)
        if key is None:
            self._settings.delete(entry)
        else:
            forget_at = self._forget_at(FORGET_SWEEPS_AFTER_DAYS)
            self._settings.put(UploadSettingsItem(*entry, key=key, forget_at=forget_at))

    def claim(self, file: File, upload: Upload) -> File:
        """Record `file` unless it is known; return the known file.

        `upload` is the upload of the file: an announced one that waits and is now tied to the file, or a new
        one.
        """
        for _ in range(_CLAIM_TRIES):
            try:
                write_all(self._client, self._claims(file, upload))
            except ConditionFailedError:
                # Another invocation claimed the file at the same moment, or the upload has another file.
                known = self.files(file.tenant, [file.digest]).get(file.digest)
                if known:
                    return known
                continue
            return file
        raise StoreUnavailableError("DynamoDB: others keep claiming the same file")

    def reopen(self, file: File, anew: File) -> File:
        """Replace the abandoned `file` by `anew`; if another process replaced it first, return its file."""
        if self.amend(file, anew):
            return anew
        return self.files(file.tenant, [file.digest]).get(file.digest, file)

    def amend(self, file: File, changed: File) -> bool:
        """Replace the settled `file` by `changed`; False when the stored file is no longer `file`."""
        same = (
            (FileItem.state == file.state)
            & (FileItem.owner == file.owner)
            & (FileItem.updated_at == file.updated_at)
            & (FileItem.kept_on.does_not_exist() | (FileItem.kept_on == file.kept_on))
        )
        try:
            self._files.put(file_item(changed, self._forget_at(FORGET_FILES_AFTER_DAYS)), same)
        except ConditionFailedError:
            return False
        return True

    def waiting(self, tenant: TenantId, upload_id: str, key: str) -> Upload | None:
        """The announced upload with that id, if its file is expected at `key` and has not arrived yet."""
        upload = self._upload(tenant, upload_id)
        return upload if upload and upload.key == key and not upload.file else None

    def all_waiting(self, tenant: TenantId, expected: Mapping[str, str]) -> dict[str, Upload]:
        """Like `waiting`, for several ids, each with the expected key; by id."""
        keys = [items.key(tenant, UPLOAD + each) for each in expected]
        found = (upload_of(item) for item in self._uploads.read(keys) if not self._is_forgotten(item))
        return {
            each.upload_id: each for each in found if each.key == expected[each.upload_id] and not each.file
        }

    def claim_all(self, claims: Sequence[tuple[File, Upload]]) -> bool:
        """Like `claim`, for several files with different uploads, all or none; False if one is known."""
        try:
            write_all(self._client, [write for claim in claims for write in self._claims(*claim)])
        except ConditionFailedError:
            return False
        return True

    def begin(self, file: File, owner: str, seconds: int) -> File:
        """Acquire the lease of a file for `seconds`; return the stored file, with this attempt counted.

        Raises
        ------
        HeldError: another process has the lease. LeaseLostError: the file was settled meanwhile.
        """
        now = int(self._clock())
        try:
            found = self._files.update_and_get(
                items.key(file.tenant, FILE + file.digest),
                FileItem.owner.set(owner),
                FileItem.lease_until.set(now + seconds),
                FileItem.attempts.set(FileItem.attempts + 1),
                condition=(FileItem.state == READING) & (FileItem.lease_until < now),
            )
        except ConditionFailedError:
            known = self.files(file.tenant, [file.digest]).get(file.digest)
            if known is None or known.is_settled:
                raise LeaseLostError("the file is settled") from None
            raise HeldError(max(1, known.lease_until - now + 1)) from None
        return file_of(found)

    def note(self, file: File, *, keeps_lease: bool) -> File:
        """Record the progress of a file as the owner of its lease; keep or release the lease.

        Raises
        ------
        LeaseLostError
        """
        noted = replace(
            file, updated_at=int(self._clock()), lease_until=file.lease_until if keeps_lease else 0
        )
        leased = (FileItem.owner == file.owner) & (FileItem.lease_until == file.lease_until)
        try:
            self._files.put(file_item(noted, self._forget_at(FORGET_FILES_AFTER_DAYS)), leased)
        except ConditionFailedError:
            raise LeaseLostError("another process reads the file") from None
        return noted

    def _claims(self, file: File, upload: Upload) -> list[Write]:
        fresh = FileItem.entry.does_not_exist() | (FileItem.forget_at <= int(self._clock()))
        put = file_item(file, self._forget_at(FORGET_FILES_AFTER_DAYS))
        tied = upload_item(replace(upload, file=file.digest), self._forget_at(FORGET_UPLOADS_AFTER_DAYS))
        # An announced upload is stored already, without a file.
        free = UploadItem.entry.does_not_exist() | (UploadItem.file == "")
        return [self._files.write_of_put(put, fresh), self._uploads.write_of_put(tied, free)]

    def _upload(self, tenant: TenantId, upload_id: str) -> Upload | None:
        item = self._uploads.get(items.key(tenant, UPLOAD + upload_id))
        return None if item is None or self._is_forgotten(item) else upload_of(item)

    def _file(self, tenant: TenantId, digest: str) -> File | None:
        item = self._files.get(items.key(tenant, FILE + digest))
        return None if item is None or self._is_forgotten(item) else file_of(item)

    def _is_forgotten(self, item: UploadItem | FileItem | UploadSettingsItem) -> bool:
        """Whether the item has expired: DynamoDB deletes it within days, until then it counts as deleted."""
        return item.forget_at is not None and item.forget_at <= self._clock()

    def _forget_at(self, days: int) -> int:
        return int(self._clock()) + days * SECONDS_A_DAY
