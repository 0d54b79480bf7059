"""Sync wired as its handler wires it, with its dependencies in separate processes.

DynamoDB and ClickHouse are the local stack's children `aws` and `clickhouse`; S3 is `bench.s3_memory`. The
messages have the form that SQS and S3 give them.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from bench import events
from bench.children import Child, child
from bench.measuring import cpu_seconds
from bench.s3_memory import memory_s3
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.object_reader import ObjectReader
from functions.shared.buckets.platform import open_bucket
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.events.staged_key import StagedKey, is_staged, time_ordered_id
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import migrations
from functions.shared.secret_text import SecretText
from functions.shared.tables.direct_client import DirectClient
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Batch, Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import read_messages
from functions.sync.plan import Manifest
from functions.sync.settle import Settler
from infra.topology import table
from local.naming import LOOPBACK, aws_variables
from local.tables import definition

TENANT = TenantId("acme")
TIME = Deadline(lambda: 600.0, 60.0)
_LEDGER = "ledger"
_STAGING = "staging"
_USERS = {"bench": {"password": "bench", "database": "default"}}


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of one run, this process's and the engine's, and wall-clock time."""

    own: float
    engine: float
    elapsed: float

    @property
    def both(self) -> float:
        return self.own + self.engine


class SyncWorld:
    """A staging bucket, an empty ledger and an empty warehouse; the engine's CPU is that of `engine`."""

    def __init__(self, bucket: Bucket, warehouse: Warehouse, engine: Child) -> None:
        ledger = Ledger(_LEDGER, client=DirectClient())
        self._bucket = bucket
        self._engine = engine
        self._loader = EventsTable(warehouse)
        driver = BatchProcessor(ledger, StagingBucket(bucket, reader=ObjectReader(_STAGING)), self._loader)
        # Today is the events' day: by the real date they would be past retention.
        self._settler = Settler(ledger, driver, today=events.START.date)

    def stage(self, bodies: list[bytes], rows_each: int) -> dict[str, Any]:
        """Put `bodies` under new keys; returns the Lambda event with their notifications."""
        return {"Records": [self._staged(body, rows_each) for body in bodies]}

    def settle(self, event: dict[str, Any]) -> Spent:
        """Run sync on `event`; every object must end up settled."""

        def run() -> None:
            objects = [each for message in read_messages(event, _STAGING) for each in message.objects or ()]
            settled = self._settler.settle([each for each in objects if is_staged(each.key)], TIME)
            if len(settled) != len(event["Records"]):
                raise RuntimeError("sync left objects unsettled")

        return self._spent(run)

    def insert(self, bodies: list[bytes]) -> Spent:
        """Insert each of `bodies` as its own batch, without ledger and staging."""

        def run() -> None:
            for body in bodies:
                manifest = Manifest("managed", events.expiry(), ())
                self._loader.insert(Batch(manifest, time_ordered_id(), "sealed", ()), body)

        return self._spent(run)

    def _spent(self, run: Callable[[], None]) -> Spent:
        own, engine, began = cpu_seconds(), self._engine.cpu_seconds(), time.perf_counter()
        run()
        elapsed = time.perf_counter() - began
        return Spent(cpu_seconds() - own, self._engine.cpu_seconds() - engine, elapsed)

    def _staged(self, body: bytes, rows: int) -> dict[str, Any]:
        key = str(StagedKey(TENANT, events.START.date(), time_ordered_id(), rows, 300, events.expiry()))
        return _message(key, self._bucket.create(key, body) or "", len(body))


def _message(key: str, etag: str, size: int) -> dict[str, Any]:
    """One SQS record as Lambda passes it, with S3's whole notification inside."""
    notification = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-01T00:00:01.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLE:ingest"},
        "requestParameters": {"sourceIPAddress": "10.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8IgAtTv8xRj"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "staged",
            "bucket": {"name": _STAGING, "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}},
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
def sync_world() -> Iterator[SyncWorld]:
    """A fresh world until the block ends. Merges are stopped, so that they are in no measurement."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = {"data": str(directory / "data"), "spool": str(directory / "spool")}
        s3 = stack.enter_context(memory_s3())
        aws = stack.enter_context(child("local.aws"))
        clickhouse = stack.enter_context(child("local.clickhouse", users=_USERS, **places))
        os.environ.update(aws_variables(f"http://{LOOPBACK}:{aws.port}"), AWS_ENDPOINT_URL_S3=s3)
        stack.callback(os.environ.pop, "AWS_ENDPOINT_URL_S3")
        bucket = open_bucket(_STAGING)
        boto3.client("dynamodb").create_table(**definition(table("ledger"), _LEDGER))
        warehouse = Warehouse(
            ClickHouseAddress(LOOPBACK, clickhouse.port, False, "bench", SecretText("bench"), "default"), 60
        )
        stack.callback(warehouse.close)
        apply_missing(warehouse, migrations(), "MergeTree")
        warehouse.command("SYSTEM STOP MERGES events")
        yield SyncWorld(bucket, warehouse, clickhouse)
