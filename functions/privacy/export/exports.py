"""The table of data exports: an item for each export and, while it is in progress, for each archive part."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from functions.privacy.export.record import (
    RUNNING,
    Export,
    ExportFile,
    ExportProgress,
    State,
    files_of,
    files_text,
)
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tables.exports import OPEN_INDEX, ExportItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all, write_in_parts
from functions.shared.tenancy import TenantId

OPEN = "open"
"""The partition of the index of open exports."""

LOCK = "!open"
"""The key of the item that names the account's export in progress; no export id begins like this."""


class ExportChangedError(RetryableError):
    """Another run works on this export, it begins again, or the account is erased."""


class ExportOpenError(PermanentError):
    """An export of this account is already in progress."""


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """An uploaded part of an archive."""

    number: int
    etag: str
    files: list[ExportFile]


class Exports:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, client: Any) -> None:
        self._table = Table(ExportItem, table, client)
        self._client = client

    def ask(self, export: Export, also: Sequence[Write] = ()) -> None:
        """Store a new export, with `also`, further writes of the transaction.

        Raises
        ------
        ExportOpenError
        """
        lock = ExportItem(*_key_of(export.tenant, LOCK), export_id=export.export_id)
        new = ExportItem.entry.does_not_exist()
        writes = [self._table.write_of_put(_item_of(export), new), self._table.write_of_put(lock, new)]
        try:
            write_all(self._client, [*writes, *also])
        except ConditionFailedError:
            raise ExportOpenError("an export of this account is already in progress") from None

    def of(self, tenant: TenantId, export_id: str) -> Export | None:
        """The tenant's export with that id."""
        found = self._table.get(_key_of(tenant, export_id))
        return _export_of(found) if found and found.state is not None else None

    def all(self, tenant: TenantId) -> list[Export]:
        """All exports of the tenant, newest first."""
        exports = [_export_of(item) for item in self._of_tenant(tenant) if item.state is not None]
        return sorted(exports, key=lambda each: (each.requested_at, each.export_id), reverse=True)

    def due(self) -> list[Export]:
        """The exports to work on, the longest waiting first."""
        items = self._table.query(OPEN, index=OPEN_INDEX)
        exports = (self.of(TenantId(item.tenant_id), item.entry) for item in items)
        # The index is eventually consistent.
        return [each for each in exports if each and each.open]

    def save(self, export: Export, part: ArchivePart | None = None) -> Export:
        """Store an open export, with an uploaded part, unless it was changed since it was read.

        Raises
        ------
        ExportChangedError
        """
        new = replace(export, state=RUNNING, revision=export.revision + 1)
        self._write([self._replaced(export, new), *self._part(export, part)])
        return new

    def finish(self, export: Export, also: Sequence[Write] = ()) -> Export:
        """Set it to `ready` or `failed`, as `export` says; the items of its parts are deleted.

        Raises
        ------
        ExportChangedError
        """
        new = replace(export, revision=export.revision + 1)
        unlocked = self._table.write_of_delete(_key_of(export.tenant, LOCK))
        self._write([self._replaced(export, new), unlocked, *also])
        self._forget_parts(export)
        return new

    def begin_again(self, export: Export, began_at: int) -> Export:
        """Restart it from the beginning, because some of the data it has read is erased.

        Raises
        ------
        ExportChangedError
        """
        new = self.save(export.again(began_at))
        self._forget_parts(export)
        return new

    def parts(self, export: Export) -> list[ArchivePart]:
        """The uploaded parts, in their order; not those of an abandoned attempt."""
        parts = (ArchivePart(each.part, each.etag, files_of(each.files)) for each in self._part_items(export))
        return [each for each in parts if each.number <= export.progress.parts]

    def _part(self, export: Export, part: ArchivePart | None) -> list[Write]:
        if part is None:
            return []
        item = ExportItem(
            *_key_of(export.tenant, f"{_part_key(export)}{part.number:05}"),
            part=part.number,
            etag=part.etag,
            files=files_text(part.files),
            forget_at=export.forget_at,
        )
        return [self._table.write_of_put(item)]

    def _part_items(self, export: Export) -> Iterator[ExportItem]:
        """In the order of their numbers."""
        of_export = ExportItem.entry.startswith(_part_key(export))
        return self._table.query(str(export.tenant), sort=of_export)

    def _forget_parts(self, export: Export) -> None:
        items = self._part_items(export)
        deletes = [self._table.write_of_delete(_key_of(export.tenant, each.entry)) for each in items]
        write_in_parts(self._client, deletes)

    def _replaced(self, export: Export, new: Export) -> Write:
        return self._table.write_of_put(_item_of(new), ExportItem.revision == export.revision)

    def _write(self, writes: Sequence[Write]) -> None:
        try:
            write_all(self._client, writes)
        except ConditionFailedError:
            raise ExportChangedError("the export was changed meanwhile") from None

    def _of_tenant(self, tenant: TenantId) -> Iterator[ExportItem]:
        return self._table.query(str(tenant))


def _part_key(export: Export) -> str:
    """The beginning of its parts' keys."""
    return f"{export.export_id}#"


def _item_of(export: Export) -> ExportItem:
    """Its item; that of an open export has the attributes that put it into the index `open`."""
    return ExportItem(
        *_key_of(export.tenant, export.export_id),
        state=export.state,
        progress=json.dumps(asdict(export.progress), separators=(",", ":")),
        requested_at=export.requested_at,
        began_at=export.began_at,
        logs_from=export.logs_from,
        logs_to=export.logs_to,
        ready_at=export.ready_at,
        size_bytes=export.bytes,
        busy_until=export.busy_until,
        revision=export.revision,
        forget_at=export.forget_at,
        open=OPEN if export.open else None,
        opens_at=f"{export.requested_at:012}" if export.open else None,
    )


def _export_of(item: ExportItem) -> Export:
    """The export in an item."""
    return Export(
        tenant=TenantId(item.tenant_id),
        export_id=item.entry,
        state=cast(State, item.state),
        requested_at=item.requested_at,
        began_at=item.began_at,
        logs_from=item.logs_from,
        logs_to=item.logs_to,
        ready_at=item.ready_at,
        bytes=item.size_bytes,
        busy_until=item.busy_until,
        revision=item.revision,
        progress=ExportProgress(**json.loads(item.progress)),
    )


def _key_of(tenant: TenantId, entry: str) -> tuple[str, str]:
    return str(tenant), entry
