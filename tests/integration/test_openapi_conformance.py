"""schemathesis sends requests made from the OpenAPI document, valid and invalid, to a stack of their own.

No answer is a 5xx, and each is documented: its status, content type and body. Two accounts send them, and
neither sees anything of the other.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.ingest import openapi as ingest
from openapi.build import made
from tests.documented import documented_answers
from tests.integration.person import Person
from tests.integration.sending import drain
from tests.integration.stack import RunningStack, bearer, running_stack

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

CLOSED = "http://127.0.0.1:1"
"""Where nothing listens: no request of a destination's test leaves this machine."""

BINARY = (ingest.NDJSON, ingest.MSGPACK, ingest.PROTOBUF, ingest.JOURNAL, ingest.LOGPLEX)

SHORT, LONG = 6, 100
"""Requests of each operation, before those of the coverage phase in the long run."""

SCHEMA = schemathesis.openapi.from_dict(made())
SCHEMA.config.phases.coverage.enabled = False
EXHAUSTIVE = schemathesis.openapi.from_dict(made())


@schemathesis.serializer(*BINARY)
def _bytes_of(_context: SerializationContext, value: Any) -> bytes:
    """A body of another type than JSON: text and bytes as they are, and anything else, to be rejected."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Caller:
    """An account of a test's own. `ids`: of its keys, uploads, exports and erasures."""

    key: str
    token: str
    marker: str
    ids: tuple[str, ...]

    def headers(self, case: Case) -> dict[str, str]:
        security = case.operation.definition.raw.get("security", [])
        needs_session = any("accessToken" in each for each in security)
        return bearer(self.token if needs_session else self.key)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of this module's own: its requests use up limits and close accounts."""
    with running_stack(tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture(scope="module")
def callers(world: RunningStack) -> tuple[Caller, Caller]:
    with world.client() as client:
        return new_caller(client, world), new_caller(client, world)


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
    )
    return Caller(key["key"], token, marker, ids)


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
    case.validate_response(response, checks=CHECKS)
    documented_answers().check(
        case.method,
        case.operation.path,
        response.status_code,
        response.headers.get("content-type", [""])[0],
        response.content,
    )
    assert other.marker.encode() not in response.content
    assert not foreign or response.status_code in (400, 404, 409, 413), "as an id that does not exist"


def stay_on_this_machine(body: Any) -> None:
    """Point a destination in a body at CLOSED."""
    if not isinstance(body, dict):
        return
    if isinstance(body.get("clickhouse"), dict):
        body["clickhouse"] |= {"host": "127.0.0.1", "port": 1}
    if isinstance(body.get("bucket"), dict):
        body["bucket"]["endpoint"] = CLOSED


@SCHEMA.parametrize()
@settings(max_examples=SHORT, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_answer_is_a_server_error_or_undocumented(
    case: Case, world: RunningStack, callers: tuple[Caller, Caller]
) -> None:
    call(case, world, callers)


@pytest.mark.soak
@EXHAUSTIVE.parametrize()
@settings(max_examples=LONG, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_answer_of_many_is_a_server_error_or_undocumented(
    case: Case, world: RunningStack, callers: tuple[Caller, Caller]
) -> None:
    call(case, world, callers)


def test_a_destination_of_a_request_is_never_elsewhere() -> None:
    body = {"clickhouse": {"host": "db.example.com"}, "bucket": {"name": "logs"}}

    stay_on_this_machine(body)

    assert "example.com" not in json.dumps(body)
    assert body["bucket"] == {"name": "logs", "endpoint": CLOSED}
