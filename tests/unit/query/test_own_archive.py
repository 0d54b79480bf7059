"""A BYOC customer searches their own ClickHouse, and hears that it is theirs when it fails."""

from typing import Any

import pytest

from functions.query import handler as querying
from functions.query.archive import Limits
from functions.query.compile import Statement
from functions.query.own_archive import OwnArchives
from functions.shared.custody.buckets import NoDestinationError
from functions.shared.custody.destinations import DestinationsUnavailableError
from functions.shared.custody.sealing import SealBrokenError
from functions.shared.errors import RefusalError
from functions.shared.guarded.guard import AddressRefusedError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import OutcomeUnknownError, Selection, WarehouseDownError, refusal

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
STATEMENT = Statement("SELECT 1", {})
FOUND = Selection([{"a": 1}], 1, 1.0)


class Warehouse:
    def __init__(self, answer: Selection | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def select(self, sql: str, *_: Any) -> Selection:
        self.asked.append(sql)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Keeper:
    def __init__(self, **warehouses: Warehouse) -> None:
        self.warehouses = warehouses
        self.fault: Exception | None = None
        self.forgotten: list[str] = []

    def warehouse(self, tenant: TenantId, _timeout_seconds: int) -> Any:
        if self.fault:
            raise self.fault
        return self.warehouses[tenant]

    def forget(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


def archives(keeper: Keeper) -> OwnArchives:
    return OwnArchives(keeper, Limits(1, 1, 1), 3)  # type: ignore[arg-type]


def test_each_searches_their_own() -> None:
    acme, globex = Warehouse(FOUND), Warehouse(Selection([], 0, 0.0))
    found = archives(Keeper(acme=acme, globex=globex))
    assert found.find(ACME, STATEMENT) == FOUND
    assert (acme.asked, globex.asked) == ([STATEMENT.sql], [])
    assert found.find(GLOBEX, STATEMENT).rows == []


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
    with pytest.raises(RefusalError) as told:
        archives(keeper).find(ACME, STATEMENT)
    assert (told.value.status, told.value.code) == (503, "destination_unavailable")
    assert "Your own ClickHouse" in told.value.message
    assert keeper.forgotten == ["acme"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (NoDestinationError("x"), 403, "no_destination"),
        (SealBrokenError("x"), 503, "destination_unavailable"),
        (AddressRefusedError("x"), 503, "destination_unavailable"),
        (DestinationsUnavailableError("x"), 503, "search_unavailable"),
    ],
    ids=str,
)
def test_what_keeps_us_from_theirs_is_told_apart(fault: Exception, status: int, code: str) -> None:
    keeper = Keeper()
    keeper.fault = fault
    with pytest.raises(RefusalError) as told:
        archives(keeper).find(ACME, STATEMENT)
    assert (told.value.status, told.value.code) == (status, code)


def test_a_search_that_is_too_heavy_is_the_searchers_to_narrow() -> None:
    with pytest.raises(RefusalError) as told:
        archives(Keeper(acme=Warehouse(refusal(158)))).find(ACME, STATEMENT)
    assert (told.value.status, told.value.code) == (400, "query_too_heavy")


@pytest.mark.parametrize("code", [60, 81])
def test_before_the_first_logs_there_is_nothing_to_find(code: int) -> None:
    assert archives(Keeper(acme=Warehouse(refusal(code)))).find(ACME, STATEMENT).rows == []


def test_what_answers_in_another_language_is_their_fault_too() -> None:
    with pytest.raises(RefusalError) as told:
        archives(Keeper(acme=Warehouse(ValueError("no JSON")))).find(ACME, STATEMENT)
    assert told.value.code == "destination_unavailable"


@pytest.mark.parametrize(("plan", "whose"), [("byoc", "own"), ("managed_15", "ours")])
def test_the_plan_decides_where_it_is_searched(
    plan: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Either:
        def __init__(self, name: str) -> None:
            self.name = name

        def find(self, *_: Any) -> Selection:
            asked.append(self.name)
            return Selection([], 0, 0.0)

    monkeypatch.setattr(querying, "_archive", lambda: Either("ours"))
    monkeypatch.setattr(querying, "_own_archives", lambda: Either("own"))
    verdict = {
        "verdict": "ok", "tenant_id": "acme", "key_id": "k", "project_id": "p", "scopes": "read",
        "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
        "plan": plan,
    }  # fmt: skip
    context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
    answered = querying.handler({"requestContext": context, "body": "{}"}, None)
    assert answered["statusCode"] == 200
    assert asked == [whose]
