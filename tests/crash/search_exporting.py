"""Exports of search results in the world of an account's rights: requested, written by runs, and read."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pyarrow.parquet as pq
from backports import zstd

from functions.query.exporting.service import SearchExportService
from functions.query.search_exporter import SearchExporter
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.access import Principal
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.byoc.clients import ByocClients
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_export import SearchExport
from functions.shared.tenancy import TenantId, own_export_reads
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest
from tests.crash.own_clouds import OwnClouds
from tests.crash.privacy_world import LEAST_PART_BYTES, World
from tests.crash.tailing import WithoutHttp
from tests.unit.query.test_byoc_search import Slots

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 25, max_threads=1)

COLUMNS = (
    "id", "timestamp", "received_at", "level", "service", "project_id", "message", "trace_id", "span_id",
    "metadata",
)  # fmt: skip


class OwnSearches(OwnClouds):
    """The clouds of BYOC tenants, whose engines are in this process."""

    def warehouse(self, tenant: TenantId, timeout_seconds: int) -> Any:
        return WithoutHttp(super().warehouse(tenant, timeout_seconds))

    def evict(self, tenant: TenantId) -> None:
        """Nothing is cached."""


@dataclass
class Exporting:
    """Routes and worker of exports in `world`. `budget`: of rows, as in ManagedSearch."""

    world: World
    budget: Any = None
    limits: SearchLimits = LIMITS
    slots: Slots = field(default_factory=Slots)

    def __post_init__(self) -> None:
        search = EventSearch(WithoutHttp(self.world.warehouse), self.limits)  # type: ignore[arg-type]
        self.managed = ManagedSearch(search, 1, "", self.budget, kind="export")
        self.clouds = OwnSearches(self.world)
        self.byoc = ByocSearch(
            cast(ByocClients, self.clouds), self.slots, self.limits, 3, own_export_reads  # type: ignore[arg-type]
        )  # fmt: skip
        self.service = SearchExportService(
            self.world.search_exports, lambda export: self.files(export).archives, lambda: self.world.now
        )

    def files(self, export: SearchExport) -> ExportFiles:
        if export.request.store == "byoc":
            return ExportFiles(self.clouds.archives(export.tenant), self.clouds.bucket(export.tenant))
        return ExportFiles(self.world.service.archives, self.world.exports_bucket)

    def exporter(self, left: Callable[[], float] = lambda: 300.0) -> SearchExporter:
        """As a new process has it, with so much time."""
        world = self.world
        return SearchExporter(
            exports=world.search_exports,
            files=self.files,
            managed=lambda: self.managed,
            byoc=lambda: self.byoc,
            turns=DynamoTurnLog("turns", "search-exporter", world.aws.dynamodb, lambda: world.now),
            now=lambda: world.now,
            left=TurnClock(left),
            part_bytes=LEAST_PART_BYTES,
        )

    def request(self, caller: Principal | TenantId, **body: Any) -> SearchExport:
        """A new export of everything, unless `body` says otherwise."""
        who = caller if isinstance(caller, Principal) else self.world.caller(caller)
        everything = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
        request = self.service.request(json.dumps({**everything, **body}).encode(), who)
        stored = self.world.search_exports.of(who.tenant, request.id)
        assert stored
        return stored

    def current(self, export: SearchExport) -> SearchExport:
        stored = self.world.search_exports.of(export.tenant, export.export_id)
        assert stored
        return stored

    def make(self, caller: Principal | TenantId, **body: Any) -> SearchExport:
        """An export that is ready."""
        export = self.request(caller, **body)
        for _ in range(20):
            self.exporter().run()
            if self.current(export).state == "ready":
                return self.current(export)
            self.world.later(minutes=2)
        raise AssertionError(f"not ready: {self.current(export)}")

    def content(self, export: SearchExport) -> bytes:
        """The bytes of its file, as the link fetches them."""
        own = export.request.store == "byoc"
        bucket = f"own-{export.tenant}" if own else "exports"
        body: bytes = self.world.aws.s3.get_object(Bucket=bucket, Key=export.object_key)["Body"].read()
        packed = export.request.compression == "gzip" and export.request.format != "parquet"
        return gzip.decompress(body) if packed else body

    def rows(self, export: SearchExport) -> list[dict[str, str]]:
        """Its events as texts, read by libraries of others; metadata in the JSON of this test."""
        content = self.content(export)
        if export.request.format == "parquet":
            return _of_parquet(content)
        if export.request.format == "csv":
            csv.field_size_limit(16 * 1024 * 1024)
            return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        return [_of_json(line) for line in content.splitlines()]


def expected_rows(world: World, tenant: TenantId) -> list[dict[str, str]]:
    """What the database has, by a query of its own."""
    result = world.warehouse.select(
        "SELECT if(object_id = '', '', concat(object_id, '-', toString(position))) AS id, "
        "concat(replaceOne(toString(timestamp), ' ', 'T'), 'Z') AS timestamp, "
        "concat(replaceOne(toString(received_at), ' ', 'T'), 'Z') AS received_at, "
        "level, service, project_id, message, trace_id, span_id, metadata "
        "FROM events WHERE tenant_id = {tenant:String} "
        "ORDER BY timestamp, object_id, position",
        {"tenant": str(tenant)},
    ).rows
    return [{name: str(row[name]) for name in COLUMNS} for row in result]


def identified(rows: list[bytes]) -> list[bytes]:
    """Staged rows as ingest encodes them: each knows its object and its position in that."""
    object_id = time_ordered_id()
    return [
        row.rstrip()[:-1] + f',"object_id":"{object_id}","position":{at}}}\n'.encode()
        for at, row in enumerate(rows)
    ]


def _of_json(line: bytes) -> dict[str, str]:
    event = json.loads(line)
    metadata = line[line.index(b'"metadata":') + len(b'"metadata":') : -1].decode()
    return {**{name: event[name] or "" for name in COLUMNS[:-1]}, "metadata": metadata}


def _of_parquet(content: bytes) -> list[dict[str, str]]:
    table = pq.read_table(io.BytesIO(content))
    assert tuple(table.column_names) == COLUMNS
    instants = [table.column(name).cast("int64").to_pylist() for name in ("timestamp", "received_at")]
    rows = table.drop(["timestamp", "received_at"]).to_pylist()
    for row, at, received in zip(rows, *instants, strict=True):
        row["id"] = row["id"] or ""
        row["timestamp"], row["received_at"] = _text(at, 9), _text(received, 6)
    return [{name: row[name] for name in COLUMNS} for row in rows]


def _text(instant: int, digits: int) -> str:
    seconds, fraction = divmod(instant, 10**digits)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:0{digits}d}Z"


def with_limits(exporting: Exporting, **limits: int) -> Exporting:
    """The same with other limits of the engine."""
    return Exporting(exporting.world, limits=replace(LIMITS, **limits))


def store(here: World, tenant: TenantId, count: int, noise: int = 60) -> None:
    """Events in several objects; a third of them at one instant, so that their order is that of sending."""
    chance = random.Random(count)
    began = here.now - 3 * 86_400
    for start in range(0, count, 3_000):
        rows = [
            here.row(
                tenant,
                f"{number} {chance.randbytes(noise).hex()}",
                {"n": number, "of": str(tenant)},
                began if number % 3 == 0 else began + number,
            )
            for number in range(start, min(count, start + 3_000))
        ]
        assert here.deliver(here.stage(tenant, identified(rows)))


def byoc_stores(here: World, rows: Sequence[bytes], tenant: TenantId) -> None:
    """A customer's own bucket, and a ClickHouse with these rows."""
    assert here.room
    here.aws.s3.create_bucket(Bucket=f"own-{tenant}")
    warehouse = here.room.database(f"own_{tenant.replace('-', '_')}")
    if rows:
        batch = Batch(Manifest("byoc", date(2030, 1, 1), ()), f"b-{tenant}", "sealed", ())
        EventsTable(warehouse).insert(batch, zstd.compress(b"".join(rows), 1))
    here.own[tenant] = (CustomerBucket(here.aws.s3, f"own-{tenant}"), warehouse)
