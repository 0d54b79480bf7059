"""The drop-in function around S3 and DynamoDB in memory: files are put and read; each write can be the last.

What it stages is looked at as sync would see it: by key, and decoded.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import boto3
from backports import zstd
from botocore.config import Config
from moto import mock_aws
from obstore.store import MemoryStore

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.encoding import billed_bytes
from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads import dropin
from functions.uploads.account_status import AccountStatuses
from functions.uploads.backlog import Backlogs, WaitingFile
from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes
from functions.uploads.dropin import FILES_A_TURN, DropIn, answer_to
from functions.uploads.file_processor import FileProcessor
from functions.uploads.files import upload_response
from functions.uploads.queue import DropQueue
from functions.uploads.register import UploadRegister
from functions.uploads.slots import TenantSlots
from functions.uploads.turns import FairTurns
from local import transactions
from tests.account_items import account_item

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DROP = "drop"
UPLOADS, ACCOUNTS = "uploads", "accounts"

WRITES = frozenset(
    {
        "put_item", "update_item", "delete_item", "transact_write_items", "delete_object", "send_message",
        "create", "delete",
    }
)  # fmt: skip


class KilledError(BaseException):
    """The process ends here; nothing in it may catch this."""


@dataclass
class Mortal:
    """Ends everything at the write that brings `writes_left` to nothing: before it is done, or after."""

    writes_left: int | None = None
    after: bool = False
    writes: int = 0

    def around(self, call: Callable[[], Any]) -> Any:
        self.writes += 1
        dies = self.writes_left is not None and self.writes > self.writes_left
        if dies and not self.after:
            raise KilledError
        done = call()
        if dies:
            raise KilledError
        return done


class Proxy:
    """A client or a bucket whose writes are counted, and may be the last."""

    def __init__(self, real: Any, mortal: Mortal) -> None:
        self._real = real
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in WRITES:
            return found
        return lambda *args, **kwargs: self._mortal.around(lambda: found(*args, **kwargs))


class Sqs:
    """A queue that keeps what it was sent, at once or `delayed`, and for how long what returns is hidden."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.delayed: list[tuple[str, int]] = []
        self.hidden: list[int] = []
        self.released = 0
        self.fault: Exception | None = None

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: ARG002, N803
        if self.fault:
            raise self.fault
        if DelaySeconds:
            self.delayed.append((MessageBody, DelaySeconds))
        else:
            self.bodies.append(MessageBody)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: ARG002, N803
        assert {each["VisibilityTimeout"] for each in Entries} == {0}
        self.released += len(Entries)

    def change_message_visibility(self, **asked: Any) -> None:
        self.hidden.append(asked["VisibilityTimeout"])


