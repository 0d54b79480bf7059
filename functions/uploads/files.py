"""Uploads and their files as values, and how the API shows them to the customer."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from functions.shared.accounts.account_status import REFUSAL_CODES
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import base32
from functions.shared.tenancy import TenantId, staged_prefix

WAITING, READING, DONE, PARTLY, FAILED = "waiting", "reading", "done", "partly", "failed"
LOADING = "loading"
"""Shown instead of DONE or PARTLY until all rows can be searched (functions.uploads.loading)."""

SETTLED = frozenset({DONE, PARTLY, FAILED})

OF_CONTENT = frozenset(
    {
        "truncated", "corrupt", "checksum", "trailing_data", "invalid_json", "unsupported_format",
        "unsupported_encoding", "unreadable", "interrupted", "no_progress", "too_much_memory",
        "resume_too_slow",
    }
)  # fmt: skip
"""Codes of faults in the file's content: the same file would fail again."""

DELETE, KEEP = "delete", "keep"
"""Whether an original is deleted once all of its rows are stored."""

MAX_LISTED_REFUSALS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was announced, or found in the bucket; times in Unix seconds.

    `key`: where the file is expected, or was found. `until`: when the signed URL expires, None for a file
    that was put without one. `file`: the digest of the file that arrived; empty before.
    """

    tenant: TenantId
    upload_id: str
    key: str
    size_bytes: int
    project_id: str
    originals: str
    created_at: int
    until: int | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A rejected record: `index` counts the file's records from 0."""

    index: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class File:
    """A file and the progress of its reading.

    `received_at`, `project_id` and `retention_days` are common to all its rows and fixed when the file is
    first seen. `parts` counts the staged objects. `checkpoint` names the place where reading continues, empty
    for the beginning; `attempts` counts the attempts that began there. `skip_ms`: the CPU time that finding
    such places again has taken, in all attempts. `code` and `reason` say why the file
    is not done. `owner` has the lease until `lease_until`. `kept_on`: the day on which its original was
    counted as kept in our bucket, empty if it is not kept there. `loaded`: 1 once none of its objects is
    staged any more.
    """

    tenant: TenantId
    upload_id: str
    dropped: DroppedFile
    received_at: datetime
    project_id: str
    retention_days: int
    originals: str
    state: str = READING
    compression: str = ""
    format: str = ""
    rows: int = 0
    raw_bytes: int = 0
    refused: int = 0
    refusals: tuple[RefusedRecord, ...] = field(default=())
    bytes_read: int = 0
    parts: int = 0
    checkpoint: str = ""
    attempts: int = 0
    skip_ms: int = 0
    code: str = ""
    reason: str = ""
    updated_at: int = 0
    owner: str = ""
    lease_until: int = 0
    kept_on: str = ""
    loaded: int = 0

    @property
    def digest(self) -> str:
        return digest_of(self.tenant, self.dropped)

    @property
    def receipt(self) -> ReceiptContext:
        return ReceiptContext(
            self.tenant, self.project_id, self.received_at, self.retention_days, self.part_id(0)
        )

    @property
    def first_seen_at(self) -> float:
        return self.received_at.timestamp()

    @property
    def day(self) -> date:
        return self.received_at.date()

    @property
    def expires_on(self) -> date:
        return self.receipt.expires_on

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED

    @property
    def may_be_loading(self) -> bool:
        """Whether the file is settled, and rows of it may not be in ClickHouse yet."""
        return self.is_settled and self.parts > 0 and not self.loaded

    @property
    def is_stopped(self) -> bool:
        """Whether the file is read in part, and stopped because its account's logs were rejected."""
        return self.state == PARTLY and bool(self.checkpoint) and self.code in REFUSAL_CODES

    def may_be_read_at(self, now: datetime) -> bool:
        """Whether the file may be read, or continued, on request once its account's logs are accepted.

        True when nothing of the file is stored and its content is not the cause; or when it stopped, as long
        as its rows, which all have its time of receipt, have not expired.
        """
        if self.is_stopped:
            return self.expires_on >= now.date()
        return self.state == FAILED and not self.parts and self.code not in OF_CONTENT

    def anew(self, now: datetime, retention_days: int) -> "File":
        """The file as if seen for the first time; a stopped file, ready to continue.

        After a first attempt, objects with its time of receipt may be staged. Until their rows expire that
        time stays, or the rows would be staged again under other names.
        """
        if self.is_stopped:
            return replace(
                self,
                state=READING,
                code="",
                reason="",
                attempts=0,
                loaded=0,
                updated_at=int(now.timestamp()),
            )
        fresh = File(
            tenant=self.tenant,
            upload_id=self.upload_id,
            dropped=self.dropped,
            received_at=now,
            project_id=self.project_id,
            retention_days=retention_days,
            originals=self.originals,
            updated_at=int(now.timestamp()),
            kept_on=self.kept_on,
        )
        if not self.attempts or self.expires_on < now.date():
            return fresh
        return replace(fresh, received_at=self.received_at, retention_days=self.retention_days)

    def part_id(self, number: int) -> str:
        """The id of the file's staged object `number`, from bucket, key, ETag and part; ids sort by part."""
        return f"{self._parts_id}{number:06d}"

    @property
    def parts_prefix(self) -> str:
        """What the keys of all its staged objects begin with, and those of no other file."""
        return f"{staged_prefix(self.tenant)}day={self.day.isoformat()}/{self._parts_id}"

    @property
    def _parts_id(self) -> str:
        milliseconds = int(self.received_at.timestamp() * 1000)
        return f"{base32(milliseconds << 80 | int(self.digest[:20], 16))}p"


