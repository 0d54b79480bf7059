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

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from functions.shared.dynamo.answers import StoreUnavailableError, answered, open_client, unmet
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import RetryableError
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

READS_A_CALL = 100
_CLAIM_TRIES = 3
_READ_TRIES = 8
"""About four seconds without capacity; results cut off at 16 MB never take as many tries."""


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
        self._table = table
        self._client = client or open_client()
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970, by the clock that leases are measured with."""
        return self._clock()

    def announce(self, upload: Upload) -> None:
        """Record an upload whose file has not arrived yet."""
        with answered():
            self._client.put_item(
                TableName=self._table, Item=upload_item(upload, self._forget_at(FORGET_UPLOADS_AFTER_DAYS))
            )

    def upload(self, tenant: TenantId, upload_id: str) -> tuple[Upload, File | None] | None:
        """The tenant's upload with that id, with its file if that has arrived."""
        item = self._item(tenant, UPLOAD + upload_id)
        if item is None:
            return None
        upload = upload_of(item)
        file = self._item(tenant, FILE + upload.file) if upload.file else None
        return upload, file_of(file) if file else None

    def page(self, tenant: TenantId, limit: int, before: str | None = None) -> UploadPage:
        """`limit` uploads older than the one with the id `before`, newest first."""
        asked = {
            "TableName": self._table,
            "KeyConditionExpression": "tenant_id = :tenant AND entry BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":tenant": {"S": str(tenant)},
                ":first": {"S": UPLOAD},
                ":last": {"S": f"{UPLOAD}{before}" if before else f"{UPLOAD}~"},
            },
            "ScanIndexForward": False,
            "Limit": limit + 1 + bool(before),
        }
        with answered():
            found = self._client.query(**asked, ConsistentRead=True)["Items"]
        uploads = [upload_of(each) for each in found if not items.is_forgotten(each, self._clock())]
        uploads = [each for each in uploads if each.upload_id != before]
        files = self.files(tenant, [each.file for each in uploads[:limit] if each.file])
        shown = [(each, files.get(each.file)) for each in uploads[:limit]]
        return UploadPage(shown, shown[-1][0].upload_id if len(uploads) > limit else None)

    def files(self, tenant: TenantId, digests: Sequence[str]) -> dict[str, File]:
        """The tenant's known files among `digests`, by digest."""
        found: dict[str, File] = {}
        wanted = list(dict.fromkeys(digests))
        for start in range(0, len(wanted), READS_A_CALL):
            keys = [items.key(tenant, FILE + each) for each in wanted[start : start + READS_A_CALL]]
            for item in self._read_all(keys):
                if not items.is_forgotten(item, self._clock()):
                    file = file_of(item)
                    found[file.digest] = file
        return found

    def originals(self, tenant: TenantId) -> str | None:
        """The account's choice for originals (keep or delete); None when it has not chosen."""
        item = self._item(tenant, SETTINGS)
        return None if item is None else str(item["originals"]["S"])

    def choose_originals(self, tenant: TenantId, originals: str) -> None:
        """Store the account's choice for originals."""
        item = {**items.key(tenant, SETTINGS), "originals": {"S": originals}}
        with answered():
            self._client.put_item(TableName=self._table, Item=item)

    def swept_to(self, tenant: TenantId | None) -> str | None:
        """The key after which the sweep of that bucket (None: ours) continues; None if one run is enough."""
        item = self._item(tenant or OURS, SWEEP)
        return None if item is None else str(item["key"]["S"])

    def note_swept(self, tenant: TenantId | None, key: str | None) -> None:
        """Store the key after which the sweep continues, empty for the beginning; None deletes the entry."""
        entry = items.key(tenant or OURS, SWEEP)
        forget_at = {"N": str(self._forget_at(FORGET_SWEEPS_AFTER_DAYS))}
        with answered():
            if key is None:
                self._client.delete_item(TableName=self._table, Key=entry)
            else:
                item = {**entry, "key": {"S": key}, "forget_at": forget_at}
                self._client.put_item(TableName=self._table, Item=item)

    def claim(self, file: File, upload: Upload) -> File:
        """Record `file` unless it is known; return the known file.

        `upload` is the upload of the file: an announced one that waits and is now tied to the file, or a new
        one.
        """
        for _ in range(_CLAIM_TRIES):
            try:
                write_all(self._client, self._claims(file, upload))
            except UnmetError:
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
        try:
            with answered():
                self._client.put_item(
                    TableName=self._table,
                    Item=file_item(changed, self._forget_at(FORGET_FILES_AFTER_DAYS)),
                    ConditionExpression="#state = :state AND #owner = :owner AND updated_at = :updated "
                    "AND (attribute_not_exists(kept_on) OR kept_on = :kept)",
                    ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                    ExpressionAttributeValues={
                        ":state": {"S": file.state},
                        ":owner": {"S": file.owner},
                        ":updated": {"N": str(file.updated_at)},
                        ":kept": {"S": file.kept_on},
                    },
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return False
        return True

    def waiting(self, tenant: TenantId, upload_id: str, key: str) -> Upload | None:
        """The announced upload with that id, if its file is expected at `key` and has not arrived yet."""
        item = self._item(tenant, UPLOAD + upload_id)
        upload = upload_of(item) if item else None
        return upload if upload and upload.key == key and not upload.file else None

    def begin(self, file: File, owner: str, seconds: int) -> File:
        """Acquire the lease of a file for `seconds`; return the stored file, with this attempt counted.

        Raises
        ------
        HeldError: another process has the lease. LeaseLostError: the file was settled meanwhile.
        """
        now = int(self._clock())
        try:
            with answered():
                found = self._client.update_item(
                    TableName=self._table,
                    Key=items.key(file.tenant, FILE + file.digest),
                    UpdateExpression="SET #owner = :owner, lease_until = :until, attempts = attempts + :one",
                    ConditionExpression="#state = :reading AND lease_until < :now",
                    ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                    ExpressionAttributeValues={
                        ":owner": {"S": owner},
                        ":until": {"N": str(now + seconds)},
                        ":one": {"N": "1"},
                        ":reading": {"S": READING},
                        ":now": {"N": str(now)},
                    },
                    ReturnValues="ALL_NEW",
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            known = self.files(file.tenant, [file.digest]).get(file.digest)
            if known is None or known.is_settled:
                raise LeaseLostError("the file is settled") from None
            raise HeldError(max(1, known.lease_until - now + 1)) from None
        return file_of(found["Attributes"])

    def note(self, file: File, *, keeps_lease: bool) -> File:
        """Record the progress of a file as the owner of its lease; keep or release the lease.

        Raises
        ------
        LeaseLostError
        """
        noted = replace(
            file, updated_at=int(self._clock()), lease_until=file.lease_until if keeps_lease else 0
        )
        try:
            with answered():
                self._client.put_item(
                    TableName=self._table,
                    Item=file_item(noted, self._forget_at(FORGET_FILES_AFTER_DAYS)),
                    ConditionExpression="#owner = :owner AND lease_until = :until",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues={
                        ":owner": {"S": file.owner},
                        ":until": {"N": str(file.lease_until)},
                    },
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            raise LeaseLostError("another process reads the file") from None
        return noted

    def _claims(self, file: File, upload: Upload) -> list[dict[str, Any]]:
        fresh = {
            "ConditionExpression": "attribute_not_exists(entry) OR forget_at <= :now",
            "ExpressionAttributeValues": {":now": {"N": str(int(self._clock()))}},
        }
        put = file_item(file, self._forget_at(FORGET_FILES_AFTER_DAYS))
        tied = upload_item(replace(upload, file=file.digest), self._forget_at(FORGET_UPLOADS_AFTER_DAYS))
        # An announced upload is stored already, without a file.
        free = {
            "ConditionExpression": "attribute_not_exists(entry) OR #file = :none",
            "ExpressionAttributeNames": {"#file": "file"},
            "ExpressionAttributeValues": {":none": {"S": ""}},
        }
        return [
            {"Put": {"TableName": self._table, "Item": put, **fresh}},
            {"Put": {"TableName": self._table, "Item": tied, **free}},
        ]

    def _item(self, tenant: str, entry: str) -> items.Item | None:
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key=items.key(tenant, entry), ConsistentRead=True
            )
        item: items.Item | None = found.get("Item")
        if item and "forget_at" in item and items.is_forgotten(item, self._clock()):
            return None
        return item

    def _read_all(self, keys: list[items.Item]) -> list[items.Item]:
        found: list[items.Item] = []
        wanted: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_READ_TRIES):
            with answered():
                answer = self._client.batch_get_item(RequestItems=wanted)
            found += answer["Responses"].get(self._table, [])
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311
        raise StoreUnavailableError("DynamoDB: it leaves out what it is asked for")

    def _forget_at(self, days: int) -> int:
        return int(self._clock()) + days * SECONDS_A_DAY
