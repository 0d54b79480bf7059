"""The table of exports of search results: an item for each, for each uploaded part, and for each lock."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

from functions.shared.errors import PermanentError, RetryableError
from functions.shared.exports.search_export import (
    ExportState,
    SearchExport,
    SearchExportRequest,
    WriteProgress,
    WrittenPart,
)
from functions.shared.tables.search_exports import QUEUE_INDEX, SearchExportItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all, write_in_parts
from functions.shared.tenancy import TenantId

OPEN, FILES = "open", "files"
"""The partitions of the index: exports to work on, and exports whose file will expire."""

MAX_OPEN = 2
"""Exports of one tenant at a time."""

_LOCK = "!open-"
"""The beginning of a lock's key; no export id begins like this."""


class SearchExportChangedError(RetryableError):
    """Another run works on this export, or it was deleted."""


class TooManyOpenError(PermanentError):
    """The tenant has MAX_OPEN exports in progress."""


class SearchExports:
    """Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, client: Any) -> None:
        self._table = Table(SearchExportItem, table, client)
        self._client = client

    def add(self, export: SearchExport) -> SearchExport:
        """Store a new export, which holds one of the tenant's locks; it is returned with that.

        Raises
        ------
        TooManyOpenError
        """
        new = SearchExportItem.entry.does_not_exist()
        for number in range(MAX_OPEN):
            locked = replace(export, lock=number)
            lock = SearchExportItem(*_lock_key(locked), export_id=export.export_id)
            writes = [
                self._table.write_of_put(_item_of(locked), new),
                self._table.write_of_put(lock, new),
            ]
            try:
                write_all(self._client, writes)
            except ConditionFailedError:
                continue
            return locked
        raise TooManyOpenError("the tenant has too many exports in progress")

    def of(self, tenant: TenantId, export_id: str) -> SearchExport | None:
        """The tenant's export with that id."""
        found = self._table.get((str(tenant), export_id))
        return _export_of(found) if found and found.state is not None else None

    def all(self, tenant: TenantId) -> list[SearchExport]:
        """All exports of the tenant, newest first."""
        exports = [_export_of(item) for item in self._of_tenant(tenant) if item.state is not None]
        return sorted(exports, key=lambda each: (each.requested_at, each.export_id), reverse=True)

    def requested_at(self, tenant: TenantId) -> dict[str, int]:
        """When each export of the tenant was requested, by its id; newest first."""
        items = self._table.query(str(tenant), attributes=["tenant_id", "entry", "state", "requested_at"])
        found = [(item.requested_at, item.entry) for item in items if item.state is not None]
        return {export_id: requested_at for requested_at, export_id in sorted(found, reverse=True)}

    def newest(self, tenant: TenantId, limit: int) -> list[SearchExport]:
        """At most `limit` exports of the tenant, newest first."""
        ids = list(self.requested_at(tenant))[:limit]
        found = {item.entry: item for item in self._table.read([(str(tenant), each) for each in ids])}
        return [_export_of(found[each]) for each in ids if each in found]

    def to_write(self) -> list[SearchExport]:
        """The exports to work on, the longest waiting first."""
        return [each for each in self._queued(OPEN) if each.open]

    def expired(self, now: int, limit: int) -> list[SearchExport]:
        """At most `limit` exports whose file has to be deleted, the longest expired first."""
        until = SearchExportItem.next_at <= _sortable(now)
        found = self._queued(FILES, sort=until, limit=limit)
        return [each for each in found if each.state == "ready" and (each.expires_at or 0) <= now]

    def save(self, export: SearchExport, part: WrittenPart | None = None) -> SearchExport:
        """Store an open export, with an uploaded part, unless it was changed since it was read.

        Raises
        ------
        SearchExportChangedError
        """
        new = replace(export, state="running", revision=export.revision + 1)
        self._write([self._replaced(export, new), *self._part(export, part)])
        return new

    def close(self, export: SearchExport) -> SearchExport:
        """Store an export that is ready or failed, release its lock, and delete the items of its parts.

        Raises
        ------
        SearchExportChangedError
        """
        new = replace(export, revision=export.revision + 1)
        self._write([self._replaced(export, new), self._table.write_of_delete(_lock_key(export))])
        self.forget_parts(export)
        return new

    def file_deleted(self, export: SearchExport) -> SearchExport:
        """Store that the file of a ready export was deleted.

        Raises
        ------
        SearchExportChangedError
        """
        new = replace(export, state="expired", revision=export.revision + 1)
        self._write([self._replaced(export, new)])
        return new

    def delete(self, export: SearchExport) -> None:
        """Delete its items, and release its lock: an erasure does.

        Raises
        ------
        SearchExportChangedError
        """
        unchanged = SearchExportItem.revision == export.revision
        writes = [self._table.write_of_delete((str(export.tenant), export.export_id), unchanged)]
        if export.open:
            writes.append(self._table.write_of_delete(_lock_key(export)))
        self._write(writes)
        self.forget_parts(export)

    def parts(self, export: SearchExport) -> list[WrittenPart]:
        """The uploaded parts, in their order."""
        parts = (
            WrittenPart(each.part, each.etag, json.loads(each.groups or "[]"))
            for each in self._part_items(export)
        )
        return [each for each in parts if each.number <= export.progress.parts]

    def forget_parts(self, export: SearchExport) -> None:
        """Delete the items of its parts."""
        items = self._part_items(export)
        deletes = [self._table.write_of_delete((each.tenant_id, each.entry)) for each in items]
        write_in_parts(self._client, deletes)

    def _part_items(self, export: SearchExport) -> Iterator[SearchExportItem]:
        """In the order of their numbers."""
        of_export = SearchExportItem.entry.startswith(_part_key(export))
        return self._table.query(str(export.tenant), sort=of_export)

    def _queued(self, queue: str, limit: int | None = None, **choices: Any) -> list[SearchExport]:
        """The exports of that partition of the index, which is eventually consistent: read them again."""
        items = self._table.query(queue, index=QUEUE_INDEX, **choices)
        found: list[SearchExport] = []
        for item in items:
            if limit is not None and len(found) == limit:
                break
            export = self.of(TenantId(item.tenant_id), item.entry)
            if export is not None:
                found.append(export)
        return found

    def _part(self, export: SearchExport, part: WrittenPart | None) -> list[Write]:
        if part is None:
            return []
        item = SearchExportItem(
            str(export.tenant),
            f"{_part_key(export)}{part.number:05}",
            part=part.number,
            etag=part.etag,
            groups=_text(part.groups) if part.groups else None,
            forget_at=export.forget_at,
        )
        return [self._table.write_of_put(item)]

    def _replaced(self, export: SearchExport, new: SearchExport) -> Write:
        return self._table.write_of_put(_item_of(new), SearchExportItem.revision == export.revision)

    def _write(self, writes: Sequence[Write]) -> None:
        try:
            write_all(self._client, writes)
        except ConditionFailedError:
            raise SearchExportChangedError("the export was changed meanwhile") from None

    def _of_tenant(self, tenant: TenantId) -> Iterator[SearchExportItem]:
        return self._table.query(str(tenant))


