"""Lines of one millisecond are found in the order in which they were sent, or stood in their file.

Everything is real from the request, or the file, to the response of the search: ingest, the drop-in, sync's
insert and the engine. The objects are loaded in the wrong order, and the parts are merged.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from random import Random
from typing import Any

import obstore
import pytest

from bench.in_process import embedded_engine, load
from functions.ingest import handler as ingesting
from functions.query import times
from functions.query.exporting.reader import ExportedEvents, ExportReader, ReadPosition
from functions.query.language.syntax_tree import EVERYTHING
from functions.query.results.cursor import MANAGED
from functions.query.searching.event_search import EventSearch, ManagedSearch
from functions.query.tail_handler import ManagedReads
from functions.query.tailing.commit_reader import MANAGED_LOG, CommitPosition, Commits, TenantBatch
from functions.query.tailing.request import tail_request
from functions.query.tailing.tail import FollowedStore, Tail
from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.uploads import file_reader
from tests.aws_environment import set_aws_environment
from tests.integration.query_requests import LIMITS, QueryRequests
from tests.integration.stores import WithoutHttp
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send
from tests.unit.uploads.world import World, cloud, world

LINES = 1000
LATER_LINES = 30
TENANTS = ("acme", "globex")
AT_NS = 1_795_946_400_123_000_000
AT = "2026-11-29T10:00:00.123Z"
EVER = {"from": "2026-11-29T00:00:00Z", "to": "2026-11-30T00:00:00Z"}
EXPIRES_ON = date(2030, 1, 1)
JSON = {"content-type": "application/json"}


def _drain(lines: list[str]) -> tuple[str, bytes]:
    events = [{"timestamp": AT, "service": "shop", "message": line} for line in lines]
    return "POST /v1/drain", json.dumps({"events": events}).encode()


def _otlp(lines: list[str]) -> tuple[str, bytes]:
    records = [{"timeUnixNano": str(AT_NS), "body": {"stringValue": line}} for line in lines]
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    logs = [{"resource": service, "scopeLogs": [{"logRecords": records}]}]
    return "POST /v1/logs", json.dumps({"resourceLogs": logs}).encode()


def _loki(lines: list[str]) -> tuple[str, bytes]:
    stream = {"stream": {"service_name": "shop"}, "values": [[str(AT_NS), line] for line in lines]}
    return "POST /loki/api/v1/push", json.dumps({"streams": [stream]}).encode()


REQUESTS: dict[str, Callable[[list[str]], tuple[str, bytes]]] = {
    "drain": _drain,
    "otlp": _otlp,
    "loki": _loki,
}
WAYS = (*REQUESTS, "file")
BATCHES = ("a0", "a1")


def lines_of(tenant: str) -> list[str]:
    """What a tenant sends: a thousand lines and then, in another request or file, some more."""
    return [
        *(f"{tenant} first {number}" for number in range(LINES)),
        *(f"{tenant} later {number}" for number in range(LATER_LINES)),
    ]


def _staged_by_requests(way: str) -> list[bytes]:
    """The staged objects of both tenants' requests."""
    here = InMemoryIngest()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ingesting, "_ingest", lambda: here.parts)
        for tenant in TENANTS:
            lines = lines_of(tenant)
            for some in (lines[:LINES], lines[LINES:]):
                url, body = REQUESTS[way](some)
                assert send(url, body, JSON, tenant=tenant)["statusCode"] in (200, 202, 204)
    keys = [each["path"] for some in obstore.list(here.store) for each in some]
    return [bytes(obstore.get(here.store, key).bytes()) for key in keys if is_staged(key)]


def _staged_by_files() -> list[bytes]:
    """The staged objects of both tenants' files, the first of which has several parts."""
    with pytest.MonkeyPatch.context() as patched:
        set_aws_environment(patched)
        patched.setattr("functions.uploads.formats.windows.WINDOW_BYTES", 8 * 1024)
        patched.setattr(file_reader, "PART_ROWS", 200)
        with cloud() as clients:
            here = world(*clients)
            for tenant in TENANTS:
                _drop(here, tenant)
            keys = [each.key for each in here.staging.under("staged/")]
            objects = [bytes(here.staging.get(key).body) for key in keys]  # type: ignore[union-attr]
    parts = [StagedKey.parse(key).rows for key in keys]
    assert len(parts) > len(TENANTS) * 4
    return objects


def _drop(here: World, tenant: str) -> None:
    lines = lines_of(tenant)
    for number, some in enumerate((lines[:LINES], lines[LINES:])):
        body = b"".join(
            json.dumps({"timestamp": AT, "service": "shop", "message": line}).encode() + b"\n"
            for line in some
        )
        assert here.drop(f"{number}.ndjson", body, here.account(tenant))["state"] in ("done", "loading")


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, Warehouse]]:
    """A database for each way, with the objects loaded in an order that is not theirs."""
    with embedded_engine() as room:
        found = {}
        for way in WAYS:
            warehouse = found[way] = room.database(way)
            objects = _staged_by_files() if way == "file" else _staged_by_requests(way)
            Random(way).shuffle(objects)
            half = len(objects) // 2
            for number, some in enumerate((objects[half:], objects[:half])):
                load(warehouse, b"".join(some), BATCHES[number], EXPIRES_ON)
            warehouse.command("SYSTEM START MERGES events")
            warehouse.command("OPTIMIZE TABLE events FINAL")
        yield found