@dataclass
class World:
    """`now` moves the register's clock ahead, so that leases end."""

    s3: Any
    dynamodb: Any
    staging: PlatformBucket
    sqs: Sqs = field(default_factory=Sqs)
    mortal: Mortal = field(default_factory=Mortal)
    later: float = 0.0
    seconds: float = 300.0
    slots_a_tenant: int = 2
    erased: set[TenantId] = field(default_factory=set)
    clock: Callable[[], float] = time.time

    def account(self, tenant: str, standing: AccountStatus | None = None) -> TenantId:
        item = account_item(tenant, standing or AccountStatus("managed_30", 30, 10**7))
        self.dynamodb.put_item(TableName=ACCOUNTS, Item=item)
        return TenantId(tenant)

    @property
    def table(self) -> tuple[str, Any, Callable[[], float]]:
        """The table of uploads, its client and its clock."""
        return UPLOADS, Proxy(self.dynamodb, self.mortal), lambda: self.clock() + self.later

    @property
    def register(self) -> UploadRegister:
        return UploadRegister(*self.table)

    @property
    def slots(self) -> TenantSlots:
        name, client, clock = self.table
        return TenantSlots(name, self.slots_a_tenant, client, clock)

    @property
    def backlogs(self) -> Backlogs:
        return Backlogs(*self.table)

    def work(self, queue: DropQueue, function: str) -> FileProcessor:
        return FileProcessor(
            self.register, queue.publish, function, OpenUploads(*self.table), KeptOriginals(*self.table)
        )

    @property
    def drop_in(self) -> DropIn:
        queue = DropQueue("dropped", "tests", Proxy(self.sqs, self.mortal))
        return DropIn(
            DropBucket(Proxy(self.s3, self.mortal), DROP),
            Proxy(self.staging, self.mortal),
            AccountStatuses(ACCOUNTS, self.dynamodb),
            StagedBytes(*self.table),
            self.slots,
            FairTurns(queue, self.backlogs, FILES_A_TURN),
            self.work(queue, dropin.FUNCTION),
            self.erased.__contains__,
        )

    def put(self, name: str, body: bytes, tenant: TenantId = ACME) -> str:
        """Put a file under the tenant's prefix; the message that S3 sends of it."""
        key = dropin_prefix(tenant) + name
        etag = self.s3.put_object(Bucket=DROP, Key=key, Body=body)["ETag"]
        return s3_says(key, len(body), etag)

    def deliver(self, *bodies: str, receives: int = 1) -> list[str]:
        """One invocation for each message, and then for each that it sent; those that return later."""
        back: list[str] = []
        waiting = list(bodies)
        while waiting:
            body = waiting.pop(0)
            if self._invoke(body, receives):
                back.append(body)
            waiting += self.sqs.bodies
            self.sqs.bodies.clear()
        return back

    def drop(self, name: str, body: bytes, tenant: TenantId = ACME) -> dict[str, Any]:
        """Put a file, deliver its message, and return its status in the end."""
        back = self.deliver(self.put(name, body, tenant))
        assert not back, "nothing is stuck in the queue"
        return self.status(name, tenant)

    def status(self, name: str, tenant: TenantId = ACME) -> dict[str, Any]:
        found = [each for each in self.statuses(tenant) if each["key"] == dropin_prefix(tenant) + name]
        assert len(found) == 1, found
        return found[0]

    def statuses(self, tenant: TenantId = ACME) -> list[dict[str, Any]]:
        register, shown, before = self.register, list[dict[str, Any]](), None
        while True:
            page = register.page(tenant, 100, before)
            shown += [upload_response(*each, dropin_prefix(tenant), self.clock()) for each in page.uploads]
            if page.next is None:
                return shown
            before = page.next

    def rows(self, tenant: TenantId = ACME) -> list[dict[str, Any]]:
        """All rows that are staged for the tenant, in order; each object is what its key says."""
        found: list[dict[str, Any]] = []
        for each in sorted(self.staging.under(""), key=lambda listed: listed.key):
            if is_staged(each.key) and StagedKey.parse(each.key).tenant == tenant:
                found += decoded_rows(each.key, bytes(self.staging.get(each.key).body))  # type: ignore[union-attr]
        return found

    def messages(self, tenant: TenantId = ACME) -> list[str]:
        return [row["message"] for row in self.rows(tenant)]

    def originals(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=DROP).get("Contents", ())]

    def backlog(self, tenant: TenantId = ACME) -> list[WaitingFile]:
        """The files in the tenant's backlog, as far as it is looked at."""
        return [file for batch in self.backlogs.look(tenant).batches for file in batch.files]

    def _invoke(self, body: str, receives: int) -> bool:
        """Whether the message returns, itself or another one for its file, or the file waits in a backlog."""
        before = self._waiting()
        answer = answer_to(sqs_event(body, receives), lambda: self.seconds, self.drop_in)
        return bool(answer["batchItemFailures"]) or self._waiting() > before

    def _waiting(self) -> int:
        files = [each for each, _ in self.sqs.delayed if not json.loads(each).get("wakes")]
        return len(files) + len(self.backlog(ACME)) + len(self.backlog(GLOBEX))


def decoded_rows(key: str, body: bytes) -> list[dict[str, Any]]:
    text = zstd.decompress(body)
    rows = [json.loads(line) for line in text.splitlines()]
    parsed = StagedKey.parse(key)
    assert (len(rows), billed_bytes(text.splitlines())) == (parsed.rows, parsed.raw_bytes)
    assert [(row["object_id"], row["position"]) for row in rows] == [
        (parsed.object_id, position) for position in range(len(rows))
    ]
    assert {row["tenant_id"] for row in rows} == {parsed.tenant}
    return rows


def s3_says(key: str, size: int, etag: str, bucket: str = DROP) -> str:
    """S3's own message, with the key as S3 writes it."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag.strip('"')},
        },
    }
    return json.dumps({"Records": [record]})


def sqs_event(body: str, receives: int = 1) -> dict[str, Any]:
    return sqs_batch([body], receives)


def sqs_batch(bodies: Sequence[str], receives: int = 1) -> dict[str, Any]:
    """An event of several messages, `m0`, `m1` and so on."""
    attributes = {"ApproximateReceiveCount": str(receives)}
    records = [
        {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": body, "attributes": attributes}
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


@contextmanager
def cloud() -> Iterator[tuple[Any, Any]]:
    """S3 and DynamoDB in memory, with a bucket and tables."""
    transactions.install()
    with mock_aws():
        region = {"region_name": "us-east-1"}
        s3 = boto3.client("s3", config=Config(signature_version="s3v4"), **region)
        dynamodb = boto3.client("dynamodb", **region)
        table(dynamodb, UPLOADS, "tenant_id", "entry")
        table(dynamodb, ACCOUNTS, "tenant_id")
        s3.create_bucket(Bucket=DROP)
        yield s3, dynamodb


def world(s3: Any, dynamodb: Any) -> World:
    """An empty world in that cloud, with two accounts."""
    for each in s3.list_objects_v2(Bucket=DROP).get("Contents", ()):
        s3.delete_object(Bucket=DROP, Key=each["Key"])
    for item in dynamodb.scan(TableName=UPLOADS)["Items"]:
        key = {name: item[name] for name in ("tenant_id", "entry")}
        dynamodb.delete_item(TableName=UPLOADS, Key=key)
    made = World(s3, dynamodb, PlatformBucket(MemoryStore()))
    made.account(ACME)
    made.account(GLOBEX, AccountStatus("managed_15", 15, 10**7))
    return made
