"""A wrong method is 405 with `Allow`, an unknown path 404; the table is the whole topology."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest import handler
from functions.ingest.unmatched import _INSTEAD, ANY, RouteTable, unmatched
from infra.topology import FUNCTIONS, UNKNOWN_ROUTES, function
from local.routing import Routes

TABLE = RouteTable.parse(function(UNKNOWN_ROUTES).settings["routes"])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def filled(path: str, value: str) -> str:
    """The path with `value` for its parameters."""
    return re.sub(r"\{[^}]*\}", lambda _: value, path)


def event(path: str) -> dict[str, Any]:
    context = {"requestId": "r-1", "http": {"method": "PATCH"}}
    return {"routeKey": "$default", "rawPath": path, "requestContext": context}


API = tuple(replace(spec, routes=tuple(each for each in spec.routes if each.is_api)) for spec in FUNCTIONS)
"""The functions without the pages of the dashboard, which no program asks for by another method."""


def test_every_route_of_the_api_is_in_the_table() -> None:
    for spec in API:
        for route in spec.routes:
            methods = ANY if route.method == "ANY" else (route.method,)
            assert set(methods) <= set(TABLE.allowed(filled(route.path, "x")))


@given(
    st.sampled_from([route.path for spec in API for route in spec.routes]),
    st.text("ab/{}.+", max_size=5),
)
def test_a_method_is_allowed_exactly_where_the_gateway_has_a_route(path: str, value: str) -> None:
    sent = filled(path, value)
    routes = Routes(API)
    for method in METHODS:
        assert (method in TABLE.allowed(sent)) is (routes.match(method, sent).route_key != "$default")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/drain", ["POST"]),
        ("/v1/keys/key_1", ["DELETE"]),
        ("/v1/uploads/settings", ["GET", "PUT"]),
        ("/v1/account", ["DELETE", "GET", "PATCH"]),
        ("/v1/keys/", []),
        ("/v1/drain/", []),
        ("/", list(ANY)),
        ("/logs/_bulk", list(ANY)),
        ("", []),
    ],
)
def test_the_methods_of_a_path(path: str, methods: list[str]) -> None:
    assert TABLE.allowed(path) == methods


@pytest.mark.usefixtures("ingest")
def test_a_wrong_method_is_answered_in_the_contracts_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_route_table", lambda: TABLE)
    wrong, unknown = (handler.handler(event(path), None) for path in ("/v1/keys", "/v1/nothing"))
    assert (wrong["statusCode"], wrong["headers"]["allow"]) == (405, "GET, POST")
    assert json.loads(wrong["body"]) == {
        "error": "This path does not support the method. Use GET or POST.",
        "code": "method_not_allowed",
        "request_id": "r-1",
    }
    assert (unknown["statusCode"], json.loads(unknown["body"])["code"]) == (404, "not_found")
    assert "allow" not in unknown["headers"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/traces", "/v1/logs (OTLP)"),
        ("/api/v1/push", "metrics are not accepted"),
        ("/write", "/v1/drain"),
        ("/api/v1/series", "/api/v2/logs"),
        ("/v1/drain/", "without a slash"),
        ("/upload", "/v1/journald"),
    ],
)
def test_a_path_of_a_known_sender_says_what_to_use(path: str, words: str) -> None:
    error = unmatched(event(path), TABLE)
    assert (error.status, error.code) == (404, "not_found")
    assert words in error.message


def test_what_a_hint_recommends_exists_and_what_it_is_for_does_not() -> None:
    for path, hint in _INSTEAD.items():
        assert hint in unmatched(event(path), TABLE).message
        assert not TABLE.allowed(path), path
        for named in re.findall(r"(/v1/[a-z/]+|/api/v2/logs)", hint):
            assert TABLE.allowed(named.removesuffix("/")) or named == "/v1/journald", hint


def test_the_error_never_quotes_the_path() -> None:
    assert "canary" not in unmatched(event("/canary"), TABLE).message


def test_the_setting_fits_beside_the_others_into_lambdas_4_kb() -> None:
    settings = function(UNKNOWN_ROUTES).settings
    assert sum(len(f"ASTRALOG_{name}={value}") for name, value in settings.items()) < 3072
