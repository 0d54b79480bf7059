"""The sources of a data export: each is read piece by piece, from a position that outlives the run."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.privacy.export.attributes import exported_attributes
from functions.privacy.export.exclusions import NO_EXCLUSIONS, Exclusions
from functions.privacy.export.logs import LogPosition, Logs
from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.privacy.sign_ins import SignIns
from functions.shared.buckets.contract import Bucket
from functions.shared.exports.cells import Record, csv_of, lines
from functions.shared.quarantine import unpack
from functions.shared.tenancy import TenantId, quarantine_prefix

PIECE_BYTES = 8 * 1024 * 1024
"""About the largest size of a file in the archive; several are in memory at a time."""

PAGES_A_PIECE = 20
"""A table that is scanned may have many pages without items of this account."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Content of one file, or of two with the same content in other forms: the name's ending -> content.

    `after`: where to continue; None if that was all.
    """

    contents: dict[str, bytes]
    rows: int
    after: str | None


class Source(Protocol):
    """A store to be exported. `holds` describes its data, for people."""

    @property
    def name(self) -> str: ...

    @property
    def holds(self) -> str: ...

    def read(self, position: str | None) -> Piece:
        """The piece at `position`; None for the first. The same position gives the same piece again."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """The account's items in one table, as NDJSON and as CSV."""

    tables: InventoryTables
    inventory_entry: InventoryEntry
    tenant: TenantId

    @property
    def name(self) -> str:
        return f"account/{self.inventory_entry.file}"

    @property
    def holds(self) -> str:
        return f"items of this account in the table {self.inventory_entry.table}"

    def read(self, position: str | None) -> Piece:
        records: list[Record] = []
        after = json.loads(position) if position else None
        for _ in range(PAGES_A_PIECE):
            page = self.tables.page(self.inventory_entry, self.tenant, after)
            records += [self._record(item) for item in page.items if self._meant(item)]
            after = page.after
            if after is None or len(lines(records)) > PIECE_BYTES:
                break
        contents = {".ndjson": lines(records), ".csv": csv_of(records, self.inventory_entry.shows)}
        return Piece(contents, len(records), None if after is None else json.dumps(after))

    def _meant(self, item: dict[str, Any]) -> bool:
        """Whether to export the item: not if it only serves exports, as a lock or parts of a file."""
        return self.inventory_entry.table not in ("exports", "search-exports") or "state" in item

    def _record(self, item: dict[str, Any]) -> Record:
        record = exported_attributes(item, self.inventory_entry)
        if "summary" in record:
            record["summary"] = json.loads(record["summary"])
        if "request" in record:
            record["request"] = json.loads(record["request"])
        return record


@dataclass(frozen=True, slots=True)
class SignInSource:
    """The data of the account's people in Cognito. `subjects`: their ids."""

    sign_ins: SignIns
    subjects: Callable[[], Sequence[str]]
    name: str = "account/sign-in"
    holds: str = "data of the people of this account at the identity provider, without passwords"

    def read(self, _position: str | None) -> Piece:
        found = [self.sign_ins.of(subject) for subject in self.subjects()]
        records = [each for each in found if each is not None]
        columns = sorted({name for each in records for name in each})
        contents = {".ndjson": lines(records), ".csv": csv_of(records, columns)}
        return Piece(contents, len(records), None)


@dataclass(frozen=True, slots=True)
class QuarantineSource:
    """Quarantined logs, one document a piece, as they were staged."""

    bucket: Bucket
    tenant: TenantId
    exclusions: Exclusions = NO_EXCLUSIONS
    name: str = "logs/quarantined"
    holds: str = "accepted events that ClickHouse rejected, as they were staged"

    def read(self, position: str | None) -> Piece:
        keys = sorted(each.key for each in self.bucket.under(quarantine_prefix(self.tenant)))
        left = [key for key in keys if position is None or key > position]
        if not left:
            return Piece({".ndjson": b""}, 0, None)
        found = self.bucket.get(left[0])
        held = unpack(bytes(found.body))[1] if found else []
        rows = [row for row in held if not self.exclusions.has_line(row)]
        content = b"".join(row + b"\n" for row in rows)
        return Piece({".ndjson": content}, len(rows), left[0] if len(left) > 1 else None)


@dataclass(frozen=True, slots=True)
class LogSource:
    """Stored events."""

    logs: Logs
    name: str = "logs/events"
    holds: str = "stored events, as a search shows them, in the order of their time"

    def read(self, position: str | None) -> Piece:
        content: list[bytes] = []
        rows = size = 0
        after = LogPosition.from_json(position) if position else None
        for _ in range(PAGES_A_PIECE):
            page = self.logs.page(after)
            content += page.lines
            rows += len(page.lines)
            size += sum(map(len, page.lines))
            after = page.after
            if after is None or size > PIECE_BYTES:
                break
        return Piece({".ndjson": b"".join(content)}, rows, None if after is None else after.to_json())


def named(source: Source, number: int, piece: Piece) -> Iterator[tuple[str, bytes]]:
    """The files of a piece: `account/keys-0001.ndjson` and so on."""
    for ending, content in piece.contents.items():
        yield f"{source.name}-{number:04}{ending}", content
