"""A world with everything that holds personal data, in which to export, to erase and to die.

DynamoDB, S3, SQS, KMS and Cognito are moto's, the engine is real, and so is what writes into them: sync, the
directory, the stored destinations. The clock is turned by hand.
"""

import copy
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import boto3
import pytest
from backports import zstd
from botocore.config import Config
from moto import mock_aws

from bench.in_process import EmbeddedEngine
from functions.accounts.directory import Directory
from functions.accounts.people import People
from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.eraser import Eraser
from functions.privacy.erasure.drop_bucket import ErasableDropBucket
from functions.privacy.erasure.moves import Move, next_move
from functions.privacy.erasure.person_planner import PersonErasurePlanner
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.erasure.receipt import ErasureReceipt
from functions.privacy.erasure.record import Erasure
from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import Subject
from functions.privacy.export.record import Export
from functions.privacy.exporter import Exporter
from functions.privacy.forms import RequestedPeriod
from functions.privacy.handler import Settings, service
from functions.privacy.inventory_tables import InventoryTables
from functions.privacy.service import PrivacyService
from functions.privacy.sign_ins import SignIns
from functions.shared.access import Principal
from functions.shared.accounts.account_closings import AccountClosings
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.accounts.tombstones import TombstoneCache, Tombstones
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.destination_store import DestinationStore
from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.byoc.health import HealthStore
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.exports.search_exports import SearchExports
from functions.shared.tenancy import (
    TenantId,
    dropin_prefix,
)
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor
from functions.sync.batch_processor import Deadline as SyncTime
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject, read_messages
from functions.sync.settle import Settler
from functions.uploads.files import File, Upload
from functions.uploads.register import UploadRegister
from infra.topology import BUCKETS, QUEUES, TABLES
from local import transactions
from tests.aws_environment import set_aws_environment
from tests.aws_in_memory import create_tables
from tests.crash.erasing import PATIENCE_SECONDS
from tests.crash.faults import Crash
from tests.crash.marks import Aws, places_of
from tests.crash.own_clouds import OwnClouds
from tests.crash.traps import Trap, TrappedWarehouse

QUICK_ENGINE = (
    "ALTER TABLE events MODIFY SETTING old_parts_lifetime = 0, cleanup_delay_period = 0, "
    "max_cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, "
    "merge_tree_clear_old_parts_interval_seconds = 1"
)
"""What the engine takes minutes for, it does here within a second."""

REPLACED_PARTS = (
    "SELECT count() AS count FROM system.parts "
    "WHERE database = currentDatabase() AND table = 'events' AND NOT active"
)

LEAST_PART_BYTES = 5 * 1024 * 1024
"""What S3 wants of every part but the last, and moto with it."""

IN_PERSON = Origin("person:test", "198.51.100.7", "curl/8")

LEASE = {"attempts", "lease_owner", "lease_until", "forget_at", "state"}
"""Attributes of a batch in the ledger that a lease changes."""


def _without_lease(item: dict[str, Any]) -> dict[str, Any]:
    if not item.get("entry", {}).get("S", "").startswith("batch#"):
        return item
    return {name: value for name, value in item.items() if name not in LEASE}


