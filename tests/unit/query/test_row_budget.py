"""What searches may read in our ClickHouse: charged afterwards, to the account and the key that read."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.query import handler as querying
from functions.query.compile import Statement
from functions.query.limits.row_budget import RowBudget, RowRates
from functions.query.limits.row_meter import STOPPED_ROWS_A_SECOND, RowMeter
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.access import Principal
from functions.shared.errors import HttpError
from functions.shared.tables.direct_client import DirectClient
from functions.shared.tables.search_budgets import SearchBudgetItem
from functions.shared.tables.signed_budgets import FORGET_SECONDS
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import refusal
from tests.aws_in_memory import create_tables
from tests.signed_connection import signed_requests_to

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=2, max_result_bytes=3, max_threads=4)
RATES = RowRates(account=6_000_000, caller=3_000_000)
TABLE = "search-budgets"
TIMEOUT = 159


@dataclass
class Engine:
    """Answers each statement without rows, and says that it read `rows_read`; `fault` instead, if any."""

    rows_read: int = 0
    fault: Exception | None = None
    statements: list[str] = field(default_factory=list)

    def engine_version(self) -> tuple[int, int]:
        return (26, 9)

    def select_json(self, sql: str, _parameters: Any, _settings: dict[str, Any]) -> bytes:
        self.statements.append(sql)
        if self.fault:
            raise self.fault
        estimate = [{"database": "d", "table": "events", "parts": "2", "rows": "8192", "marks": 1}]
        data = estimate if sql.startswith("EXPLAIN ESTIMATE") else []
        statistics = {"rows_read": self.rows_read, "bytes_read": 1, "elapsed": 0.001}
        return json.dumps({"data": data, "statistics": statistics}).encode()


class Service:
    """The query function with a budget, at `now`."""

    def __init__(self, dynamodb: Any) -> None:
        self.now = 1_800_000_000.25
        self.engine = Engine()
        self.table = Table(SearchBudgetItem, TABLE, dynamodb)
        self.budget = RowBudget(TABLE, RATES, lambda: self.now)
        self.managed = ManagedSearch(EventSearch(self.engine, LIMITS), 4, budget=self.budget)  # type: ignore[arg-type]

    def ask(
        self, tenant: str = "acme", actor: str = "key:k1", route: str = "POST /v1/search", **query: str
    ) -> dict[str, Any]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": actor,
            "plan": "managed_30",
        }  # fmt: skip
        context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
        event = {"routeKey": route, "requestContext": context, "body": "{}", "queryStringParameters": query}
        response: dict[str, Any] = querying.handler(event, None)
        return response

    def read(self, rows: int, tenant: str = "acme", actor: str = "key:k1") -> int:
        """The status of a search that reads so many rows."""
        self.engine.rows_read = rows
        status: int = self.ask(tenant, actor)["statusCode"]
        return status


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(dynamodb)
        service = Service(dynamodb)
        monkeypatch.setattr(querying, "_managed_search", lambda: service.managed)
        with signed_requests_to(dynamodb):
            yield service


def caller(tenant: str, actor: str) -> Principal:
    return Principal(TenantId(tenant), "k", "p", frozenset({"read"}), 30, 1, "", actor, "managed_30")


def test_heavy_searches_of_one_account_never_cost_another_anything(here: Service) -> None:
    assert here.read(100_000_000) == 200
    assert here.read(1) == 429
    assert [here.read(1_000, "globex") for _ in range(20)] == [200] * 20
    assert here.read(1) == 429, "and the other account's searches pay no debt"
    rows = {each.entry: each.paid_ms for each in here.table.query("globex")}
    assert rows.keys() == {"account", "key:k1"}
    assert all(paid < here.now * 1000 + 1_000 for paid in rows.values())


def test_a_search_is_charged_for_what_it_read_and_makes_debt(here: Service) -> None:
    """12 million rows are four minutes of the key's rate, of which one may be in advance."""
    assert here.read(12_000_000) == 200
    response = here.ask()
    body = json.loads(response["body"])
    assert response["statusCode"] == 429
    assert body["code"] == "search_budget_exceeded"
    assert (body["budget"], body["rows_a_minute"]) == ("key", 3_000_000)
    assert response["headers"]["retry-after"] == "180"
    assert "dry_run" in body["error"]


def test_retry_after_is_exact(here: Service) -> None:
    assert here.read(12_000_000) == 200
    here.now += 179
    assert here.read(1) == 429
    here.now += 1
    assert here.read(0) == 200


