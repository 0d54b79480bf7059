"""Two BYOC customers' clouds and ours: buckets and tables on moto, databases of one ClickHouse over HTTP.

Everything between the Lambda event and the wire is the real thing: sync's handler, ByocClients, the egress
filter, the ClickHouse client. Only S3 and DynamoDB are moto's, and the clock of the circuits can be turned.
"""

import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from backports import zstd

from functions.shared.buckets.contract import Bucket
from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.health import HealthStore
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.notifications import notifications
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.byoc import Sync, answer_to
from functions.sync.byoc_loader import ByocLoader
from functions.sync.byoc_schema import prepare_tables
from functions.sync.ledger import Ledger
from functions.sync.notifications import StagedObject
from tests.crash.world import TABLE, row_of

HEALTH = "health"
EXPIRES_ON = date(2030, 1, 1)
INSERT_TIMEOUT_SECONDS = 2
A_BATCH_SECONDS = 4
INVOCATION_SECONDS = 20.0

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
PASSWORDS = {ACME: "of-acme", GLOBEX: "of-globex"}


class MemoryDestinations:
    """Destinations as RecentDestinations gives them: what was read is believed until it is forgotten."""

    def __init__(self) -> None:
        self.stored: dict[TenantId, Destination] = {}
        self.believed: dict[TenantId, Destination] = {}

    def get(self, tenant: TenantId) -> Destination | None:
        if tenant in self.stored:
            self.believed.setdefault(tenant, self.stored[tenant])
        return self.believed.get(tenant)

    def evict(self, tenant: TenantId) -> None:
        self.believed.pop(tenant, None)


class MotoClients(ByocClients):
    """The guard sends what S3 clients sign by itself, past moto: hence buckets that are given."""

    def __init__(self, destinations: MemoryDestinations, buckets: dict[TenantId, Bucket]) -> None:
        super().__init__(destinations, allow_loopback=True)  # type: ignore[arg-type]
        self.buckets = buckets

    def _open_bucket(self, destination: Destination) -> Bucket:
        return self.buckets[destination.tenant]


@dataclass
class Queue:
    """What sync does to its queue: pauses by message."""

    pauses: dict[str, int] = field(default_factory=dict)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        assert QueueUrl == "url"
        self.pauses.update({each["ReceiptHandle"]: each["VisibilityTimeout"] for each in Entries})


@dataclass
class Clouds:
    """Both customers' clouds, and a process of sync; `now` is the clock of ledger and circuits."""

    port: int
    buckets: dict[TenantId, Bucket]
    now: float = 1_800_000_000.0
    destinations: MemoryDestinations = field(default_factory=MemoryDestinations)
    queue: Queue = field(default_factory=Queue)
    expected: dict[TenantId, Counter[str]] = field(default_factory=dict)
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        for tenant in (ACME, GLOBEX):
            self.destinations.stored[tenant] = self.destination(tenant)
            self.expected[tenant] = Counter()
        self.ledger = Ledger(TABLE, lambda: self.now)
        self.health = HealthStore(HEALTH, lambda: self.now)
        self.sync = self.process()

    def process(self) -> Sync:
        """A new execution environment."""
        byoc_clients = MotoClients(self.destinations, self.buckets)
        clouds = ByocLoader(
            self.ledger,
            self.health,
            byoc_clients,
            partial(prepare_tables, byoc_clients),
            INSERT_TIMEOUT_SECONDS,
        )
        return Sync(clouds, self.queue, "url", A_BATCH_SECONDS)

    def destination(self, tenant: TenantId, **changes: Any) -> Destination:
        address = ClickHouseAddress(
            "127.0.0.1", self.port, False, str(tenant), SecretText(PASSWORDS[tenant]), f"of_{tenant}"
        )
        key = SecretText("key")
        return Destination(
            tenant, 1, f"theirs-{tenant}", "us-east-1", None, AccessKey(key, key),
            replace(address, **changes), "exactly_once", 30,
        )  # fmt: skip

    def stage(self, tenant: TenantId, count: int, mark: str = "") -> list[StagedObject]:
        """Objects of three rows each in the tenant's own bucket."""
        objects = []
        for number in range(count):
            lines = [f"{tenant} {mark} {number} {line}" for line in range(3)]
            key = str(StagedKey(tenant, datetime.now(UTC).date(), time_ordered_id(), 3, 300, EXPIRES_ON))
            body = zstd.compress(b"".join(row_of(tenant, line) for line in lines), 1)
            objects.append(StagedObject(key, self.buckets[tenant].create(key, body) or "", len(body)))
            self.expected[tenant].update(lines)
        return objects

    def deliver(
        self, *parcels: tuple[TenantId, Sequence[StagedObject]], receives: int = 1,
        seconds: float = INVOCATION_SECONDS, sync: Sync | None = None,
    ) -> set[str]:  # fmt: skip
        """One message for each parcel; the ids of those that are redelivered, which are the tenants'."""
        self.queue.pauses.clear()
        records = [
            record(str(tenant), next(notifications(list(objects), "tests", tenant)), receives)
            for tenant, objects in parcels
        ]
        ends = time.monotonic() + seconds
        answer = answer_to({"Records": records}, lambda: ends - time.monotonic(), sync or self.sync)
        return {each["itemIdentifier"] for each in answer["batchItemFailures"]}

    def stored(self, tenant: TenantId, database_of: TenantId | None = None) -> Counter[str]:
        """The tenant's rows in the database of `database_of`, by default its own."""
        warehouse = Warehouse(self.destination(database_of or tenant).warehouse, 10)
        rows = warehouse.select(
            "SELECT message, count() AS rows FROM events WHERE tenant_id = {tenant:String} GROUP BY message",
            {"tenant": str(tenant)},
        ).rows
        warehouse.close()
        return Counter({row["message"]: int(row["rows"]) for row in rows})


def record(message_id: str, body: str, receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": message_id,
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


@contextmanager
def hanging_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(listening.accept()[0])
                except OSError:
                    return

        Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1], held
        listening.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


@contextmanager
def refusing_server(engine_code: int) -> Iterator[tuple[int, list[str]]]:
    """Answers each statement with an exception of that code, as ClickHouse words it."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = f"Code: {engine_code}. DB::Exception: no. (SOME_NAME)".encode()
            self.send_response(500)
            self.send_header("X-ClickHouse-Exception-Code", str(engine_code))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