@pytest.fixture(params=WAYS)
def database(databases: dict[str, Warehouse], request: pytest.FixtureRequest) -> Warehouse:
    return databases[request.param]


@pytest.fixture
def queries(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> QueryRequests:
    return QueryRequests(monkeypatch, database)


class CommittedBatches:
    """The commit log of one page that has the batches of a database, all of them old."""

    def newest(self, _destination: str) -> CommitPosition:
        return CommitPosition(0, 0)

    def after(self, _destination: str, position: CommitPosition) -> Commits:
        end = CommitPosition(0, len(BATCHES), BATCHES[0])
        return Commits(BATCHES[position.index :], end if position.index < len(BATCHES) else position)

    def batches_of(self, _tenant: TenantId, batch_ids: Sequence[str], _until: float) -> list[TenantBatch]:
        return [TenantBatch(each, 1, EXPIRES_ON.isoformat(), 0.0) for each in batch_ids]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("tenant", "limit"),
    [("acme", 197), ("acme", 1000), ("globex", 313), pytest.param("acme", 7, marks=pytest.mark.soak)],
)
def test_lines_of_equal_time_are_in_the_order_in_which_they_were_sent(
    queries: QueryRequests, tenant: str, limit: int, order: str
) -> None:
    events = [event["message"] for event in queries.pages(tenant, order=order, limit=limit, **EVER)]
    expected = lines_of(tenant)
    assert events == (expected if order == "asc" else expected[::-1])


def test_a_customers_own_clickhouse_has_the_same_order(
    database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = QueryRequests(monkeypatch, database, dict.fromkeys(TENANTS, database))
    queries.managed_until = 0
    for tenant, order, step in (("acme", "asc", 1), ("globex", "desc", -1)):
        events = queries.pages(tenant, "byoc", order=order, limit=400, **EVER)
        assert _messages(events) == lines_of(tenant)[::step]


def test_a_tail_shows_them_in_the_order_in_which_they_were_sent(database: Warehouse) -> None:
    owner = TenantId("acme")
    searches = ManagedSearch(EventSearch(WithoutHttp(database), LIMITS), 1, kind="tail")  # type: ignore[arg-type]
    stores = [FollowedStore(MANAGED, MANAGED_LOG, ManagedReads(searches, owner))]
    tail = Tail(owner, CommittedBatches(), stores)  # type: ignore[arg-type]
    shown: list[str] = []
    query = {"wait": "0", "limit": "97"}
    while True:
        found = json.loads(tail.answer(tail_request(query, owner)))
        if not found["events"]:
            break
        shown += _messages(found["events"])
        query["cursor"] = found["cursor"]
    assert shown == lines_of(owner)


def test_an_export_has_them_in_the_order_in_which_they_were_sent(database: Warehouse) -> None:
    owner = TenantId("globex")
    searches = ManagedSearch(EventSearch(WithoutHttp(database), LIMITS), 1, kind="export")  # type: ignore[arg-type]
    since, until = (times.parse(EVER[name]) for name in ("from", "to"))
    events = ExportedEvents(owner, EVERYTHING, since, until, cut=time.time_ns())
    reader = ExportReader(events, lambda compiled, _limit: searches.find(owner, compiled(MANAGED, True)))
    page = reader.page(ReadPosition(since, size=7).stored())
    written = [row.message for row in page.rows]
    while page.after is not None:
        page = reader.page(page.after.stored())
        written += [row.message for row in page.rows]
    assert written == lines_of(owner)


def test_the_context_of_a_line_is_what_was_sent_before_and_after_it(queries: QueryRequests) -> None:
    events = queries.pages("acme", order="asc", limit=1000, **EVER)
    lines = lines_of("acme")
    for at, before, after, scope in ((500, 500, 500, "service"), (LINES, 40, 40, "all"), (0, 3, 0, "stream")):
        status, result = queries.context(events[at]["id"], before=before, after=after, scope=scope)
        assert status == 200
        assert result["event"] == events[at]
        assert _messages(result["before"]) == lines[max(0, at - before) : at]
        assert _messages(result["after"]) == lines[at + 1 : at + 1 + after]
        assert (result["more_before"], result["more_after"]) == (at > before, at + 1 + after < len(lines))


def test_every_event_has_an_id_of_its_own_that_finds_it_for_its_tenant_alone(queries: QueryRequests) -> None:
    events = queries.pages("acme", order="asc", limit=1000, **EVER)
    assert len({event["id"] for event in events}) == len(events)
    for event in events[:: len(events) // 5]:
        status, result = queries.event(event["id"], "acme")
        assert (status, result["event"]) == (200, event)
        assert queries.event(event["id"], "globex")[0] == 404
        assert queries.context(event["id"], "globex")[0] == 404


def _messages(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events]
