"""A BYOC customer searches their own ClickHouse; its failures are reported as theirs."""

import json
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest

from functions.query import handler as querying
from functions.query.compile import Statement
from functions.query.requests.request import search
from functions.query.results.page import page
from functions.query.results.rows import NOTHING, EventRow, SearchResult
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import SearchLimits
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.health import DestinationHealth, Slot, SlotWait
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import HttpError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import OutcomeUnknownError, WarehouseDownError, refusal

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
STATEMENT = Statement("SELECT 1", {})
ROW = {
    **dict.fromkeys(EventRow.__struct_fields__, ""),
    "timestamp": "2026-11-01 12:00:00.000000001",
    "metadata": "{}",
    "position": 2,
    "row_hash": "7",
    "store": "byoc",
}
STATISTICS = {"rows_read": 1, "elapsed": 0.001}


def engine_answer(*rows: Any, **changes: Any) -> bytes:
    return json.dumps({"data": rows, "statistics": STATISTICS, **changes}).encode()


class Warehouse:
    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def select_json(self, sql: str, *_: Any) -> bytes:
        self.asked.append(sql)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Slots:
    """A table of health whose slots are free, unless they are `busy`."""

    def __init__(self) -> None:
        self.busy: set[str] = set()
        self.held: list[str] = []
        self.released: list[str] = []
        self.fault: Exception | None = None

    def take(self, name: str, owner: str, seconds: float) -> Slot | SlotWait:
        if self.fault:
            raise self.fault
        if name in self.busy:
            return SlotWait(DestinationHealth(name), None)
        self.held.append(name)
        return Slot(DestinationHealth(name), 0, owner, seconds)

    def release(self, slot: Slot) -> None:
        self.released.append(slot.condition.destination)


