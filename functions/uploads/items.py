"""Convert uploads and files to DynamoDB items and back."""

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import TenantId
from functions.uploads.files import File, RefusedRecord, Upload

Item = dict[str, Any]

UPLOAD, FILE, SETTINGS, SWEEP, SLOTS = "upload#", "file#", "settings", "sweep", "slots"
STAGED_BYTES, OPEN_UPLOADS, KEPT_ORIGINALS = "staged#", "open#", "kept#"
"""Prefixes of the sort key of an entry."""

_SEPARATE = frozenset({"tenant", "dropped", "received_at", "refusals"})


def key(tenant: str, entry: str) -> Item:
    return {"tenant_id": {"S": str(tenant)}, "entry": {"S": entry}}


def upload_item(upload: Upload, forget_at: int) -> Item:
    return {
        **key(upload.tenant, UPLOAD + upload.upload_id),
        **_plain(upload, {"tenant"}),
        "forget_at": {"N": str(forget_at)},
    }


def upload_of(item: Mapping[str, Any]) -> Upload:
    return Upload(tenant=TenantId(item["tenant_id"]["S"]), **_values(Upload, item, {"tenant"}))


def file_item(file: File, forget_at: int) -> Item:
    dropped = file.dropped
    return {
        **key(file.tenant, FILE + file.digest),
        **_plain(file, _SEPARATE),
        "bucket": {"S": dropped.bucket},
        "file_key": {"S": dropped.key},
        "etag": {"S": dropped.etag},
        "size_bytes": {"N": str(dropped.size_bytes)},
        "received_at": {"S": file.received_at.isoformat()},
        "refusals": {"S": json.dumps([astuple(each) for each in file.refusals])},
        "forget_at": {"N": str(forget_at)},
    }


def file_of(item: Mapping[str, Any]) -> File:
    return File(
        tenant=TenantId(item["tenant_id"]["S"]),
        dropped=DroppedFile(
            item["bucket"]["S"], item["file_key"]["S"], item["etag"]["S"], int(item["size_bytes"]["N"])
        ),
        received_at=datetime.fromisoformat(item["received_at"]["S"]),
        refusals=tuple(RefusedRecord(*each) for each in json.loads(item["refusals"]["S"])),
        **_values(File, item, _SEPARATE),
    )


def is_forgotten(item: Mapping[str, Any], now: float) -> bool:
    """Whether the item has expired: DynamoDB deletes it within days, until then it counts as deleted."""
    return int(item["forget_at"]["N"]) <= now


def _plain(value: Upload | File, but: set[str] | frozenset[str]) -> Item:
    """The fields of `value` that are text, numbers or None, except those in `but`."""
    named = ((each.name, getattr(value, each.name)) for each in fields(value) if each.name not in but)
    return {name: _attribute(content) for name, content in named if content is not None}


def _attribute(content: str | int) -> Item:
    return {"S": content} if isinstance(content, str) else {"N": str(content)}


def _values(kind: type[Upload | File], item: Mapping[str, Any], but: set[str] | frozenset[str]) -> Item:
    return {
        each.name: int(item[each.name]["N"]) if "N" in item[each.name] else item[each.name]["S"]
        for each in fields(kind)
        if each.name not in but and each.name in item
    }
