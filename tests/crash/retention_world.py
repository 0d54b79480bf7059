"""Everything of retention over the small world: accounts, a day that can be turned, what is kept of runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from backports import zstd
from obstore.store import MemoryStore

from functions.ingest.accept import accept
from functions.ingest.protocols.contract import Window
from functions.ingest.staging_writer import StagingWriter
from functions.retention.accounts import AccountScan
from functions.retention.handler import PurgeService, run
from functions.retention.partitions import Partitions
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.retention_terms import RetentionTerms
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.row import ReceiptContext
from functions.shared.plans import PLANS
from functions.shared.run_reports import RunReports
from functions.shared.tenancy import TenantId
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from tests.account_items import account_item
from tests.crash.world import World

TIME = Deadline(lambda: 60.0, 30.0)
RECEIVED = datetime(2029, 12, 2, 10, tzinfo=UTC)
SHORT, LONG, OWN = (account_status_on(PLANS[name]) for name in ("managed_15", "managed_30", "byoc"))


@dataclass
class RetentionWorld:
    """Everything of retention over one world, and a clock to turn."""

    here: World
    service: PurgeService
    reports: PlatformBucket
    drops: DropBucket
    now: datetime = RECEIVED
    bodies: dict[str, bytes] = field(default_factory=dict)

    def account(
        self, tenant: str, account_status: AccountStatus, terms: RetentionTerms | None = None
    ) -> TenantId:
        item = account_item(tenant, account_status, terms)
        boto3.client("dynamodb").put_item(TableName="accounts", Item=item)
        return TenantId(tenant)

    def send(self, tenant: str, *messages: str, retention_days: int = 15, **fields: str) -> StagedObject:
        """Logs as ingest takes and stages them, now."""
        receipt = ReceiptContext(TenantId(tenant), "p", self.now, retention_days)
        body = json.dumps([{"message": each, **fields} for each in messages]).encode()
        package = accept([Window(body, ndjson=False)], receipt).package
        key = StagingWriter(self.here.bucket).put(package, receipt)
        stored = self.here.bucket.get(key)
        assert stored
        self.bodies[key] = bytes(stored.body)
        return StagedObject(key, stored.etag, len(stored.body))

    def deliver(self, *objects: StagedObject, destination: str = "managed") -> set[str]:
        driver = BatchProcessor(
            self.here.ledger, StagingBucket(self.here.bucket), EventsTable(self.here.warehouse)
        )
        return Settler(self.here.ledger, driver, destination, today=lambda: self.now.date()).settle(
            objects, TIME
        )

    def poisoned(self, each: StagedObject) -> StagedObject:
        """The object with a first row that ClickHouse refuses."""
        rows = zstd.decompress(self.bodies[each.key]).replace(b"2029-12-02T10", b"no time", 1)
        body = zstd.compress(rows)
        self.here.bucket.delete([each.key])
        return StagedObject(each.key, self.here.bucket.create(each.key, body) or "", len(body))

    def again(self, each: StagedObject) -> StagedObject:
        """The object as it might be put back: a sender's retry, a copy from a backup."""
        assert self.here.bucket.create(each.key, self.bodies[each.key])
        return each

    def drop(self, key: str, body: bytes) -> None:
        """Put a file into the bucket for files."""
        boto3.client("s3").put_object(Bucket=self.drops.name, Key=key, Body=body)

    def purge(self, *, days: float = 0) -> dict[str, Any]:
        self.now += timedelta(days=days)
        return run(self.service, self.now, lambda: 900.0)

    def messages(self, tenant: str) -> list[str]:
        result = self.here.warehouse.select(
            "SELECT message FROM events WHERE tenant_id = {tenant:String} ORDER BY message",
            {"tenant": tenant},
        )
        return [each["message"] for each in result.rows]


@contextmanager
def opened(here: World) -> Iterator[RetentionWorld]:
    """A world with no account and no row."""
    client = boto3.client("dynamodb")
    create_accounts(client)
    here.warehouse.command("TRUNCATE TABLE events")
    reports = PlatformBucket(MemoryStore())
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="drop")
    drops = DropBucket(s3, "drop")
    service = PurgeService(
        Partitions(here.warehouse), AccountScan("accounts"), here.bucket, drops, RunReports(reports)
    )
    yield RetentionWorld(here, service, reports, drops)
    for each in drops.under(""):
        s3.delete_object(Bucket="drop", Key=each.key)
    s3.delete_bucket(Bucket="drop")
    client.delete_table(TableName="accounts")


def create_accounts(client: Any) -> None:
    client.create_table(
        TableName="accounts",
        KeySchema=[{"AttributeName": "tenant_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "tenant_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
