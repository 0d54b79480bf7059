"""A data export as it is stored while it is in progress and while it can be fetched."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from functions.privacy.export.zipping import ZipEntry
from functions.shared.tenancy import TenantId, exports_prefix

SECONDS_A_DAY = 86_400
KEPT_DAYS = 7
"""As long as the bucket retains an archive."""

REMEMBERED_DAYS = 30

State = Literal["requested", "running", "ready", "failed"]
REQUESTED: State = "requested"
RUNNING: State = "running"
READY: State = "ready"
FAILED: State = "failed"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of the archive: its entry, a description of its content, and its number of records."""

    entry: ZipEntry
    sha256: str
    rows: int
    holds: str


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far the archive is written.

    `upload_id`: of S3's multipart upload; empty before it began. `parts` are uploaded, `offset` bytes long.
    The source with number `source` is read next, from its `position`; it has produced `files` files.
    `complete`: the last part is uploaded, and only the upload has to be completed.
    """

    upload_id: str = ""
    parts: int = 0
    offset: int = 0
    source: int = 0
    position: str | None = None
    files: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """Times in Unix seconds. `logs_from`, `logs_to`: of the requested events; None if none were requested.

    `began_at`: when work on it began; what was removed before then is not in it. `busy_until`: a run works on
    it, and no other run does until then. `revision` increases with each write.
    """

    tenant: TenantId
    export_id: str
    state: State
    requested_at: int
    began_at: int
    logs_from: int | None = None
    logs_to: int | None = None
    ready_at: int | None = None
    bytes: int = 0
    busy_until: int = 0
    revision: int = 0
    progress: ExportProgress = field(default_factory=ExportProgress)

    @property
    def open(self) -> bool:
        return self.state in (REQUESTED, RUNNING)

    @property
    def object_key(self) -> str:
        return f"{exports_prefix(self.tenant)}{self.export_id}.zip"

    @property
    def gone_at(self) -> int | None:
        """When it can no longer be fetched."""
        return None if self.ready_at is None else self.ready_at + KEPT_DAYS * SECONDS_A_DAY

    @property
    def forget_at(self) -> int:
        """When its item is deleted."""
        return self.requested_at + REMEMBERED_DAYS * SECONDS_A_DAY

    def again(self, began_at: int) -> "Export":
        """The same export, to be restarted."""
        return replace(self, began_at=began_at, busy_until=0, progress=ExportProgress())


def files_text(files: list[ExportFile]) -> str:
    """Files as they are stored with a part."""
    return json.dumps([[*asdict(each.entry).values(), each.sha256, each.rows, each.holds] for each in files])


def files_of(text: str) -> list[ExportFile]:
    return [ExportFile(ZipEntry(*each[:5]), *each[5:]) for each in json.loads(text)]