def digest_of(tenant: TenantId, dropped: DroppedFile) -> str:
    """A file's identity: its place, and the ETag of the version at that place."""
    named = "\0".join((tenant, dropped.bucket, dropped.key, dropped.etag))
    return sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


def upload_response(
    upload: Upload, file: File | None, prefix: str, now: float, *, is_loading: bool = False
) -> dict[str, Any]:
    """The response of GET /v1/uploads/{id}; the tenant's `prefix` is left out of the name.

    `is_loading`: rows of the file cannot be searched yet, although it is read.
    """
    fields = {
        "id": upload.upload_id,
        "filename": upload.key.removeprefix(prefix).removeprefix(f"{upload.upload_id}/"),
        "key": upload.key,
        "size": file.dropped.size_bytes if file else upload.size_bytes,
        "original": file.originals if file else upload.originals,
        "created_at": _time(upload.created_at),
    }
    if file is None:
        return {**fields, **_nothing_yet(upload, now)}
    size = file.dropped.size_bytes
    return {
        **fields,
        "state": LOADING if is_loading else file.state,
        "format": file.format or None,
        "compression": file.compression or None,
        "progress": 1.0 if file.is_settled or not size else round(file.bytes_read / size, 4),
        "bytes_read": file.bytes_read,
        "rows_stored": file.rows,
        "rows_refused": file.refused,
        "refusals": [
            {"index": each.index, "code": each.code, "reason": each.reason} for each in file.refusals
        ],
        "error": {"code": file.code, "reason": file.reason} if file.code else None,
        "received_at": f"{file.received_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "updated_at": _time(file.updated_at),
    }


LATE = timedelta(hours=1)
"""The time that an upload may take after its URL expired, if it began before."""


def _nothing_yet(upload: Upload, now: float) -> dict[str, Any]:
    is_over = upload.until is not None and now > upload.until + LATE.total_seconds()
    error = {"code": "never_put", "reason": "No file was uploaded before the URL expired. Announce it again."}
    return {
        "state": FAILED if is_over else WAITING,
        "format": None,
        "compression": None,
        "progress": 0.0,
        "bytes_read": 0,
        "rows_stored": 0,
        "rows_refused": 0,
        "refusals": [],
        "error": error if is_over else None,
        "received_at": None,
        "updated_at": _time(upload.created_at),
    }


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
