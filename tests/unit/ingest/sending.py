"""Requests of clients to ingest's routes, as the gateway sends them, with the authorizer's verdict."""

import json
from typing import Any
from urllib.parse import parse_qsl

from functions.ingest import handler as ingesting
from infra.topology import FUNCTIONS
from local.routing import Routes
from tests.integration.http_events import drain_event

ROUTES = Routes(FUNCTIONS)

REFUSALS: dict[str, dict[str, str]] = {
    "no key": {"verdict": "missing_key"},
    "wrong": {"verdict": "malformed_key"},
    "revoked": {"verdict": "unknown_key"},
    "wrong scope": {"scopes": "read"},
    "over rate": {"bytes_per_second": "0"},
    "over quota": {"refusal": "quota_exceeded"},
    "closed": {"refusal": "account_closing"},
}
"""What is wrong with the caller -> what the authorizer says instead of `ok`."""


def event_to(
    url: str, body: bytes = b"", headers: dict[str, str] | None = None, tenant: str = "acme", **verdict: str
) -> dict[str, Any]:
    """The event of a request; `url` is `<method> <path>` with an optional query."""
    method, _, target = url.partition(" ")
    path, _, query = target.partition("?")
    match = ROUTES.match(method, path)
    made = drain_event(body, headers, tenant)
    made["headers"] = dict(headers or {})
    made["requestContext"]["authorizer"]["lambda"] |= verdict
    made["requestContext"]["http"] = {"method": method, "path": path}
    return {
        **made,
        "routeKey": match.route_key,
        "rawPath": path,
        "pathParameters": dict(match.parameters),
        "queryStringParameters": dict(parse_qsl(query)),
    }


def send(url: str, body: bytes = b"", headers: dict[str, str] | None = None, **more: str) -> dict[str, Any]:
    """The answer to a request."""
    return ingesting.handler(event_to(url, body, headers, **more), None)


def said(answer: dict[str, Any]) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def shown(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """The values of a row's columns."""
    return tuple(row[name] for name in names)