class Keeper:
    def __init__(self, **warehouses: Warehouse) -> None:
        self.warehouses = warehouses
        self.fault: Exception | None = None
        self.forgotten: list[str] = []

    def warehouse(self, tenant: TenantId, _timeout_seconds: int) -> Any:
        if self.fault:
            raise self.fault
        return self.warehouses[tenant]

    def evict(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


def archives(keeper: Keeper, slots: Slots | None = None) -> ByocSearch:
    return ByocSearch(keeper, slots or Slots(), SearchLimits(1, 1, 1, 1), 3)  # type: ignore[arg-type]


def test_each_searches_their_own() -> None:
    acme, globex = Warehouse(engine_answer(ROW)), Warehouse(engine_answer())
    found = archives(Keeper(acme=acme, globex=globex))
    assert [row.row_hash for row in found.find(ACME, STATEMENT).rows] == ["7"]
    assert (acme.asked, globex.asked) == ([STATEMENT.sql], [])
    assert list(found.find(GLOBEX, STATEMENT).rows) == []


def test_a_tenant_whose_slots_are_busy_waits_and_another_does_not() -> None:
    slots = Slots()
    slots.busy = {"searches:acme"}
    found = archives(Keeper(acme=Warehouse(engine_answer()), globex=Warehouse(engine_answer(ROW))), slots)
    with pytest.raises(HttpError) as refused:
        found.find(ACME, STATEMENT)
    assert (refused.value.status, refused.value.code) == (429, "too_many_searches")
    assert refused.value.retry_after_seconds == 1
    assert len(found.find(GLOBEX, STATEMENT).rows) == 1


@pytest.mark.parametrize("answer", [engine_answer(), WarehouseDownError("x"), ValueError("x")], ids=str)
def test_a_slot_is_released_however_the_search_ends(answer: bytes | Exception) -> None:
    slots = Slots()
    with suppress(HttpError):
        archives(Keeper(acme=Warehouse(answer)), slots).find(ACME, STATEMENT)
    assert slots.held == slots.released == ["searches:acme"]


def test_without_the_table_of_slots_nothing_is_searched() -> None:
    slots = Slots()
    slots.fault = StoreUnavailableError("x")
    acme = Warehouse(engine_answer())
    with pytest.raises(HttpError) as refused:
        archives(Keeper(acme=acme), slots).find(ACME, STATEMENT)
    assert (refused.value.code, acme.asked) == ("search_unavailable", [])


UNUSABLE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "deep": b"[" * 200_000,
    "deep data": b'{"data":' + b"[" * 200_000,
    "deep row": b'{"data":[{"timestamp":' + b'{"a":' * 100_000,
    "deep beside it": b'{"meta":' + b'{"a":' * 100_000,
    "a list": b"[]",
    "null": b"null",
    "no data": json.dumps({"statistics": STATISTICS}).encode(),
    "no statistics": b'{"data":[]}',
    "data is no list": engine_answer(data={"a": 1}),
    "rows are no objects": engine_answer(1, 2),
    "rows are lists": engine_answer([1]),
    "a column is missing": engine_answer({name: ROW[name] for name in ROW if name != "metadata"}),
    "a number for text": engine_answer({**ROW, "message": 5}),
    "null for text": engine_answer({**ROW, "service": None}),
    "an object for text": engine_answer({**ROW, "metadata": {"a": 1}}),
    "no time": engine_answer({**ROW, "timestamp": "soon"}),
    "no day": engine_answer({**ROW, "timestamp": "2026-13-41 12:00:00.000000001"}),
    "a position of text": engine_answer({**ROW, "position": "2"}),
    "a position beyond its type": engine_answer({**ROW, "position": 2**32}),
    "no hash": engine_answer({**ROW, "row_hash": "-1"}),
    "a long hash": engine_answer({**ROW, "row_hash": "9" * 100_000}),
    "a long name": engine_answer({**ROW, "service": "s" * 100_000}),
    "statistics of text": engine_answer(statistics={"rows_read": "1", "elapsed": "x"}),
    "NaN": b'{"data":[],"statistics":{"rows_read":1,"elapsed":NaN}}',
    "a number beyond a double": b'{"data":[],"statistics":{"rows_read":1,"elapsed":1e999}}',
    "digits": b'{"data":[],"statistics":{"rows_read":' + b"9" * 10_000 + b',"elapsed":1}}',
    "half a surrogate pair": engine_answer({**ROW, "message": "x"}).replace(b'"x"', b'"\\ud800"'),
    "no UTF-8": engine_answer({**ROW, "message": "x"}).replace(b'"x"', b'"\xff"'),
}


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE)
def test_what_no_clickhouse_answers_is_the_customers_error(answer: bytes) -> None:
    keeper = Keeper(acme=Warehouse(answer))
    with pytest.raises(HttpError) as refused:
        archives(keeper).find(ACME, STATEMENT)
    assert (refused.value.status, refused.value.code) == (503, "destination_unavailable")
    assert keeper.forgotten == ["acme"]


@pytest.mark.parametrize("metadata", ["{", "no JSON", "[" * 200_000, '{"a":NaN}', "\x00"], ids=repr)
def test_metadata_that_others_wrote_into_their_table_leaves_the_answer_readable(metadata: str) -> None:
    warehouse = Warehouse(engine_answer({**ROW, "metadata": metadata}))
    result = archives(Keeper(acme=warehouse)).find(ACME, STATEMENT)
    answer = json.loads(page(search(b"", 10**18), result))
    assert [event["metadata"] for event in answer["events"]] == [metadata]


@pytest.mark.parametrize("code", [62, 47, 43, 115, 452])
def test_a_statement_that_only_their_engine_refuses_is_theirs_to_look_at(code: int) -> None:
    with pytest.raises(HttpError) as refused:
        archives(Keeper(acme=Warehouse(refusal(code)))).find(ACME, STATEMENT)
    assert (refused.value.status, refused.value.code) == (503, "destination_unavailable")