@dataclass
class World:
    """Everything, for many accounts that share it."""

    aws: Aws
    engine: Path
    warehouse: Warehouse
    kms_key: str
    now: float = field(default_factory=time.time)
    seconds_left: float = 300.0
    trap: Trap = field(default_factory=Trap)
    uploads: dict[str, StagedObject] = field(default_factory=dict)
    own: dict[TenantId, tuple[Any, Any]] = field(default_factory=dict)
    own_away: bool = False
    byoc_seconds: float = 200.0
    room: EmbeddedEngine | None = None

    def __post_init__(self) -> None:
        db, clock = self.aws.dynamodb, lambda: self.now
        self.clock = TurnClock(lambda: self.seconds_left)
        self.time = ErasureClock(clock, self.clock)
        self.directory = Directory("accounts", "keys", "key-lists", client=db)
        self.people = People("people", db)
        self.audit, self.notices = AuditTrail("audit", db, clock), NoticeOutbox("notices", db, clock)
        self.announcements = Announcements("announcements", db, clock)
        self.staging = CustomerBucket(self.aws.s3, "staging")
        self.exports_bucket = CustomerBucket(self.aws.s3, "exports")
        self.shards = Shards("shards", db)
        sealer = CredentialEncryption(boto3.client("kms", region_name="us-east-1"), self.kms_key, self.shards)
        self.destinations = DestinationStore("destinations", sealer, db)
        self.health = HealthStore("health", clock, db)
        self.suppressions = Suppressions("suppressions", db, clock)
        self.register = UploadRegister("uploads", db, clock)
        self.tombstones = Tombstones("tombstones", db, clock)
        self.ledger = Ledger("ledger", clock)
        self.sign_ins = SignIns(self.aws.pool, self.aws.cognito)
        self.tables = InventoryTables({each.table: each.table for each in DATA_INVENTORY}, db)
        names = {f"{name}_table": name for name in ("accounts", "people", "audit", "notices", "erasures")}
        settings = Settings(
            **names,
            receipts_table="receipts",
            exports_table="exports",
            exports_bucket="exports",
            turns_table="turns",
            cancel_days=7,
        )
        self.service: PrivacyService = service(settings, db, self.aws.s3, clock)
        self.search_exports = SearchExports("search-exports", db)
        for client in (db, self.aws.s3, self.aws.cognito):
            client.meta.events.register("before-call", lambda model, **_: self.trap.before(model.name))
            client.meta.events.register("after-call", lambda model, **_: self.trap.done(model.name))

    @property
    def eraser(self) -> Eraser:
        """As a new process has it."""
        planner = ErasurePlanner(
            erasures=self.service.erasures,
            tombstones=self.tombstones,
            shards=self.shards,
            closings=AccountClosings("billing", "accounts", self.aws.dynamodb, lambda: self.now),
            sign_ins=self.sign_ins,
            suppressions=self.suppressions,
            **self._of_persons,
        )
        return self._eraser(planner, "eraser")

    @property
    def byoc_eraser(self) -> Eraser:
        """As a new process has it."""
        planner = PersonErasurePlanner(byoc_clients=cast(ByocClients, OwnClouds(self)), **self._of_persons)
        return replace(
            self._eraser(planner, "eraser-byoc"), reaches_byoc=True, turn_seconds=self.byoc_seconds
        )

    @property
    def _of_persons(self) -> dict[str, Any]:
        return {
            "tables": self.tables,
            "exports": self.service.exports,
            "archives": self.service.archives,
            "search_exports": self.search_exports,
            "drops": ErasableDropBucket("drop", self.aws.s3),
            "staging": self.staging,
            "exports_bucket": self.exports_bucket,
            "rows": EventRows(
                cast(Warehouse, TrappedWarehouse(self.warehouse, lambda: self.trap)), PATIENCE_SECONDS
            ),
            "time": self.time,
        }

    def _eraser(self, planner: ErasurePlanner | PersonErasurePlanner, function: str) -> Eraser:
        turns = DynamoTurnLog("turns", function, self.aws.dynamodb, lambda: self.now)
        return Eraser(self.service.erasures, planner, self.audit, self.notices, turns, self.time, self.clock)

    @property
    def exporter(self) -> Exporter:
        return self.exporter_with(lambda: self.seconds_left)

    def exporter_with(self, left: Callable[[], float]) -> Exporter:
        """One that has so much time."""
        return Exporter(
            tables=self.tables,
            exports=self.service.exports,
            archives=self.service.archives,
            sign_ins=self.sign_ins,
            staging=self.staging,
            warehouse=lambda: self.warehouse,
            notices=self.notices,
            now=lambda: self.now,
            left=TurnClock(left),
            turns=DynamoTurnLog("turns", "exporter", self.aws.dynamodb, lambda: self.now),
            part_bytes=LEAST_PART_BYTES,
        )

    def later(self, **by: float) -> None:
        self.now += timedelta(**by).total_seconds()

    def engine_clears_up(self) -> None:
        """Wait until the engine has removed what it replaced: by its own clock, which no test moves."""
        ends = time.monotonic() + 30
        while self.warehouse.select(REPLACED_PARTS).rows[0]["count"] and time.monotonic() < ends:
            time.sleep(0.05)

    def caller(self, tenant: TenantId, plan: str = "managed_30", managed_until: float = 0) -> Principal:
        return Principal(
            tenant,
            "",
            "default",
            frozenset({"admin"}),
            30,
            1,
            "",
            f"person:p-{tenant}",
            plan,
            managed_until=int(managed_until),
        )

    def where(self, *texts: str) -> dict[str, set[str]]:
        return places_of(list(texts), self.aws, self.engine)

    def deliver(self, *objects: StagedObject) -> set[str]:
        """To a sync that has just started."""
        driver = BatchProcessor(self.ledger, StagingBucket(self.staging), EventsTable(self.warehouse))
        is_deleted = TombstoneCache(self.tombstones).is_deleted
        settler = Settler(self.ledger, driver, is_deleted=is_deleted)
        return settler.settle(objects, SyncTime(lambda: 60.0, 30.0))

    def stage(self, tenant: TenantId, rows: list[bytes], object_id: str = "") -> StagedObject:
        day = datetime.fromtimestamp(self.now, UTC).date()
        named = object_id or time_ordered_id()
        size = sum(map(len, rows))
        key = str(StagedKey(tenant, day, named, len(rows), size, day + timedelta(days=30)))
        body = zstd.compress(b"".join(rows), 1)
        etag = self.staging.create(key, body)
        assert etag
        return StagedObject(key, etag, len(body))

    def row(
        self, tenant: TenantId, message: str, metadata: Any = None, instant: float | None = None
    ) -> bytes:
        at = datetime.fromtimestamp(instant or self.now, UTC)
        received = datetime.fromtimestamp(self.now, UTC)
        fields = {
            "tenant_id": str(tenant),
            "project_id": "default",
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "received_at": f"{received:%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": "info",
            "service": "shop",
            "message": message,
            "trace_id": "",
            "span_id": "",
            "metadata": metadata or {},
        }
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"

    def rows_of(self, tenant: TenantId) -> int:
        result = self.warehouse.select(
            "SELECT count() AS rows FROM events WHERE tenant_id = {tenant:String}", {"tenant": str(tenant)}
        )
        return int(result.rows[0]["rows"])

    def hash_of(self, tenant: TenantId) -> str:
        """Of all rows of `tenant`, columns and duplicates included, in whatever order they lie."""
        result = self.warehouse.select(
            "SELECT hex(SHA256(toString(arraySort(groupArray(toString(tuple(*))))))) AS hash, "
            "count() AS rows FROM events WHERE tenant_id = {tenant:String}",
            {"tenant": str(tenant)},
        )
        return json.dumps(result.rows[0])

    def items_of(self, tenant: TenantId) -> list[str]:
        """Everything in DynamoDB that names `tenant`, but leases, which repeated deliveries take."""
        return sorted(
            repr(_without_lease(item))
            for table in TABLES
            for item in self.aws.dynamodb.scan(TableName=table.name)["Items"]
            if str(tenant) in repr(item)
        )

    def tombstones_unknown(self) -> "World":
        """The same, whose next sync does not know of the last erasure yet."""
        late = copy.copy(self)
        late.tombstones = Tombstones("receipts", self.aws.dynamodb, lambda: self.now)
        late.tombstones.all = frozenset  # type: ignore[method-assign]
        return late

    def person_signs_up(self, mark: str) -> str:
        """At the identity provider; the subject."""
        made = self.aws.cognito.admin_create_user(
            UserPoolId=self.aws.pool,
            Username=f"{mark}@example.org",
            UserAttributes=[{"Name": "email", "Value": f"{mark}@example.org"}],
        )
        return str(next(each["Value"] for each in made["User"]["Attributes"] if each["Name"] == "sub"))

    def drop(self, tenant: TenantId, name: str, body: bytes, state: str) -> None:
        """A file that was put in, and what is known of its reading."""
        key = f"{dropin_prefix(tenant)}u/{name}"
        etag = self.aws.s3.put_object(Bucket="drop", Key=key, Body=body)["ETag"].strip('"')
        upload = Upload(tenant, time_ordered_id(), key, len(body), "default", "keep", int(self.now))
        received = datetime.fromtimestamp(self.now, UTC)
        dropped = DroppedFile("drop", key, etag, len(body))
        self.register.claim(File(tenant, upload.upload_id, dropped, received, "p", 30, "keep", state), upload)

    def make_copy(
        self, tenant: TenantId, logs: RequestedPeriod | None, caller: Principal | None = None
    ) -> Export:
        """An archive, by the function that makes them."""
        export = self.service.request_export(caller or self.caller(tenant), logs, IN_PERSON)
        for _ in range(20):
            self.exporter.run()
            result = self.service.get_export(tenant, export.export_id)
            if result.state == "ready":
                return result
            self.later(minutes=1)
        raise AssertionError(f"not ready: {result}")

    def drain(self) -> None:
        """Deliver what is queued, once more for what was loaded long ago, and acknowledge what is settled."""
        for name in ("staged", "staged-byoc"):
            url = self.queue(name)
            while messages := self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for each in messages:
                    record = {"messageId": "1", "receiptHandle": "r", "body": each["Body"]}
                    attributes = {"ApproximateReceiveCount": "1"}
                    (message,) = read_messages({"Records": [{**record, "attributes": attributes}]})
                    objects = message.objects or ()
                    assert self.deliver(*objects) == {staged.key for staged in objects}
                    self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    def queue(self, name: str) -> str:
        """Its address."""
        return str(self.aws.sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def close_at_billing(self) -> None:
        """What the function `closer` does once Stripe has no customer of the account any more."""
        for item in self.aws.dynamodb.scan(TableName="billing")["Items"]:
            if "closing_requested_at" in item and "closed_at" not in item:
                if customer := item.get("customer_id", {}).get("S"):
                    self.aws.dynamodb.delete_item(
                        TableName="billing", Key={"entry": {"S": f"customer#{customer}"}}
                    )
                self.aws.dynamodb.update_item(
                    TableName="billing",
                    Key={"entry": item["entry"]},
                    UpdateExpression="SET closed_at = :now REMOVE customer_id, subscription",
                    ExpressionAttributeValues={":now": {"N": str(int(self.now))}},
                )

    def erase(self, erasure: Erasure, traps: Iterator[Trap] | None = None) -> list[str]:
        """Run the eraser until the erasure is verified; each run is a process of its own, with a trap.

        Where it died: the steps at which the next run had to continue.
        """
        died_at: list[str] = []
        self.now = max(self.now, erasure.starts_at + 1)
        for _ in range(2000):
            self.trap = next(traps, Trap()) if traps else Trap()
            try:
                (self.byoc_eraser if erasure.reaches_byoc else self.eraser).run()
            except Crash:
                died_at.append(self._step_of(erasure))
            finally:
                died = self.trap.sprung
                self.trap = Trap()
            status = self.service.status(erasure.erasure_id)
            if status and status.state == "verified":
                return died_at
            if not died:
                self._wait_for(erasure)
        raise AssertionError(
            f"never verified: {self.service.erasures.of(erasure.tenant, erasure.erasure_id)}"
        )

    def _step_of(self, erasure: Erasure) -> str:
        stored = self.service.erasures.of(erasure.tenant, erasure.erasure_id)
        if stored is None or not stored.open:
            return "after the end"
        return step_of(
            next_move(cast(ErasurePlanner, self.eraser.planner).of(stored).plan, stored.progress, self.now)
        )

    def _wait_for(self, erasure: Erasure) -> None:
        self.close_at_billing()
        now_is = self.service.erasures.of(erasure.tenant, erasure.erasure_id)
        resume_at = now_is.progress.resume_at if now_is else self.now
        if now_is and "engine" in now_is.progress.left.values():
            self.engine_clears_up()
        self.now = max(self.now + 60, min(resume_at, self.now + 3600))

    def ask_for_person(self, tenant: TenantId, field: str, value: str, plan: str = "managed_30") -> Erasure:
        return self.service.request_erasure(
            self.caller(tenant, plan), Subject(tenant, field, value), IN_PERSON
        )

    def ask_for_account(self, tenant: TenantId) -> Erasure:
        return self.service.request_account_erasure(self.caller(tenant), str(tenant), IN_PERSON)

    def receipt_of(self, erasure: Erasure) -> ErasureReceipt:
        """The receipt of an erasure that is verified."""
        status = self.service.status(erasure.erasure_id)
        assert status is not None
        assert status.receipt is not None
        return status.receipt

    def archive_of(self, export: Export) -> zipfile.ZipFile:
        body = self.aws.s3.get_object(Bucket="exports", Key=export.object_key)["Body"].read()
        return zipfile.ZipFile(io.BytesIO(body))


def step_of(move: Move) -> str:
    """A move as a name."""
    return str(getattr(move, "name", type(move).__name__))


def new_tenant(stem: str = "t") -> tuple[TenantId, str]:
    """An account's id, and a text that is in nothing else."""
    mark = uuid4().hex[:16]
    return TenantId(f"{stem}-{mark[::-1]}"), f"mark{mark}"


@contextmanager
def world(room: EmbeddedEngine, directory: Path, database: str = "rights") -> Iterator[World]:
    """A world on an engine that runs in `directory`."""
    transactions.install()
    with mock_aws():
        clients: dict[str, Any] = {
            name: boto3.client(name, region_name="us-east-1")
            for name in ("dynamodb", "sqs", "cognito-idp", "kms")
        }
        clients["s3"] = boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))
        create_tables(clients["dynamodb"])
        for bucket in BUCKETS:
            clients["s3"].create_bucket(Bucket=bucket.name)
        for queue in QUEUES:
            clients["sqs"].create_queue(QueueName=queue.name)
        made = clients["cognito-idp"].create_user_pool(PoolName="people", UsernameAttributes=["email"])
        pool = made["UserPool"]["Id"]
        warehouse = room.database(database)
        warehouse.command(QUICK_ENGINE)
        for statement in ("DETACH TABLE events", "ATTACH TABLE events", "SYSTEM START MERGES events"):
            warehouse.command(statement)
        key = clients["kms"].create_key()["KeyMetadata"]["KeyId"]
        aws = Aws(clients["dynamodb"], clients["s3"], clients["sqs"], clients["cognito-idp"], pool)
        yield World(aws, directory, warehouse, key, room=room)


@contextmanager
def world_with_engine(database: str = "rights") -> Iterator[World]:
    """A world on an engine and with credentials of its own."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        set_aws_environment(patch)
        room = EmbeddedEngine(Path(place))
        with world(room, Path(place), database) as made:
            yield made
        room.close()
