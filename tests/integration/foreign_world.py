"""Two accounts of equal events in one ClickHouse, one without any, and all that a search returns of them.

Each event of the account BETA has SECRET in its message, service, metadata and trace id, and so has each of
its saved searches and exports. No request of another account has it, so a response that does is a leak.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.accounts import routes as account_routes
from functions.query import handler as querying
from functions.query import tail_handler
from functions.query.exporting.reader import ExportReader, StatementOf
from functions.query.exporting.service import SearchExportService, exported_events, search_export_service
from functions.query.results.rows import SearchResult
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.tailing.commit_reader import CommitReader
from functions.query.tailing.slots import TailSlots
from functions.shared.batch_usage import UsageShare, packed
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.http import answering
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tables.ledger import LedgerItem, batch_entry, log_entry, tip_entry
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.aws_environment import set_aws_environment
from tests.integration.loading import load, staged
from tests.integration.test_query_routes import MARK, Recording
from tests.integration.warehouse_process import clickhouse
from tests.unit.accounts.account_service import World, world

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=2)
ACME, BETA, IDLE = "acme", "beta", "idle"
SECRET = "zq8secret"
EVENTS = 40
"""Of each of the two accounts on 2026-11-23, and as many of the last hour."""

RECEIVED = datetime(2026, 11, 23, 11, tzinfo=UTC)
OBJECTS = {tenant: time_ordered_id(int(RECEIVED.timestamp() * 1000)) for tenant in (ACME, BETA)}
BATCHES = {"a1": (ACME,), "b1": (BETA,), "ab": (ACME, BETA)}
"""The batches in their order of commit, and whose events they have: the last hour's are in one."""


def _event(tenant: str, number: int, timestamp: str) -> bytes:
    """Events of both accounts at the same times, of equal shape."""
    mark = f"{MARK} {SECRET}" if tenant == BETA else ""
    metadata = {"user": f"{mark}user", "a.b": number, "status": 500, f"{mark}key": mark or "own"}
    return staged(
        json.dumps(metadata),
        tenant_id=tenant,
        service=f"{mark}service",
        message=f"{mark} timeout connection reset user-42 {number}",
        trace_id=f"trace{number % 2 * mark}",
        timestamp=timestamp,
        received_at=f"{RECEIVED:%Y-%m-%d %H:%M:%S}.000000",
        object_id=OBJECTS[tenant],
        position=number,  # type: ignore[arg-type]
    )


def _load(warehouse: Warehouse) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000000000"
    for batch_id, tenants in BATCHES.items():
        first = EVENTS if batch_id == "ab" else 0
        times = [now if first else f"2026-11-23 10:00:{n // 2:02d}.000000000" for n in range(EVENTS)]
        rows = [_event(tenant, first + n, times[n]) for tenant in tenants for n in range(EVENTS)]
        load(warehouse, rows, batch_id)


def _commit_batches() -> None:
    """The commit log of our ClickHouse, of batches that are new forever, whose rows a tail counts."""
    ledger = Table(LedgerItem, "ledger", None)
    for batch_id, tenants in BATCHES.items():
        shares = [UsageShare(TenantId(tenant), date(2026, 11, 23), EVENTS, 1) for tenant in tenants]
        ledger.put(
            LedgerItem(
                batch_entry(batch_id),
                forget_at=2**40,
                usage=packed(shares),
                expires_on="2030-01-01",
                lease_until=2**40,
            )
        )
    ledger.put(LedgerItem(log_entry("managed", 0), forget_at=2**40, commits=[*BATCHES]))
    ledger.put(LedgerItem(tip_entry("managed"), forget_at=2**40, page=0))


class ForeignWorld:
    """The functions whose responses have events, searches or exports of an account."""

    def __init__(self, warehouse: Warehouse, accounts: World) -> None:
        self.recording = Recording(warehouse)
        self.accounts = accounts
        search = EventSearch(self.recording, LIMITS)  # type: ignore[arg-type]
        self.searches = ManagedSearch(search, 4)
        self.tails = ManagedSearch(search, 4, kind="tail")
        self.exports: SearchExportService = search_export_service("search-exports", "exports", _not_byoc)
        self.commits = CommitReader("ledger")
        self.slots = TailSlots("health", 2, 30)
        self._account = answering(lambda event: account_routes.answer_to(event, accounts.account_service))

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(querying, "_managed_search", lambda: self.searches)
        patch.setattr(querying, "_search_exports", lambda: self.exports)
        patch.setattr(tail_handler, "_managed_search", lambda: self.tails)
        patch.setattr(tail_handler, "_commits", lambda: self.commits)
        patch.setattr(tail_handler, "_slots", lambda: self.slots)

    def ask(
        self, route: str, tenant: str, body: Any = None, query: dict[str, str] | None = None, place: str = ""
    ) -> tuple[int, Any]:
        """Status and body of a response; `place` is the id in the path."""
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read admin",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": "managed_30",
        }  # fmt: skip
        http = {"method": route.split()[0], "sourceIp": "203.0.113.9", "userAgent": "tests"}
        event = {
            "routeKey": route,
            "requestContext": {"requestId": "r", "http": http, "authorizer": {"lambda": verdict}},
            "queryStringParameters": query,
            "pathParameters": {"id": place},
            "body": None if body is None else json.dumps(body),
        }
        response = self._handler(route)(event, None)
        return response["statusCode"], json.loads(response.get("body") or "null")

    def _handler(self, route: str) -> Callable[[Any, Any], Any]:
        if route == "GET /v1/tail":
            return tail_handler.handler
        return self._account if " /v1/searches" in route else querying.handler

    def exported(self, tenant: str, export_id: str) -> str:
        """The first page of the events of an export, which is deleted then."""
        export = self.exports.exports.of(TenantId(tenant), export_id)
        assert export

        def find(compiled: StatementOf, _limit: int) -> SearchResult:
            return self.searches.find(TenantId(tenant), compiled("managed", True))

        events = exported_events(export.tenant, export.request)
        page = ExportReader(events, find).page()
        self.exports.exports.delete(export)
        return str(page.rows)


def forged(cursor: str, at: int, value: Any) -> str:
    """A cursor with another element."""
    content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    content[at] = value
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _not_byoc() -> Any:
    raise AssertionError("no customer's bucket is opened")


@contextmanager
def foreign_world(place: Path) -> Iterator[ForeignWorld]:
    """The world with its events, and a saved search and an export of BETA's."""
    with pytest.MonkeyPatch.context() as patch, clickhouse(place) as address:
        set_aws_environment(patch)
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 30)
        _load(warehouse)
        with world() as accounts:
            _commit_batches()
            yield ForeignWorld(warehouse, accounts)
        warehouse.close()
