"""Convert uploads and files to the items of the table `uploads` and back."""

import json
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tables.uploads import FileItem, UploadItem
from functions.shared.tenancy import TenantId
from functions.uploads.files import File, RefusedRecord, Upload

UPLOAD, FILE, SETTINGS, SWEEP, SLOTS = "upload#", "file#", "settings", "sweep", "slots"
BACKLOG, BATCH = "backlog", "backlog#"
STAGED_BYTES, OPEN_UPLOADS, KEPT_ORIGINALS, UPLOAD_RATE = "staged#", "open#", "kept#", "rate#"
"""The sort key of an entry, or its prefix."""

_SEPARATE = frozenset({"tenant", "dropped", "received_at", "refusals"})
"""Fields of a file that its item holds in another form."""


def key(tenant: str, entry: str) -> tuple[str, str]:
    return str(tenant), entry


def upload_item(upload: Upload, forget_at: int) -> UploadItem:
    values = _values(upload, but={"tenant"})
    return UploadItem(*key(upload.tenant, UPLOAD + upload.upload_id), forget_at=forget_at, **values)


def upload_of(item: UploadItem) -> Upload:
    return Upload(tenant=TenantId(item.tenant_id), **_stored(Upload, item, but={"tenant"}))


def file_item(file: File, forget_at: int) -> FileItem:
    dropped = file.dropped
    return FileItem(
        *key(file.tenant, FILE + file.digest),
        bucket=dropped.bucket,
        file_key=dropped.key,
        etag=dropped.etag,
        size_bytes=dropped.size_bytes,
        received_at=file.received_at.isoformat(),
        refusals=json.dumps([astuple(each) for each in file.refusals]),
        forget_at=forget_at,
        **_values(file, but=_SEPARATE),
    )


def file_of(item: FileItem) -> File:
    return File(
        tenant=TenantId(item.tenant_id),
        dropped=DroppedFile(item.bucket, item.file_key, item.etag, item.size_bytes),
        received_at=datetime.fromisoformat(item.received_at),
        refusals=tuple(RefusedRecord(*each) for each in json.loads(item.refusals)),
        **_stored(File, item, but=_SEPARATE),
    )


def _values(value: Upload | File, but: set[str] | frozenset[str]) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value) if each.name not in but}


def _stored(
    kind: type[Upload | File], item: UploadItem | FileItem, but: set[str] | frozenset[str]
) -> dict[str, Any]:
    """The fields that the item has; the others get their defaults."""
    names = (each.name for each in fields(kind) if each.name not in but)
    return {name: item.attribute_values[name] for name in names if name in item.attribute_values}
