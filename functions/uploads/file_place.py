"""Where a tenant's files are and where their rows go; a file when it is seen for the first time."""

from dataclasses import dataclass, replace
from datetime import datetime

from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.files import FAILED, File, Upload
from functions.uploads.gate import Gate, halt_reason

DEFAULT_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a tenant's files are and where their rows go.

    `gate`: decides between parts whether reading may continue. `originals`: whether originals are kept or
    deleted unless the account or the upload says otherwise. `refusal`: the code of the 402 with which the
    account's logs are rejected now, or empty. `is_theirs`: the bucket is the customer's own.
    """

    tenant: TenantId
    drops: DropBucket
    staging: Bucket
    gate: Gate
    retention_days: int
    originals: str
    refusal: str = ""
    is_theirs: bool = False


def announced_id(dropped: DroppedFile, place: FilePlace) -> str:
    """The id of the upload that announced the file, if one did."""
    return dropped.key.removeprefix(dropin_prefix(place.tenant)).partition("/")[0]


def new_upload(dropped: DroppedFile, place: FilePlace, now: datetime, originals: str) -> Upload:
    """The upload of a file that was not announced."""
    return Upload(
        tenant=place.tenant,
        upload_id=time_ordered_id(),
        key=dropped.key,
        size_bytes=dropped.size_bytes,
        project_id=DEFAULT_PROJECT,
        originals=originals,
        created_at=int(now.timestamp()),
    )


def new_file(dropped: DroppedFile, upload: Upload, place: FilePlace, now: datetime) -> File:
    """A file that is seen for the first time; it has failed already if the place rejects files."""
    file = File(
        tenant=place.tenant,
        upload_id=upload.upload_id,
        dropped=dropped,
        received_at=now,
        project_id=upload.project_id,
        retention_days=place.retention_days,
        originals=upload.originals,
        updated_at=int(now.timestamp()),
    )
    if not place.refusal:
        return file
    return replace(file, state=FAILED, code=place.refusal, reason=halt_reason(place.refusal))
