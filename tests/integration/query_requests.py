"""Requests to the query function, over databases of the engine in this process."""

import json
import time
from typing import Any

import pytest

from functions.query import handler as querying
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.warehouse import Warehouse
from tests.integration.stores import WithoutHttp
from tests.unit.query.test_byoc_search import Keeper, Slots

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)


class QueryRequests:
    """The query function's routes, over our ClickHouse and the tenants' own.

    `managed_until`: until then our ClickHouse keeps rows of BYOC tenants, in Unix seconds.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, ours: Warehouse, own: dict[str, Warehouse] | None = None
    ) -> None:
        self.managed_until = int(time.time()) + 3600
        managed = ManagedSearch(EventSearch(WithoutHttp(ours), LIMITS), 4)  # type: ignore[arg-type]
        theirs: dict[str, Any] = {tenant: WithoutHttp(each) for tenant, each in (own or {}).items()}
        byoc = ByocSearch(Keeper(**theirs), Slots(), LIMITS, 3)  # type: ignore[arg-type]
        monkeypatch.setattr(querying, "_managed_search", lambda: managed)
        monkeypatch.setattr(querying, "_byoc_search", lambda: byoc)

    def search(self, tenant: str = "acme", plan: str = "managed_30", **body: Any) -> tuple[int, Any]:
        """Status and body of the response to `POST /v1/search`."""
        return self._answer(tenant, plan, "POST /v1/search", body=json.dumps(body))

    def pages(self, tenant: str = "acme", plan: str = "managed_30", **body: Any) -> list[dict[str, Any]]:
        """The events of all pages, in their order."""
        events: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            status, result = self.search(tenant, plan, cursor=cursor, **body)
            assert status == 200, result
            assert result["events"] or not result["next_cursor"], "an empty page has no next one"
            events += result["events"]
            cursor = result["next_cursor"]
            if cursor is None:
                return events

    def event(self, event_id: str, tenant: str = "acme", plan: str = "managed_30") -> tuple[int, Any]:
        """Status and body of the response to `GET /v1/events/{id}`."""
        return self._answer(tenant, plan, "GET /v1/events/{id}", pathParameters={"id": event_id})

    def context(
        self, event_id: str, tenant: str = "acme", plan: str = "managed_30", **query: Any
    ) -> tuple[int, Any]:
        """Status and body of the response to `GET /v1/events/{id}/context`."""
        parameters = {name: str(value) for name, value in query.items()}
        return self._answer(
            tenant,
            plan,
            "GET /v1/events/{id}/context",
            pathParameters={"id": event_id},
            queryStringParameters=parameters,
        )

    def trace(
        self, trace_id: str, tenant: str = "acme", plan: str = "managed_30", **query: Any
    ) -> tuple[int, Any]:
        """Status and body of the response to `GET /v1/traces/{id}`; `since` is the parameter `from`."""
        parameters = {"from" if name == "since" else name: str(value) for name, value in query.items()}
        return self._answer(
            tenant,
            plan,
            "GET /v1/traces/{id}",
            pathParameters={"id": trace_id},
            queryStringParameters=parameters,
        )

    def post(
        self, route: str, tenant: str = "acme", plan: str = "managed_30", **body: Any
    ) -> tuple[int, Any]:
        """Status and body of the response to a POST of `body`."""
        return self._answer(tenant, plan, f"POST {route}", body=json.dumps(body))

    def estimate(self, route: str, tenant: str = "acme", **body: Any) -> dict[str, int]:
        """The estimate of a POST of `body`."""
        parameters = {"dry_run": "true"}
        status, result = self._answer(
            tenant, "managed_30", f"POST {route}", body=json.dumps(body), queryStringParameters=parameters
        )
        assert status == 200, result
        estimated: dict[str, int] = result["estimate"]
        return estimated

    def _answer(self, tenant: str, plan: str, route: str, **request: Any) -> tuple[int, Any]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": plan, "managed_until": str(self.managed_until),
        }  # fmt: skip
        method = route.partition(" ")[0]
        context = {"requestId": "r", "http": {"method": method}, "authorizer": {"lambda": verdict}}
        response = querying.handler({"routeKey": route, "requestContext": context, **request}, None)
        return response["statusCode"], json.loads(response["body"])
