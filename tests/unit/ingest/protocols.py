"""A protocol of tests with all that a contract permits, and ingest over memory that speaks it.

`POST /v1/spoken` takes `<level>|<message>` lines. Its client retries only 503, wants one result for each
record in plain text, and sends a request id. `GET /v1/spoken` says that the service is there, and `HEAD` that
the key is good.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import obstore
from backports import zstd
from obstore.store import MemoryStore

from functions.ingest import handler as ingesting
from functions.ingest.handler import Ingest
from functions.ingest.idempotency import IdempotencyKey
from functions.ingest.protocols.contract import IngestProtocol, IngestResult, LogRequest, Part, windows
from functions.ingest.protocols.table import ProtocolTable
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.staged_key import IDENTITY, StagedKey, is_staged
from functions.shared.http import Answer
from infra.topology import function
from tests.integration.http_events import drain_event

if TYPE_CHECKING:  # a process that measures a hostile body does without
    import pytest

ROUTES = "; ".join(
    [
        function("ingest").settings["protocols"],
        *(f"{method} /v1/spoken spoken" for method in ("POST", "GET", "HEAD")),
    ]
)


class SpokenProtocol(IngestProtocol):
    max_rejections = 200_000

    def handshake(self, request: LogRequest) -> Answer | None:
        if request.route == "POST /v1/spoken":
            return None
        if request.route == "HEAD /v1/spoken":
            request.caller()
        return plain(200, "ready")

    def idempotency_key(self, request: LogRequest) -> IdempotencyKey | None:
        key = request.headers.get("x-spoken-id", "")
        return IdempotencyKey(f"spoken:{key}") if key else None

    def decode(self, _request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        return windows(map(_record, next(pieces, b"").decode().splitlines()))

    def accepted(self, result: IngestResult, _request: LogRequest) -> Answer:
        codes = {each.index: each.cause.code for each in result.rejections}
        return plain(207, " ".join(codes.get(index, "ok") for index in range(result.records)))

    def rejected(self, error: HttpError, _request: LogRequest) -> Answer:
        return plain(503 if error.status in (429, 500, 503) else error.status, f"{error.code}!")


def _record(line: str) -> dict[str, str] | RejectedEvent:
    level, bar, message = line.partition("|")
    return {"level": level, "message": message} if bar else RejectedEvent("no_bar", "The line has no '|'.")


def plain(status: int, text: str) -> Answer:
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": text}


class InMemoryIngest:
    """Ingest over a bucket in memory, from event to response, with the topology's protocols and that one."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.parts = Ingest(
            StagingWriter(PlatformBucket(self.store)), RateLimit(), protocols=ProtocolTable.parse(ROUTES)
        )

    def send(
        self, body: bytes, route: str = "POST /v1/spoken", tenant: str = "acme", **headers: str
    ) -> tuple[int, str]:
        """Status and body of the response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answer({**drain_event(body, named, tenant), "routeKey": route})

    def answer(self, event: dict[str, Any]) -> tuple[int, str]:
        response = ingesting.handler(event, None)
        return response["statusCode"], response["body"]

    def staged(self, tenant: str = "acme") -> list[list[dict[str, Any]]]:
        """The rows of each of the tenant's objects, without their identity."""
        return [
            [{name: value for name, value in row.items() if name not in IDENTITY} for row in rows]
            for _, rows in self.objects(tenant)
        ]

    def objects(self, tenant: str = "acme") -> list[tuple[str, list[dict[str, Any]]]]:
        """The tenant's objects, each with its key and its rows."""
        keys = [each["path"] for some in obstore.list(self.store) for each in some]
        mine = [key for key in keys if is_staged(key) and StagedKey.parse(key).tenant == tenant]
        bodies = [zstd.decompress(bytes(obstore.get(self.store, key).bytes())) for key in mine]
        return [
            (key, [json.loads(line) for line in body.splitlines()])
            for key, body in zip(mine, bodies, strict=True)
        ]


@contextmanager
def in_memory() -> Iterator[InMemoryIngest]:
    """The handler answers in memory within the block."""
    here, made = InMemoryIngest(), ingesting._ingest
    ingesting._ingest = lambda: here.parts  # type: ignore[assignment]
    try:
        yield here
    finally:
        ingesting._ingest = made


def install(monkeypatch: "pytest.MonkeyPatch", name: str, protocol: IngestProtocol) -> None:
    """Make `protocol` the one of the module `name`."""
    module = ModuleType(name)
    module.PROTOCOL = protocol  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"functions.ingest.protocols.{name}", module)
