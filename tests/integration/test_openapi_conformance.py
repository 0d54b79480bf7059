"""schemathesis sends requests made from the OpenAPI document, valid and invalid, to a local stack.

No answer is a 5xx, and each is documented: its status, content type and body. Invalid requests are rejected.
Two accounts send them, and neither sees anything of the other.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import BaseSchema, Case, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.ingest.openapi import shapes
from openapi.build import made
from openapi.declared import DocumentedRoute, documented_routes
from tests.documented import documented_answers
from tests.integration.person import Person
from tests.integration.sending import drain
from tests.integration.stack import RunningStack, bearer

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

LOGS = "ingest"
"""The tag of routes of logs. They accept what their clients send, within the types of the document or not."""

CLOSED = "http://127.0.0.1:1"
"""Where nothing listens: no request of a destination's test leaves this machine."""

BINARY = (shapes.NDJSON, shapes.MSGPACK, shapes.PROTOBUF, shapes.JOURNAL, shapes.LOGPLEX)

SHORT, LONG = 3, 40
"""Requests of each operation, before those of the coverage phase in the long run."""

REJECTED = ["400", "401", "403", "404", "405", "409", "413", "415", "429"]
"""Statuses of a request that the document does not allow."""


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    # A copy: requests are changed where they are, and the document has the examples of the operations.
    schema = schemathesis.openapi.from_dict(deepcopy(made()))
    schema.config.checks.negative_data_rejection.expected_statuses = REJECTED
    return schema


@schemathesis.serializer(*BINARY)
def _bytes_of(_context: SerializationContext, value: Any) -> bytes:
    """A body of another type than JSON: text and bytes as they are, and anything else, to be rejected."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Caller:
    """An account of a test's own. `ids`: of its keys, uploads, exports, erasures and saved searches."""

    key: str
    token: str
    marker: str
    ids: tuple[str, ...]

    def headers(self, case: Case) -> dict[str, str]:
        security = case.operation.definition.raw.get("security", [])
        needs_session = any("accessToken" in each for each in security)
        return bearer(self.token if needs_session else self.key)


@pytest.fixture(scope="module")
def callers(stack: RunningStack) -> tuple[Caller, Caller]:
    with stack.client() as client:
        return new_caller(client, stack), new_caller(client, stack)


def new_caller(client: httpx.Client, stack: RunningStack) -> Caller:
    """An account with something of everything."""
    marker, token = uuid4().hex, Person(client, stack.mail).joins()

    def made_id(path: str, body: dict[str, Any]) -> str:
        answer = client.post(path, json=body, headers=bearer(token))
        assert answer.is_success, answer.text
        made: str = answer.json()["id"]
        return made

    key = client.post("/v1/keys", json={"scopes": ["admin"], "name": marker}, headers=bearer(token)).json()
    assert drain(client, key["key"], [{"message": marker, "service": marker}]).status_code == 202
    ids = (
        made_id("/v1/keys", {"scopes": ["read"], "name": marker}),
        made_id("/v1/uploads", {"filename": f"{marker}.log", "size": 10}),
        made_id("/v1/account/export", {}),
        made_id("/v1/erasures", {"field": "metadata.nothing", "value": marker}),
        made_id("/v1/searches", {"name": marker, "query": marker}),
    )
    return Caller(key["key"], token, marker, ids)


def send_generated(
    schema: BaseSchema,
    route: DocumentedRoute,
    send: Callable[[Case], None],
    count: int,
    *more: HypothesisTestMode,
) -> None:
    """Send `count` requests of a route, valid and invalid, and those of the phases `more`.

    In a test and not by `schema.parametrize`, which makes those of the coverage phase when the module is
    collected: each worker collects all modules. The settings are those of the function, because schemathesis
    prefers the loaded profile of tests/examples.py to settings in its own configuration.
    """

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    def send_one(case: Case) -> None:
        send(case)

    config = HypothesisTestConfig(project=schema.config, modes=[HypothesisTestMode.FUZZING, *more])
    create_test(operation=schema[route.path][route.method], test_func=send_one, config=config)()


_turns = count()


def call(case: Case, stack: RunningStack, callers: tuple[Caller, Caller]) -> None:
    """Send a request as one account, in turns with an id of its own, of the other account, or made up."""
    turn = next(_turns)
    caller, other = callers if turn % 2 else callers[::-1]
    stay_on_this_machine(case.body)
    foreign = ""
    if case.path_parameters and "id" in case.path_parameters and turn % 3:
        owner = caller if turn % 3 == 1 else other
        case.path_parameters["id"] = owner.ids[turn % len(owner.ids)]
        foreign = case.path_parameters["id"] if owner is other else ""
    response = case.call(base_url=stack.api, headers=caller.headers(case), timeout=30)
    is_of_logs = LOGS in case.operation.definition.raw["tags"]
    case.validate_response(response, checks=CHECKS if is_of_logs else [*CHECKS, negative_data_rejection])
    documented_answers().check(
        case.method,
        case.operation.path,
        response.status_code,
        response.headers.get("content-type", [""])[0],
        response.content,
    )
    assert other.marker.encode() not in response.content
    assert not foreign or 400 <= response.status_code < 500, "as an id that does not exist"
    if case.operation.path == "/v1/billing":
        _remove_caps(stack, caller)


