"""The table of data exports: an item for each export and, while it is in progress, for each archive part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.privacy.export.record import (
    RUNNING,
    Export,
    ExportFile,
    Item,
    export_of,
    files_of,
    files_text,
    item_of,
    key_of,
)
from functions.privacy.paging import found
from functions.shared.dynamo.answers import answered
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId

OPEN = "open"
LOCK = "!open"
"""The key of the item that names the account's export in progress; no export id begins like this."""

REMOVED_A_CALL = 100


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
        self._table = table
        self._client = client

    def ask(self, export: Export, also: Sequence[Item] = ()) -> None:
        """Store a new export, with `also`, items of TransactWriteItems.

        Raises
        ------
        ExportOpenError
        """
        lock = {**key_of(export.tenant, LOCK), "export_id": {"S": export.export_id}}
        new = "attribute_not_exists(entry)"
        writes = [
            {"Put": {"TableName": self._table, "Item": item_of(export), "ConditionExpression": new}},
            {"Put": {"TableName": self._table, "Item": lock, "ConditionExpression": new}},
        ]
        try:
            write_all(self._client, [*writes, *also])
        except UnmetError:
            raise ExportOpenError("an export of this account is already in progress") from None

    def of(self, tenant: TenantId, export_id: str) -> Export | None:
        """The tenant's export with that id."""
        with answered():
            answer = self._client.get_item(
                TableName=self._table, Key=key_of(tenant, export_id), ConsistentRead=True
            )
        return export_of(answer["Item"]) if "state" in answer.get("Item", {}) else None

    def all(self, tenant: TenantId) -> list[Export]:
        """All exports of the tenant, newest first."""
        exports = [export_of(item) for item in self._of_tenant(tenant) if "state" in item]
        return sorted(exports, key=lambda each: (each.requested_at, each.export_id), reverse=True)

    def due(self) -> list[Export]:
        """The exports to work on, the longest waiting first."""
        query = {
            "IndexName": OPEN,
            "KeyConditionExpression": "#open = :open",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": {":open": {"S": OPEN}},
        }
        items = self._query(query)
        exports = (self.of(TenantId(item["tenant_id"]["S"]), item["entry"]["S"]) for item in items)
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

    def finish(self, export: Export, also: Sequence[Item] = ()) -> Export:
        """Set it to `ready` or `failed`, as `export` says; the items of its parts are deleted.

        Raises
        ------
        ExportChangedError
        """
        new = replace(export, revision=export.revision + 1)
        unlocked = {"Delete": {"TableName": self._table, "Key": key_of(export.tenant, LOCK)}}
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
        parts = [
            ArchivePart(int(each["part"]["N"]), each["etag"]["S"], files_of(each["files"]["S"]))
            for each in self._of_tenant(export.tenant)
            if _is_part(each, export)
        ]
        valid = [each for each in parts if each.number <= export.progress.parts]
        return sorted(valid, key=lambda each: each.number)

    def _part(self, export: Export, part: ArchivePart | None) -> list[Item]:
        if part is None:
            return []
        item = {
            **key_of(export.tenant, f"{export.export_id}#{part.number:05}"),
            "part": {"N": str(part.number)},
            "etag": {"S": part.etag},
            "files": {"S": files_text(part.files)},
            "forget_at": item_of(export)["forget_at"],
        }
        return [{"Put": {"TableName": self._table, "Item": item}}]

    def _forget_parts(self, export: Export) -> None:
        keys = [
            key_of(export.tenant, each["entry"]["S"])
            for each in self._of_tenant(export.tenant)
            if _is_part(each, export)
        ]
        for start in range(0, len(keys), REMOVED_A_CALL):
            some = keys[start : start + REMOVED_A_CALL]
            write_all(self._client, [{"Delete": {"TableName": self._table, "Key": key}} for key in some])

    def _replaced(self, export: Export, new: Export) -> Item:
        return {
            "Put": {
                "TableName": self._table,
                "Item": item_of(new),
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(export.revision)}},
            }
        }

    def _write(self, writes: Sequence[Item]) -> None:
        try:
            write_all(self._client, writes)
        except UnmetError:
            raise ExportChangedError("the export was changed meanwhile") from None

    def _of_tenant(self, tenant: TenantId) -> Iterator[Item]:
        return self._query(
            {
                "KeyConditionExpression": "tenant_id = :tenant",
                "ExpressionAttributeValues": {":tenant": {"S": str(tenant)}},
                "ConsistentRead": True,
            }
        )

    def _query(self, query: Item) -> Iterator[Item]:
        return found(self._client.query, TableName=self._table, **query)


def _is_part(item: Item, export: Export) -> bool:
    return bool(item["entry"]["S"].startswith(f"{export.export_id}#"))