@pytest.mark.parametrize(
    "fault",
    [
        WarehouseDownError("x"),
        OutcomeUnknownError("x"),
        refusal(252),
        refusal(516),
        refusal(193),
        refusal(497),
    ],
    ids=str,
)
def test_when_theirs_fails_the_answer_says_so_and_a_rotation_heals_at_once(fault: Exception) -> None:
    keeper = Keeper(acme=Warehouse(fault))
    with pytest.raises(HttpError) as reported:
        archives(keeper).find(ACME, STATEMENT)
    assert (reported.value.status, reported.value.code) == (503, "destination_unavailable")
    assert "Your ClickHouse" in reported.value.message
    assert keeper.forgotten == ["acme"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (NoDestinationError("x"), 403, "no_destination"),
        (CredentialsUnreadableError("x"), 503, "destination_unavailable"),
        (AddressRefusedError("x"), 503, "destination_unavailable"),
        (StoreUnavailableError("x"), 503, "search_unavailable"),
    ],
    ids=str,
)
def test_each_failure_to_reach_a_customers_clickhouse_has_its_code(
    fault: Exception, status: int, code: str
) -> None:
    keeper = Keeper()
    keeper.fault = fault
    with pytest.raises(HttpError) as reported:
        archives(keeper).find(ACME, STATEMENT)
    assert (reported.value.status, reported.value.code) == (status, code)


class WithoutColumns(Warehouse):
    """A ClickHouse whose table lacks a column."""

    def select_json(self, sql: str, *others: Any) -> bytes:
        if sql == STATEMENT.sql:
            self.asked.append(sql)
            raise refusal(47)
        return super().select_json(sql, *others)


def test_a_table_without_the_identity_is_searched_by_the_other_statement() -> None:
    acme, globex = WithoutColumns(engine_answer(ROW)), Warehouse(engine_answer(ROW))
    found, other = archives(Keeper(acme=acme, globex=globex)), Statement("SELECT 2", {})
    assert [row.row_hash for row in found.find(ACME, STATEMENT, other).rows] == ["7"]
    assert acme.asked == [STATEMENT.sql, other.sql]
    found.find(GLOBEX, STATEMENT, other)
    assert globex.asked == [STATEMENT.sql]


def test_a_search_that_is_too_heavy_is_the_searchers_to_narrow() -> None:
    with pytest.raises(HttpError) as reported:
        archives(Keeper(acme=Warehouse(refusal(158)))).find(ACME, STATEMENT)
    assert (reported.value.status, reported.value.code) == (400, "query_too_heavy")


@pytest.mark.parametrize("code", [60, 81])
def test_before_the_first_logs_there_is_nothing_to_find(code: int) -> None:
    assert archives(Keeper(acme=Warehouse(refusal(code)))).find(ACME, STATEMENT) is NOTHING


def test_what_answers_in_another_language_is_their_fault_too() -> None:
    with pytest.raises(HttpError) as reported:
        archives(Keeper(acme=Warehouse(ValueError("no JSON")))).find(ACME, STATEMENT)
    assert reported.value.code == "destination_unavailable"


@pytest.mark.parametrize(("plan", "whose"), [("byoc", "own"), ("managed_15", "ours")])
def test_the_plan_decides_where_it_is_searched(
    plan: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Either:
        def __init__(self, name: str) -> None:
            self.name = name

        def find(self, *_: Any) -> SearchResult:
            asked.append(self.name)
            return NOTHING

        def charging(self, _caller: Any) -> AbstractContextManager[None]:
            assert self.name == "ours", "a customer's ClickHouse has no budget"
            return nullcontext()

    monkeypatch.setattr(querying, "_managed_search", lambda: Either("ours"))
    monkeypatch.setattr(querying, "_byoc_search", lambda: Either("own"))
    verdict = {
        "verdict": "ok", "tenant_id": "acme", "key_id": "k", "project_id": "p", "scopes": "read",
        "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
        "plan": plan,
    }  # fmt: skip
    context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
    asks = {"routeKey": "POST /v1/search", "requestContext": context, "body": "{}"}
    response = querying.handler(asks, None)
    assert response["statusCode"] == 200
    assert asked == [whose]