def _remove_caps(stack: RunningStack, caller: Caller) -> None:
    """Else all logs that follow would get the same answer."""
    with stack.client() as client:
        client.patch("/v1/billing", json={"hard_cap_gb": None}, headers=bearer(caller.key)).raise_for_status()


def stay_on_this_machine(body: Any) -> None:
    """Point a destination in a body at CLOSED."""
    if not isinstance(body, dict):
        return
    if isinstance(body.get("clickhouse"), dict):
        body["clickhouse"] |= {"host": "127.0.0.1", "port": 1}
    if isinstance(body.get("bucket"), dict):
        body["bucket"]["endpoint"] = CLOSED


def test_the_stack_serves_the_document_of_this_clone(stack: RunningStack) -> None:
    with stack.client() as client:
        answer = client.get("/openapi.json")
        again = client.get("/openapi.json", headers={"if-none-match": answer.headers["etag"]})

    assert answer.json() == made()
    assert (again.status_code, again.content) == (304, b"")


WITHOUT_STATE = {
    "POST /v1/signup/confirm": "invalid_code",
    "POST /v1/login": "unconfirmed",
    "POST /v1/password/reset": "invalid_code",
    "POST /v1/password/change": "invalid_password",
    "POST /v1/account/email/confirm": "sign_in_required",
    "GET /v1/destination": "no_destination",
    "PUT /v1/destination": "destination_unusable",
    "POST /v1/billing/plan": "no_subscription",
    "POST /v1/stripe/webhook": "invalid_signature",
    "POST /v1/quarantine/{id}/replay": "not_found",
    "POST /v1/account/export": "export_in_progress",
    "GET /v1/events/{id}": "not_found",
    "GET /v1/events/{id}/context": "not_found",
    "GET /v1/traces/{id}": "not_found",
    "GET /v1/search/exports/{id}": "not_found",
    "DELETE /v1/erasures/{id}": "not_cancellable",
    "DELETE /v1/account": "confirmation_required",
    "POST /v1/uploads/{id}/resume": "not_resumable",
}
"""Examples that need something that is not there, such as a mailed code or a subscription -> the code."""

KINDS = {"keys": 0, "uploads": 1, "exports": 2, "erasures": 3, "searches": 4}
"""The part of a path before its id -> the place of such an id in `Caller.ids`."""


@pytest.mark.parametrize("route", documented_routes(), ids=lambda route: route.key)
def test_an_example_gets_the_reply_that_is_documented(
    route: DocumentedRoute, stack: RunningStack, callers: tuple[Caller, Caller]
) -> None:
    """Each example of a request is sent as it is, in order, with an id of the account's own."""
    operation, caller = route.operation, callers[0]
    values = {each.name: each.example for each in operation.parameters if each.example is not None}
    query = {each.name: values.get(each.name) for each in operation.parameters if each.place == "query"}
    kind = route.path.partition("/{id}")[0].rpartition("/")[2]
    if "{id}" in route.path and kind in KINDS:
        values["id"] = caller.ids[KINDS[kind]]
    examples = operation.body.examples.items() if operation.body else [("", None)]
    with stack.client() as client:
        is_session = operation.access == "access token"
        key = Person(client, stack.mail).joins() if is_session else caller.key
        for media, example in examples:
            answer = client.request(
                route.method,
                route.path.format(**values),
                params={name: value for name, value in query.items() if value is not None},
                content=None if example is None else _sent(example),
                headers={**bearer(key), **({"content-type": media} if media else {})},
            )
            if answer.status_code not in operation.replies:
                assert answer.json()["code"] == WITHOUT_STATE.get(route.key), answer.text


def _sent(example: Any) -> bytes:
    sent = json.loads(json.dumps(example))
    stay_on_this_machine(sent)
    return sent.encode() if isinstance(sent, str) else json.dumps(sent).encode()


def test_as_many_requests_are_sent_as_a_test_asks_for(schema: BaseSchema) -> None:
    route = next(each for each in documented_routes() if each.key == "POST /v1/search")
    sent: list[Case] = []
    send_generated(schema, route, sent.append, SHORT)
    assert len(sent) == SHORT


@pytest.mark.parametrize("route", documented_routes(), ids=lambda route: route.key)
def test_no_answer_is_a_server_error_or_undocumented(
    route: DocumentedRoute, schema: BaseSchema, stack: RunningStack, callers: tuple[Caller, Caller]
) -> None:
    send_generated(schema, route, lambda case: call(case, stack, callers), SHORT)


@pytest.mark.soak
@pytest.mark.parametrize("route", documented_routes(), ids=lambda route: route.key)
def test_no_answer_of_many_is_a_server_error_or_undocumented(
    route: DocumentedRoute, schema: BaseSchema, stack: RunningStack, callers: tuple[Caller, Caller]
) -> None:
    send_generated(schema, route, lambda case: call(case, stack, callers), LONG, HypothesisTestMode.COVERAGE)


def test_a_destination_of_a_request_is_never_elsewhere() -> None:
    body = {"clickhouse": {"host": "db.example.com"}, "bucket": {"name": "logs"}}

    stay_on_this_machine(body)

    assert "example.com" not in json.dumps(body)
    assert body["bucket"] == {"name": "logs", "endpoint": CLOSED}
