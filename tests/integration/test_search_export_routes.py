"""The routes of exports through the handler: forms, tenants, scopes, and what the document says of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.query import handler as querying
from functions.query.exporting.forms import EXPORT_ROUTES
from functions.query.exporting.service import MAX_LISTED, search_export_service
from functions.shared.tenancy import TenantId
from tests.aws_environment import set_aws_environment
from tests.aws_in_memory import create_tables
from tests.documented import documented_answers
from tests.unit.query.test_search_page import LAMBDA_ANSWER_BYTES

TENANTS = ("acme", "globex")


class ExportRoutes:
    """Asks the handler, and compares each response with the OpenAPI document."""

    def __init__(self) -> None:
        self._documented = documented_answers()

    def ask(
        self,
        route: str,
        tenant: str,
        body: Any = None,
        *,
        export_id: str = "",
        query: dict[str, str] | None = None,
        scopes: str = "read",
    ) -> tuple[int, Any]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": scopes,
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": "managed_30",
        }  # fmt: skip
        method, path = route.split()
        context = {"requestId": "r", "http": {"method": method}, "authorizer": {"lambda": verdict}}
        event = {
            "routeKey": route,
            "requestContext": context,
            "queryStringParameters": query,
            "pathParameters": {"id": export_id},
            "body": None if body is None else json.dumps(body),
        }
        response = querying.handler(event, None)
        content = response["body"].encode()
        self._documented.check(
            method, path.replace("{id}", export_id), response["statusCode"], "application/json", content
        )
        return response["statusCode"], json.loads(content)


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportRoutes]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        create_tables(boto3.client("dynamodb", region_name="us-east-1"))

        def none_is_byoc() -> Any:
            raise AssertionError("no customer's bucket is opened")

        service = search_export_service("search-exports", "exports", none_is_byoc)
        monkeypatch.setattr(querying, "_search_exports", lambda: service)
        yield ExportRoutes()


def test_an_export_is_requested_listed_and_read_by_its_tenant_alone(routes: ExportRoutes) -> None:
    made = {}
    for tenant in TENANTS:
        body = {"query": f"of:{tenant}", "from": "-2h", "format": "csv", "compression": "none"}
        status, requested = routes.ask("POST /v1/search/export", tenant, body)
        assert (status, requested["status"]) == (202, "requested")
        made[tenant] = requested["id"]
    for tenant, other in (TENANTS, TENANTS[::-1]):
        status, listed = routes.ask("GET /v1/search/exports", tenant)
        assert (status, [each["id"] for each in listed["exports"]]) == (200, [made[tenant]])
        status, shown = routes.ask("GET /v1/search/exports/{id}", tenant, export_id=made[tenant])
        assert (status, shown["query"], shown["format"], shown["link"]) == (200, f"of:{tenant}", "csv", None)
        status, missing = routes.ask("GET /v1/search/exports/{id}", tenant, export_id=made[other])
        assert (status, missing["code"]) == (404, "not_found")


def test_a_request_without_a_body_exports_the_last_day(routes: ExportRoutes) -> None:
    status, requested = routes.ask("POST /v1/search/export", "acme")
    assert status == 202
    shown = querying._search_exports().get(TenantId("acme"), requested["id"])
    assert (shown.format, shown.compression) == ("ndjson", "gzip")
    assert shown.since < shown.until


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"format": "xlsx"}, "invalid_format"),
        ({"compression": "zstd"}, "invalid_compression"),
        ({"levels": ["errr"]}, "invalid_levels"),
        ({"query": "level:"}, "invalid_query"),
        ({"query": "* | stats count()"}, "invalid_query"),
        ({"order": "asc"}, "unknown_field"),
        ({"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, "invalid_from"),
        ({"services": ["x" * 1000] * 100}, "invalid_body"),
        ({"services": [f"{number}" + "\x01" * 1000 for number in range(90)]}, "invalid_body"),
        ([], "invalid_body"),
    ],
)
def test_a_request_that_cannot_run_is_rejected_at_once(routes: ExportRoutes, body: Any, code: str) -> None:
    status, rejected = routes.ask("POST /v1/search/export", "acme", body)
    assert (status, rejected["code"]) == (400, code)
    assert routes.ask("GET /v1/search/exports", "acme")[1] == {"exports": []}


@pytest.mark.parametrize(("query", "all_fit"), [("level:error", True), ("\x01" * 8000, False)])
def test_the_list_has_the_newest_exports_and_fits_into_a_response(
    routes: ExportRoutes, query: str, all_fit: bool
) -> None:
    exports = querying._search_exports().exports
    routes.ask("POST /v1/search/export", "acme", {"query": query})
    (first,) = exports.all(TenantId("acme"))
    exports.close(first.failed("moved"))
    for number in range(1, MAX_LISTED + 5):
        at = first.requested_at + number
        later = replace(first, export_id=f"{first.export_id}{number}", requested_at=at)
        exports.close(exports.add(later).failed("moved"))
    routes.ask("POST /v1/search/export", "globex", {"query": "theirs"})
    status, listed = routes.ask("GET /v1/search/exports", "acme")
    assert status == 200
    assert (len(listed["exports"]) == MAX_LISTED) == all_fit
    assert len(json.dumps(json.dumps(listed))) < LAMBDA_ANSWER_BYTES
    newest = [f"{first.export_id}{number}" for number in range(MAX_LISTED + 4, 0, -1)]
    assert [each["id"] for each in listed["exports"]] == newest[: len(listed["exports"])]
    status, limited = routes.ask("POST /v1/search/export", "acme")
    assert (status, limited["code"]) == (429, "too_many_exports")


@pytest.mark.parametrize("route", sorted(EXPORT_ROUTES))
def test_unknown_parameters_and_other_scopes_are_rejected(routes: ExportRoutes, route: str) -> None:
    status, rejected = routes.ask(route, "acme", export_id="sxp_1", query={"dry_run": "true"})
    assert (status, rejected["code"]) == (400, "unknown_parameter")
    assert ("JSON body" in rejected["error"]) == route.startswith("POST "), rejected["error"]
    status, rejected = routes.ask(route, "acme", export_id="sxp_1", scopes="ingest")
    assert (status, rejected["code"]) == (403, "forbidden_scope")
