"""The OpenAPI document has each route of the topology and no other, and says what the code says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from functions.accounts import forms
from functions.shared.error_codes import ERROR_CODES, INVALID_FIELD
from functions.shared.errors import HttpError
from infra.topology import FUNCTIONS, Route
from openapi.build import made
from openapi.declared import UndocumentedRouteError, documented_routes
from tests.documented import DocumentedAnswers, UndocumentedAnswerError, comparing_answers

ROOT = Path(__file__).parents[2]
DOCUMENT = made()
ROUTES = documented_routes()
IDS = [route.key for route in ROUTES]

every_route = pytest.mark.parametrize("route", ROUTES, ids=IDS)


def of_document(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def valid(schema: Any, value: Any) -> list[str]:
    """What is wrong with a value of a schema in the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return [each.message for each in Draft202012Validator(whole).iter_errors(value)]


def test_the_document_is_openapi_3_1() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [each["url"] for each in DOCUMENT["servers"]] == ["/"], "the stack that serves it"


def test_the_document_has_the_routes_of_the_topology_and_no_other() -> None:
    shown = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    routes = {f"{route.method} {route.path}" for spec in FUNCTIONS for route in spec.routes if route.is_api}
    exact = {key for key in routes if not key.startswith("ANY ") and not key.endswith("+}")}
    several = {
        "ANY /": {"GET /", "HEAD /"},
        "ANY /_bulk": {"POST /_bulk", "PUT /_bulk"},
        "ANY /{index}/_bulk": {"POST /{index}/_bulk", "PUT /{index}/_bulk"},
        "POST /services/{path+}": {
            f"POST /services/collector{end}" for end in ("", "/event", "/raw", "/ack")
        },
    }

    assert routes - exact == several.keys()
    assert shown == exact.union(*several.values())


def with_query_route(route: Route) -> tuple[Any, ...]:
    return tuple(
        replace(each, routes=(*each.routes, route)) if each.name == "query" else each for each in FUNCTIONS
    )


def test_a_route_without_a_declaration_is_an_error_that_says_what_to_add() -> None:
    functions = with_query_route(Route("GET", "/v1/toys/{id}"))

    with pytest.raises(UndocumentedRouteError) as missing:
        documented_routes(functions)

    assert str(missing.value) == 'add "GET /v1/toys/{id}": Operation(…) to functions.query.openapi'


def test_a_declaration_without_a_route_is_an_error_that_says_what_to_remove() -> None:
    functions = tuple(replace(each, routes=()) if each.name == "accounts" else each for each in FUNCTIONS)

    with pytest.raises(
        UndocumentedRouteError, match=r'remove "GET /v1/keys" from functions\.accounts\.openapi'
    ):
        documented_routes(functions)


def test_an_operation_has_an_id_of_its_own() -> None:
    ids = [route.operation.id for route in ROUTES]

    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"[a-z][A-Za-z]+", each)] == []


@every_route
def test_an_operation_names_the_parameters_of_its_path(route: Any) -> None:
    declared = {each.name for each in route.operation.parameters if each.place == "path"}

    assert declared == set(re.findall(r"\{(\w+)\}", route.path))
    assert all(each.required for each in route.operation.parameters if each.place == "path")


@every_route
def test_an_operation_needs_a_key_if_its_route_asks_the_authorizer(route: Any) -> None:
    routes = {f"{each.method} {each.path}": each for each in route.function.routes}
    found = routes.get(route.key) or routes.get(f"ANY {route.path}") or routes["POST /services/{path+}"]
    security = of_document(route.path, route.method)["security"]

    assert bool(security) is found.auth


def test_every_security_scheme_is_used_and_a_key_in_the_url_for_logs_alone() -> None:
    used = {
        scheme: {
            route.function.name
            for route in ROUTES
            if scheme in str(of_document(route.path, route.method)["security"])
        }
        for scheme in DOCUMENT["components"]["securitySchemes"]
    }

    assert all(used.values())
    assert used["queryKey"] == {"ingest"}


@every_route
def test_the_codes_of_an_operation_are_in_the_table_with_their_statuses(route: Any) -> None:
    """Protocols of log clients answer with other statuses (functions.ingest.protocols)."""
    operation = route.operation
    for each in operation.errors:
        status, _, code = each.rpartition(" ")
        entry = ERROR_CODES[code]
        assert not status or route.function.name == "ingest" or int(status) in entry.statuses
        assert status or len(entry.statuses) == 1, (
            f"{code} has several statuses: write the one that it has here"
        )
    assert operation.details.keys() <= {each.rpartition(" ")[2] for each in operation.errors}


def test_every_code_of_the_table_is_in_the_document() -> None:
    text = msgspec.json.encode(DOCUMENT).decode()

    assert [code for code in ERROR_CODES if code != INVALID_FIELD and f'"{code}"' not in text] == []


def test_a_code_that_is_not_in_the_table_stops_the_build() -> None:
    from openapi.errors import codes_by_status

    operation = replace(ROUTES[0].operation, errors=("no_such_code",))

    with pytest.raises(KeyError, match="no_such_code"):
        codes_by_status(operation)


