"""The account's files in the table of uploads: which are read, and which are being read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.tenancy import TenantId

STANDS_STILL_SECONDS = 86_400
"""A file without progress for so long is not being read any more: retries begin within the hour."""

FILE = "file#"
READING = "reading"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that was seen. `received_at`: first seen, also on its rows; `worked_on_at`: last worked on."""

    key: str
    etag: str
    digest: str
    state: str
    received_at: datetime
    worked_on_at: float

    def under_way_at(self, now: float) -> bool:
        return self.state == READING and now < self.worked_on_at + STANDS_STILL_SECONDS


@dataclass(frozen=True, slots=True)
class UploadedFiles:
    """The table of uploads, limited to files of `tenant`."""

    tables: InventoryTables
    uploads: InventoryEntry
    tenant: TenantId

    def files(self) -> Iterator[UploadedFile]:
        """All known files; each is recorded before the first of its rows is staged."""
        for item in self.tables.items(self.uploads, self.tenant):
            if item["entry"].startswith(FILE):
                yield _seen(item)


def _seen(item: dict[str, Any]) -> UploadedFile:
    return UploadedFile(
        key=item["file_key"],
        etag=item["etag"],
        digest=item["entry"].removeprefix(FILE),
        state=item["state"],
        received_at=datetime.fromisoformat(item["received_at"]).astimezone(UTC),
        worked_on_at=max(float(item["updated_at"]), float(item["lease_until"])),
    )