def _part_key(export: SearchExport) -> str:
    """The beginning of its parts' keys."""
    return f"{export.export_id}#"


def _lock_key(export: SearchExport) -> tuple[str, str]:
    return str(export.tenant), f"{_LOCK}{export.lock}"


def _item_of(export: SearchExport) -> SearchExportItem:
    """Its item; in the index while there is work to do on the export, or a file to delete."""
    queue: str | None = None
    next_at: int | None = None
    if export.open:
        queue, next_at = OPEN, export.requested_at
    elif export.state == "ready":
        queue, next_at = FILES, export.expires_at
    return SearchExportItem(
        str(export.tenant),
        export.export_id,
        state=export.state,
        request=_text(asdict(export.request)),
        progress=_text(asdict(export.progress)),
        requested_at=export.requested_at,
        ready_at=export.ready_at,
        busy_until=export.busy_until,
        revision=export.revision,
        reason=export.reason or None,
        lock=export.lock,
        queue=queue,
        next_at=None if next_at is None else _sortable(next_at),
        forget_at=export.forget_at,
    )


def _export_of(item: SearchExportItem) -> SearchExport:
    """The export in an item."""
    return SearchExport(
        tenant=TenantId(item.tenant_id),
        export_id=item.entry,
        state=cast(ExportState, item.state),
        requested_at=item.requested_at,
        request=SearchExportRequest(**json.loads(item.request)),
        lock=item.lock,
        ready_at=item.ready_at,
        busy_until=item.busy_until,
        revision=item.revision,
        reason=item.reason or "",
        progress=WriteProgress(**json.loads(item.progress)),
    )


def _sortable(seconds: int) -> str:
    return f"{seconds:012}"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
