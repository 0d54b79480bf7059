"""A small world to crash in: a bucket in memory, a ledger on moto, the real engine, and a clock to turn."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import boto3
from backports import zstd
from moto import mock_aws
from obstore.store import MemoryStore

from bench.in_process import embedded_engine
from functions.query.tailing.commit_reader import CommitReader
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tables.direct_client import DirectClient
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import Ledger
from functions.sync.notifications import StagedObject
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.signed_connection import signed_requests_to

TABLE = "ledger"
NOON = 1_800_000_000.0
EXPIRES_ON = date(2030, 1, 1)

INLINE_BYTES = 200
"""Instead of the ledger's: most batches of three objects and more have a manifest in an item of its own."""


@dataclass(slots=True)
class World:
    """What survives a crash. `narrow` is a warehouse whose deduplication window holds one batch."""

    bucket: PlatformBucket
    warehouse: Warehouse
    narrow: Warehouse
    now: float = NOON
    ledger: Ledger = field(init=False)
    commits: CommitReader = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(TABLE, self.clock, DirectClient())
        self.commits = CommitReader(TABLE, DirectClient())

    def clock(self) -> float:
        return self.now

    def has(self, key: str) -> bool:
        return self.bucket.etag_of(key) is not None


@dataclass(slots=True)
class Cast:
    """One run's objects and the rows they must become: line -> how many times it was sent."""

    tenants: tuple[TenantId, TenantId]
    objects: list[StagedObject]
    expected: Counter[str] = field(default_factory=Counter)
    lines_of: dict[str, list[str]] = field(default_factory=dict)

    def lose(self, world: World, each: StagedObject) -> None:
        """Take an object away before anyone read it; its rows are not expected any more."""
        world.bucket.delete([each.key])
        self.expected -= Counter(self.lines_of[each.key])


def stage(world: World, chance: random.Random, run: str, count: int) -> Cast:
    """Stage `count` objects of two tenants, some of whose lines are equal."""
    tenants = (TenantId(f"a-{run}"), TenantId(f"b-{run}"))
    cast = Cast(tenants, [])
    for number in range(count):
        tenant = chance.choice(tenants)
        lines = [f"{tenant} {chance.choice(['same', str(number)])}" for _ in range(chance.randint(1, 3))]
        key = str(StagedKey(tenant, date(2029, 12, 2), time_ordered_id(), len(lines), 300, EXPIRES_ON))
        body = zstd.compress(b"".join(row_of(tenant, line) for line in lines), 1)
        cast.objects.append(StagedObject(key, world.bucket.create(key, body) or "", len(body)))
        cast.expected.update(lines)
        cast.lines_of[key] = lines
    return cast


def found(warehouse: Warehouse, cast: Cast) -> Counter[str]:
    """The run's rows as the warehouse has them."""
    rows = warehouse.select(
        "SELECT message, count() AS rows FROM events "
        "WHERE tenant_id IN {tenants:Array(String)} GROUP BY message",
        {"tenants": [str(tenant) for tenant in cast.tenants]},
    ).rows
    return Counter({row["message"]: int(row["rows"]) for row in rows})


def listed(world: World, tenants: str) -> list[StagedObject]:
    """The staged objects of the tenants whose id begins with `tenants`."""
    prefix = f"staged/v1/tenant={tenants}"
    return [
        StagedObject(each.key, each.etag, each.size_bytes)
        for each in world.bucket.under("staged/v1/")
        if each.key.startswith(prefix)
    ]


def roll_window(world: World, warehouse: Warehouse, run: str) -> None:
    """Insert enough other batches for `narrow` to forget the tokens it knew."""
    for number in range(3):
        warehouse.command(
            "INSERT INTO events (tenant_id, message, batch_id, expires_on) "
            "SELECT 'others', {line:String}, 'others', '2031-01-01'",
            {"line": f"{run} {number}"},
            {"insert_deduplication_token": f"{run}-{number}-{world.now}", "async_insert": 0},
        )


def create_ledger(dynamodb: Any) -> None:
    """The ledger's table, as the topology has it."""
    dynamodb.create_table(**definition(table("ledger"), TABLE))


@contextmanager
def world() -> Iterator[World]:
    """A world for many runs, which share its tables but none of their keys."""
    transactions.install()
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_ledger(client)
        stack.enter_context(patch("functions.sync.ledger.INLINE_BYTES", INLINE_BYTES))
        stack.enter_context(signed_requests_to(client))
        room = stack.enter_context(embedded_engine())
        narrow = room.database("narrow")
        narrow.command("ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 1")
        warehouse = room.database("wide")
        for each in (warehouse, narrow):
            each.command("SYSTEM START MERGES events")
        yield World(PlatformBucket(MemoryStore()), warehouse, narrow)


def row_of(tenant: TenantId, line: str) -> bytes:
    """A staged row of `tenant` whose message is `line`."""
    row = {
        "tenant_id": str(tenant),
        "project_id": "p",
        "timestamp": "2029-12-02T10:00:00.000000001Z",
        "level": "info",
        "service": "",
        "message": line,
        "trace_id": "",
        "span_id": "",
        "received_at": "2029-12-02T10:00:00.000001Z",
        "metadata": {},
    }
    return json.dumps(row).encode() + b"\n"


def later(world: World, **by: float) -> None:
    """Turn the clock."""
    world.now += timedelta(**by).total_seconds()
