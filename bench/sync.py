"""Bars 5 and 7: what sync's own Python costs beside the insert it is for, and what batching gains.

The real settler, ledger, staging and loader. DynamoDB, S3 and ClickHouse are processes of their own, so that
this process's CPU is sync's, and the CPU of the ClickHouse child is the engine's. What the queue brings is
read from SQS messages as S3 writes them; the objects are staged before each turn, which is not counted.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import obstore
from backports import zstd
from obstore.store import S3Store

from bench import events
from bench.children import Child, child
from bench.measuring import Bar, bar, cpu_seconds
from bench.s3_shelf import shelf
from functions.migrate.history import apply_missing
from functions.migrate.numbered import migrations
from functions.shared.object_store import open_store
from functions.shared.staging import StagedKey, is_staged, time_ordered_id
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Address, Warehouse
from functions.sync.drive import Driver, Time
from functions.sync.ledger import Batch, Ledger
from functions.sync.load import Loader, Staged
from functions.sync.notifications import read
from functions.sync.plan import Manifest
from functions.sync.settle import Settler
from local.naming import LOOPBACK, aws_variables

ROUNDS = 5
EVENTS = 100_000
INSERTED_ONE_BY_ONE = 100
_TENANT = TenantId("acme")
_TABLE = "ledger"
_USER = {"bench": {"password": "bench", "database": "default"}}


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of one run: this process's and the engine's."""

    own: float
    engine: float

    @property
    def both(self) -> float:
        return self.own + self.engine


class Sync:
    """All that sync needs, wired as its handler wires it, and what to measure it with."""

    def __init__(self, store: S3Store, warehouse: Warehouse, engine: Child) -> None:
        ledger = Ledger(_TABLE)
        self._store = store
        self._engine = engine
        self._loader = Loader(warehouse)
        self._settler = Settler(ledger, Driver(ledger, Staged(store), self._loader))

    def stage(self, bodies: list[bytes], rows_each: int) -> dict[str, Any]:
        """Put `bodies` under keys never used before; the queue's event that tells of them."""
        return {"Records": [self._record(body, rows_each) for body in bodies]}

    def settle(self, event: dict[str, Any]) -> Spent:
        """What sync does with `event`, which must end with every object settled."""

        def run() -> None:
            messages = read(event)
            objects = [each for message in messages for each in message.objects or () if is_staged(each.key)]
            settled = self._settler.settle(objects, Time(lambda: 600.0, 60.0))
            if len(settled) != len(event["Records"]):
                raise RuntimeError("sync left objects unsettled")

        return self._spent(run)

    def insert(self, bodies: list[bytes]) -> Spent:
        """Each of `bodies` as a batch by itself, without ledger and staging."""
        batches = [
            Batch(Manifest("managed", events.expiry(), ()), time_ordered_id(), "sealed", ()) for _ in bodies
        ]

        def run() -> None:
            for batch, body in zip(batches, bodies, strict=True):
                self._loader.insert(batch, body)

        return self._spent(run)

    def _spent(self, run: Any) -> Spent:
        own, engine = cpu_seconds(), self._engine.cpu_seconds()
        run()
        return Spent(cpu_seconds() - own, self._engine.cpu_seconds() - engine)

    def _record(self, body: bytes, rows: int) -> dict[str, Any]:
        expires_on = events.expiry()
        key = str(StagedKey(_TENANT, events.START.date(), time_ordered_id(), rows, expires_on))
        etag = (obstore.put(self._store, key, body, use_multipart=False)["e_tag"] or "").strip('"')
        return _sqs_record(key, etag, len(body))


def _sqs_record(key: str, etag: str, size: int) -> dict[str, Any]:
    """As a Lambda function gets it from SQS, with S3's whole notification inside."""
    notification = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-01T00:00:01.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLE:ingest"},
        "requestParameters": {"sourceIPAddress": "10.0.0.1"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZ",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "staged",
            "bucket": {"name": "staging", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}},
            "object": {
                "key": key.replace("=", "%3D"),
                "size": size,
                "eTag": etag,
                "sequencer": "0055AED6DCD9028",
            },
        },
    }
    return {
        "messageId": key,
        "receiptHandle": key,
        "body": json.dumps({"Records": [notification]}),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


@contextmanager
def _sync() -> Iterator[Sync]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        s3 = stack.enter_context(shelf())
        aws = stack.enter_context(child("local.aws"))
        clickhouse = stack.enter_context(
            child(
                "local.clickhouse", data=str(directory / "data"), spool=str(directory / "spool"), users=_USER
            )
        )
        os.environ.update(aws_variables(s3))
        store = open_store("staging")
        os.environ.update(aws_variables(f"http://{LOOPBACK}:{aws.port}"))
        boto3.client("dynamodb").create_table(
            TableName=_TABLE,
            KeySchema=[{"AttributeName": "entry", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entry", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        warehouse = Warehouse(Address(LOOPBACK, clickhouse.port, False, "bench", "bench", "default"), 60)
        apply_missing(warehouse, migrations(), "MergeTree")
        warehouse.command("SYSTEM STOP MERGES events")
        yield Sync(store, warehouse, clickhouse)


def bars() -> Iterator[Bar]:
    """Bars 5 and 7."""
    with _sync() as sync:
        yield from _share_bars(sync)
        yield from _batching_bars(sync)


def _bodies(events_each: int) -> list[bytes]:
    """EVENTS events as staged objects of `events_each`."""
    rows = events.rows(EVENTS, _TENANT)
    return [zstd.compress(b"".join(islice(rows, events_each)), 1) for _ in range(EVENTS // events_each)]


def _share_bars(sync: Sync) -> Iterator[Bar]:
    """Only objects of 1,000 events have a bar; the others show how the share depends on their size."""
    for events_each, name, limit in (
        (1000, "5", 0.03),
        (100, "5 at 100", None),
        (10_000, "5 at 10,000", None),
    ):
        bodies = _bodies(events_each)
        spent = [sync.settle(sync.stage(bodies, events_each)) for _ in range(ROUNDS + 1)][1:]
        own, engine = (
            median(getattr(each, who) for each in spent) / EVENTS * 1e6 for who in ("own", "engine")
        )
        yield bar(
            name,
            f"sync's own CPU against the engine's insert, objects of {events_each:,} events",
            own,
            engine,
            limit,
            f"{EVENTS:,} events a round, medians of {ROUNDS} rounds; DynamoDB and S3 on loopback, plain HTTP",
            "µs an event",
        )


def _batching_bars(sync: Sync) -> Iterator[Bar]:
    bodies = _bodies(100)
    whole = [zstd.compress(b"".join(events.rows(EVENTS, _TENANT)), 1)]
    spent: dict[str, list[float]] = {"synced": [], "whole": [], "single": []}
    for _ in range(ROUNDS + 1):
        spent["synced"].append(sync.settle(sync.stage(bodies, 100)).both)
        spent["whole"].append(sync.insert(whole).both)
        some = sync.insert(bodies[:INSERTED_ONE_BY_ONE]).both
        spent["single"].append(some * len(bodies) / INSERTED_ONE_BY_ONE)
    synced, one, single = (median(times[1:]) for times in spent.values())
    method = f"CPU of sync and engine, {len(bodies):,} objects of 100 events, medians of {ROUNDS} interleaved rounds"
    yield bar("7a", "sync of many objects against one insert of the same rows", synced, one, 1.3, method, "s")
    method = f"{method}; {INSERTED_ONE_BY_ONE} objects inserted one by one, scaled to {len(bodies):,}"
    yield bar("7b", "sync of many objects against an insert an object", synced, single, 0.05, method, "s")
