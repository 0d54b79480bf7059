"""A protocol of tests with all that a contract permits, and ingest over memory that speaks it.

`POST /v1/spoken` takes `<level>|<message>` lines. Its client retries only 503, wants one result for each
record in plain text, and sends a request id. `GET /v1/spoken` says that the service is there, and `HEAD` that
the key is good.
"""

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import msgspec
import pytest
from obstore.store import MemoryStore

from functions.ingest import handler as ingesting
from functions.ingest.handler import Ingest
from functions.ingest.idempotency import Once
from functions.ingest.protocols.contract import IngestProtocol, IngestResult, LogRequest, Part, Window
from functions.ingest.protocols.table import ProtocolTable
from functions.ingest.rate import RateLimit
from functions.ingest.stage import Staging
from functions.shared.buckets.own import OwnBucket
from functions.shared.errors import RefusalError
from functions.shared.http import Answer
from functions.shared.judging.judge import Verdict
from tests.integration.http_events import drain_event

ROUTES = "POST /v1/drain ndjson json; POST /v1/spoken spoken; GET /v1/spoken spoken; HEAD /v1/spoken spoken"


class SpokenProtocol(IngestProtocol):
    max_rejections = 200_000

    def handshake(self, request: LogRequest) -> Answer | None:
        if request.route == "POST /v1/spoken":
            return None
        if request.route == "HEAD /v1/spoken":
            request.caller()
        return plain(200, "ready")

    def once(self, request: LogRequest) -> Once | None:
        key = request.headers.get("x-spoken-id", "")
        return Once(f"spoken:{key}") if key else None

    def decode(self, _request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        for line in next(pieces, b"").splitlines():
            level, bar, message = line.decode().partition("|")
            if bar:
                yield Window(msgspec.json.encode({"level": level, "message": message}), ndjson=True)
            else:
                yield Verdict("no_bar", "The line has no '|'.")

    def accepted(self, result: IngestResult, _request: LogRequest) -> Answer:
        codes = {each.index: each.verdict.code for each in result.rejections}
        return plain(207, " ".join(codes.get(index, "ok") for index in range(result.records)))

    def rejected(self, error: RefusalError, _request: LogRequest) -> Answer:
        return plain(503 if error.status in (429, 500, 503) else error.status, f"{error.code}!")


def plain(status: int, text: str) -> Answer:
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": text}


class Spoken:
    """Ingest with that protocol, from the event to the response."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.ingest = Ingest(
            Staging(OwnBucket(self.store)), RateLimit(), protocols=ProtocolTable.parse(ROUTES)
        )

    def send(
        self, body: bytes, route: str = "POST /v1/spoken", tenant: str = "acme", **headers: str
    ) -> tuple[int, str]:
        """Status and body of the response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answer({**drain_event(body, named, tenant), "routeKey": route})

    def answer(self, event: dict[str, Any]) -> tuple[int, str]:
        given = ingesting.handler(event, None)
        return given["statusCode"], given["body"]


def install(monkeypatch: pytest.MonkeyPatch, name: str, protocol: IngestProtocol) -> None:
    """Make `protocol` the one of the module `name`."""
    module = ModuleType(name)
    module.PROTOCOL = protocol  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"functions.ingest.protocols.{name}", module)