def test_keys_of_an_account_share_its_budget_and_have_their_own(here: Service) -> None:
    assert here.read(4_500_000, actor="key:k1") == 200
    assert here.read(1, actor="key:k1") == 429
    assert here.read(4_500_000, actor="key:k2") == 200, "the account has read less than two minutes' rows"
    response = here.ask(actor="person:p1")
    assert response["statusCode"] == 429
    assert json.loads(response["body"])["budget"] == "account"
    assert response["headers"]["retry-after"] == "30"


def test_a_budget_that_was_not_used_earns_no_more_than_a_minute(here: Service) -> None:
    assert here.read(1_000) == 200
    here.now += 86_400
    assert here.read(6_000_000) == 200
    assert here.ask()["headers"]["retry-after"] == "60"


def test_small_searches_are_never_rejected(here: Service) -> None:
    """A hundred a second of 400 rows are less than the key's rate."""
    for _ in range(300):
        assert here.read(400) == 200
        here.now += 0.01


def test_a_search_that_the_engine_stopped_is_charged_by_its_time(
    here: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((10.0, 14.0))
    monkeypatch.setattr("functions.query.searching.event_search.time.monotonic", lambda: next(clock))
    here.engine.fault = refusal(TIMEOUT)
    meter = RowMeter()
    monkeypatch.setattr(here.managed, "_meter", meter)
    with suppress(HttpError), here.budget.charging(caller("acme", "key:k1"), RowMeter()):
        here.managed.answer(TenantId("acme"), Statement("SELECT 1", {}), lambda content: content)
    assert meter.take(TenantId("acme")) == 4 * STOPPED_ROWS_A_SECOND
    assert meter.take(TenantId("globex")) == 0


def test_a_search_that_fails_is_charged_for_what_it_read(here: Service) -> None:
    meter = RowMeter()
    with suppress(ValueError), here.budget.charging(caller("acme", "key:k1"), meter):
        meter.add(TenantId("acme"), 60_000_000)
        raise ValueError
    assert here.read(1) == 429


def test_charges_of_concurrent_searches_add_up(here: Service) -> None:
    """Both were admitted with the same, empty budget."""
    one, two = RowMeter(), RowMeter()
    acme = caller("acme", "key:k1")
    with here.budget.charging(acme, one), here.budget.charging(acme, two):
        one.add(acme.tenant, 3_000_000)
        two.add(acme.tenant, 3_000_000)
    assert here.ask()["headers"]["retry-after"] == "60"


def test_a_dry_run_reads_nothing_is_not_charged_and_runs_in_debt(here: Service) -> None:
    assert here.read(60_000_000) == 200
    here.engine.statements.clear()
    posted = ("POST /v1/search", "POST /v1/stats", "POST /v1/histogram", "POST /v1/patterns")
    for route in (*posted, "GET /v1/search", "GET /v1/histogram"):
        response = here.ask(route=route, dry_run="true")
        assert response["statusCode"] == 200, response
        assert json.loads(response["body"])["estimate"]["rows"] >= 8192
    assert all(each.startswith("EXPLAIN ESTIMATE SELECT ") for each in here.engine.statements)
    assert here.ask()["headers"]["retry-after"] == str(20 * 60 - 60)


def test_a_dry_run_is_true_or_false_on_the_routes_that_have_it(here: Service) -> None:
    assert here.ask(dry_run="false")["statusCode"] == 200
    wrong = here.ask(dry_run="1")
    assert (wrong["statusCode"], json.loads(wrong["body"])["code"]) == (400, "invalid_dry_run")
    other = here.ask(route="POST /v1/query/complete", dry_run="true")
    assert (other["statusCode"], json.loads(other["body"])["code"]) == (400, "unknown_parameter")


def test_without_dynamodb_searches_run(here: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any, **__: Any) -> None:
        raise StoreUnavailableError("DynamoDB: InternalServerError")

    monkeypatch.setattr(DirectClient, "batch_get_item", unavailable)
    monkeypatch.setattr(DirectClient, "update_item", unavailable)
    assert [here.read(60_000_000), here.read(1)] == [200, 200]


def test_a_rate_of_zero_is_no_limit_and_writes_nothing(here: Service) -> None:
    free = RowBudget(TABLE, RowRates(0, 0), lambda: here.now)
    free.charge(caller("acme", "key:k1"), 10**12)
    free.admit(caller("acme", "key:k1"))
    assert list(here.table.query("acme")) == []


def test_an_item_expires_after_its_debt(here: Service) -> None:
    here.read(12_000_000)
    (key,) = [each for each in here.table.query("acme") if each.entry == "key:k1"]
    assert key.paid_ms == 1_800_000_000_250 + 240_000
    assert key.forget_at == 1_800_000_240 + FORGET_SECONDS