def examples_of(route: Any) -> Iterator[tuple[str, Any, Any]]:
    """Where an example is, its schema, and the example."""
    shown = of_document(route.path, route.method)
    for each in shown.get("parameters", ()):
        if "example" in each:
            yield each["name"], each["schema"], each["example"]
    for media, body in shown.get("requestBody", {}).get("content", {}).items():
        if "example" in body:
            yield media, body["schema"], body["example"]
    for status, each in shown["responses"].items():
        name = each.get("$ref", "").rpartition("/")[2]
        response = DOCUMENT["components"]["responses"][name] if name else each
        for body in response.get("content", {}).values():
            if "example" in body:
                yield status, body["schema"], body["example"]


@every_route
def test_the_examples_of_an_operation_are_valid(route: Any) -> None:
    for where, schema, example in examples_of(route):
        assert valid(schema, example) == [], where


@every_route
def test_a_body_in_and_a_body_out_have_examples(route: Any) -> None:
    where = {each for each, _, _ in examples_of(route)}
    operation = route.operation

    assert operation.body is None or where & operation.body.content.keys()
    for status, reply in operation.replies.items():
        if reply.type is not None and reply.media == "application/json":
            assert str(status) in where


@every_route
def test_the_page_of_an_operation_is_there_and_has_the_section(route: Any) -> None:
    name, _, anchor = route.operation.page.partition("#")
    text = (ROOT / "docs" / name).read_text()
    headings = [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]
    anchors = {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}

    assert not anchor or anchor in anchors | set(re.findall(r'<a id="([^"]+)">', text))


def test_no_handler_loads_the_documentation_of_routes() -> None:
    """What handlers load when they start, and what they import later."""
    loading = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "functions").rglob("*.py")
        if not {"openapi.py", "openapi"} & set(path.relative_to(ROOT).parts)
        and re.search(r"import.*\bopenapi\b(?!_)|\.openapi\b(?!_)", path.read_text())
    ]

    assert loading == []


SIGN_IN = {
    "POST /v1/signup": forms.sign_up,
    "POST /v1/signup/confirm": forms.confirmation,
    "POST /v1/signup/resend": forms.email_of,
    "POST /v1/password/reset": forms.reset,
    "POST /v1/password/change": forms.password_change,
}
"""The forms that are read field by field."""


@pytest.mark.parametrize("key", SIGN_IN)
def test_the_types_of_sign_in_require_what_its_forms_require(key: str) -> None:
    (route,) = (each for each in ROUTES if each.key == key)
    assert route.operation.body is not None
    form = route.operation.body.content["application/json"]
    example = route.operation.body.examples["application/json"]
    required = [field.encode_name for field in msgspec.structs.fields(form) if field.required]

    SIGN_IN[key](msgspec.json.encode(example))
    for name in required:
        without = {field: value for field, value in example.items() if field != name}
        with pytest.raises(HttpError, match=name):
            SIGN_IN[key](msgspec.json.encode(without))
    assert required


KEYS = ("GET", "/v1/keys", "application/json")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"keys": [], "more": 1}),
        (200, {}),
        (418, {"keys": []}),
        (403, {"error": "No.", "code": "not_found", "request_id": "1"}),
        (400, {"error": "No.", "code": "invalid_body", "request_id": "1"}),
    ],
    ids=["another field", "a missing field", "another status", "another code", "a status of other routes"],
)
def test_an_answer_that_is_not_documented_is_found(status: int, body: Any) -> None:
    method, path, media = KEYS

    with pytest.raises(UndocumentedAnswerError):
        DocumentedAnswers(DOCUMENT).check(method, path, status, media, msgspec.json.encode(body))


def test_documented_answers_are_accepted() -> None:
    answers = DocumentedAnswers(DOCUMENT)
    method, path, media = KEYS
    form = {"error": "Send a key.", "code": "unauthorized", "request_id": "1"}

    answers.check(method, path, 200, media, b'{"keys": []}')
    answers.check(method, path, 401, media, msgspec.json.encode(form))
    answers.check(method, path, 429, media, b'{"message": "Too Many Requests"}')
    answers.check("GET", "/v1/nothing", 404, media, msgspec.json.encode({**form, "code": "not_found"}))
    answers.check("DELETE", "/v1/keys/key_1", 204, "", b"")


def test_an_answer_with_another_content_type_is_found() -> None:
    with pytest.raises(UndocumentedAnswerError, match="content type"):
        DocumentedAnswers(DOCUMENT).check("GET", "/v1/keys", 200, "text/html", b"{}")


def test_an_answer_by_httpx_is_compared_within_the_block_and_for_its_api_alone() -> None:
    answers = httpx.MockTransport(lambda _request: httpx.Response(418, json={}))

    with httpx.Client(transport=answers) as client:
        with comparing_answers("http://api.test"):
            with pytest.raises(UndocumentedAnswerError, match="418 is not documented"):
                client.get("http://api.test/v1/keys")
            assert client.get("http://mail.test/v1/keys").status_code == 418
        assert client.get("http://api.test/v1/keys").status_code == 418
