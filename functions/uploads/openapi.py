"""Documentation of the routes of uploads; see functions.shared.openapi."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.shared.openapi import (
    INVALID_BODY,
    LOGS_REJECTED,
    Body,
    LinkText,
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
    path_id,
)
from functions.uploads.forms import MAX_PAGE, UploadForm, UploadSettingsForm

Original = Literal["delete", "keep"]


class FileRejection(Struct):
    """A rejected record, counted from 0."""

    index: int
    code: str
    reason: str


class FileError(Struct):
    """Why the file broke off."""

    code: str
    reason: str


class ListedUpload(Struct):
    """A file and how far it is read; docs/uploads.md explains the states."""

    id: str
    filename: str
    key: str
    size: int
    original: Original
    created_at: TimestampText
    state: Literal["waiting", "reading", "loading", "done", "partly", "failed"]
    format: str | None
    compression: str | None
    progress: float
    bytes_read: int
    rows_stored: int
    rows_refused: int
    refusals: list[FileRejection]
    error: FileError | None
    received_at: TimestampText | None
    updated_at: TimestampText


class AnnouncedUpload(ListedUpload, kw_only=True):
    """The upload, and where to put the file: `headers` are part of the signature of `url`."""

    url: LinkText
    method: Literal["PUT"]
    headers: dict[str, str]
    expires_in: int
    bucket: str


class UploadList(Struct):
    """A page of files, newest first; `next_cursor` is null on the last page."""

    uploads: list[ListedUpload]
    next_cursor: str | None


class UploadSettings(Struct):
    """`bucket`, `prefix`: where to put files that are not announced. `original`: their setting."""

    original: Original
    bucket: str
    prefix: str


_UPLOAD = {
    "id": "01m89jaepfjtjc8cm4g2e0y51v",
    "filename": "app.log.gz",
    "key": "dropin/v1/tenant=acme/01m89jaepfjtjc8cm4g2e0y51v/app.log.gz",
    "size": 27_825,
    "original": "delete",
    "created_at": "2026-11-23T10:00:00Z",
    "state": "waiting",
    "format": None,
    "compression": None,
    "progress": 0.0,
    "bytes_read": 0,
    "rows_stored": 0,
    "rows_refused": 0,
    "refusals": [],
    "error": None,
    "received_at": None,
    "updated_at": "2026-11-23T10:00:00Z",
}
_DONE = {
    **_UPLOAD,
    "state": "partly",
    "format": "csv",
    "compression": "gzip",
    "progress": 1.0,
    "bytes_read": 27_825,
    "rows_stored": 4998,
    "rows_refused": 2,
    "refusals": [
        {"index": 17, "code": "ragged_row", "reason": "The row has 3 cells where the header names 5."}
    ],
    "received_at": "2026-11-23T10:00:05.120000Z",
}
_PUT = {
    "url": "https://drop.example.com/dropin/v1/tenant=acme/01m8/app.log.gz?X-Amz-Signature=1",
    "method": "PUT",
    "headers": {"Content-Length": "27825", "If-None-Match": "*"},
    "expires_in": 3600,
    "bucket": "astralog-drop",
}
_SETTINGS = {"original": "delete", "bucket": "astralog-drop", "prefix": "dropin/v1/tenant=acme/"}
_BYOC = ("403 no_destination", "destination_unavailable")
_ID = path_id("The upload's id.", "01m89jaepfjtjc8cm4g2e0y51v")

OPERATIONS: Operations = {
    "POST /v1/uploads": Operation(
        "announceUpload",
        "Get a URL to put a file",
        "ingest",
        {201: Reply("The upload, and where to put the file.", AnnouncedUpload, {**_UPLOAD, **_PUT})},
        body=Body.json(UploadForm, {"filename": "app.log.gz", "size": 27_825}),
        errors=(*INVALID_BODY, *LOGS_REJECTED, *_BYOC, "too_many_open_uploads", "too_many_uploads"),
        page="uploads.md",
    ),
    "GET /v1/uploads": Operation(
        "listUploads",
        "List files",
        "ingest or read",
        {200: Reply("A page of files, newest first.", UploadList, {"uploads": [_DONE], "next_cursor": None})},
        parameters=(
            Parameter("limit", "Files on a page.", Annotated[int, Meta(ge=1, le=MAX_PAGE)], example=50),
            Parameter(
                "cursor",
                "The `next_cursor` of the previous page.",
                Annotated[str, Meta(pattern="^[0-9a-z]{26}$")],
            ),
        ),
        errors=("invalid_<field>", *_BYOC),
        page="uploads.md#check-the-status",
    ),
    "GET /v1/uploads/{id}": Operation(
        "getUpload",
        "Read the status of a file",
        "ingest or read",
        {200: Reply("The file.", ListedUpload, _DONE)},
        parameters=(_ID,),
        errors=("not_found", *_BYOC),
        page="uploads.md#check-the-status",
    ),
    "POST /v1/uploads/{id}/resume": Operation(
        "resumeUpload",
        "Continue a file that stopped because the account accepted no logs",
        "ingest",
        {202: Reply("The file.", ListedUpload, _DONE)},
        parameters=(_ID,),
        errors=("not_found", "not_resumable", "too_many_uploads", *LOGS_REJECTED, *_BYOC),
        page="uploads.md#resume-a-file",
    ),
    "GET /v1/uploads/settings": Operation(
        "getUploadSettings",
        "Read where to put files, and what becomes of originals",
        "ingest or read",
        {200: Reply("The settings.", UploadSettings, _SETTINGS)},
        errors=_BYOC,
        page="uploads.md#put-files-directly",
    ),
    "PUT /v1/uploads/settings": Operation(
        "changeUploadSettings",
        "Keep or delete originals",
        "admin",
        {200: Reply("The settings.", UploadSettings, _SETTINGS)},
        body=Body.json(UploadSettingsForm, {"original": "keep"}),
        errors=(*INVALID_BODY, *_BYOC),
        page="uploads.md#originals",
    ),
}
