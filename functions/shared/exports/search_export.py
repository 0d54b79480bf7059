"""An export of search results as it is stored: what was requested, and how far its file is written."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from functions.shared.tenancy import TenantId, exports_prefix

ExportFormat = Literal["csv", "ndjson", "parquet"]
ExportCompression = Literal["none", "gzip"]
ExportStore = Literal["byoc", "managed"]
"""Where the file is: in the customer's bucket, or in ours."""

ExportState = Literal["requested", "running", "ready", "failed", "expired"]

ID_PREFIX = "sxp_"

KEPT_SECONDS = 3 * 86_400
"""How long a finished file is stored."""

REMEMBERED_SECONDS = 30 * 86_400

ABANDONED_AFTER_SECONDS = 86_400
"""An export that is not ready by then fails: S3 aborts its upload at that age, too."""


@dataclass(frozen=True, slots=True)
class SearchExportRequest:
    """What was requested: `filter` is the body of the search, in JSON with the time range as it was resolved.

    `since` and `until` in nanoseconds since 1970. Only events received before `cut` are exported, in
    nanoseconds, too. `managed_until`: until then our ClickHouse has rows of a BYOC account (Unix seconds); 0
    if it has none.
    """

    filter: str
    since: int
    until: int
    cut: int
    format: ExportFormat
    compression: ExportCompression
    store: ExportStore
    managed_until: int
    actor: str


@dataclass(frozen=True, slots=True)
class WriteProgress:
    """How far the file is written.

    `upload_id`: of S3's multipart upload; empty before it began. `parts` are uploaded, `bytes` long.
    `position`: where the next page begins; None for the first. `rest`: the key of an object with the bytes
    behind the last part, too few for one, which `rest_groups` describes; empty without one. `rows` includes
    those in the rest. `complete`: the last part is uploaded, and only the upload has to be completed.
    """

    upload_id: str = ""
    parts: int = 0
    bytes: int = 0
    rows: int = 0
    position: dict[str, Any] | None = None
    rest: str = ""
    rest_groups: list[list[int]] = field(default_factory=list)
    complete: bool = False


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """An uploaded part. `groups`: of a Parquet file, see functions.query.exporting.parquet."""

    number: int
    etag: str
    groups: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SearchExport:
    """Times in Unix seconds. `reason`: why it failed, or what delays it; empty if nothing does.

    `lock`: the number of the tenant's lock that it holds while it is open. `busy_until`: a run works on it,
    and no other run does until then. `revision` increases with each write.
    """

    tenant: TenantId
    export_id: str
    state: ExportState
    requested_at: int
    request: SearchExportRequest
    lock: int = 0
    ready_at: int | None = None
    busy_until: int = 0
    revision: int = 0
    reason: str = ""
    progress: WriteProgress = field(default_factory=WriteProgress)

    @property
    def open(self) -> bool:
        return self.state in ("requested", "running")

    @property
    def folder(self) -> str:
        """The prefix of its objects."""
        return f"{exports_prefix(self.tenant)}{self.export_id}/"

    @property
    def object_key(self) -> str:
        return f"{self.folder}{self.file_name}"

    @property
    def file_name(self) -> str:
        """As browsers save it; a Parquet file is compressed inside."""
        packed = self.request.compression == "gzip" and self.request.format != "parquet"
        return f"{self.export_id}.{self.request.format}{'.gz' if packed else ''}"

    @property
    def expires_at(self) -> int | None:
        """When its file is deleted."""
        return None if self.ready_at is None else self.ready_at + KEPT_SECONDS

    @property
    def forget_at(self) -> int:
        """When its item is deleted."""
        return self.requested_at + REMEMBERED_SECONDS

    def failed(self, reason: str) -> "SearchExport":
        return replace(self, state="failed", reason=reason, busy_until=0)
