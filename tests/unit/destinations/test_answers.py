"""What the routes answer after a concurrent change, or when our own stores are away."""

import json
from typing import Any

import pytest

from functions.destinations.handler import DestinationService, answer_to
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.byoc.destination_store import DestinationChangedError
from functions.shared.byoc.encryption import KeyServiceUnavailableError
from functions.shared.errors import RetryableError
from functions.shared.http import answering
from functions.shared.tables.store_errors import StoreUnavailableError

NOON = 1_800_000_000
CONTEXT = {
    "verdict": "ok",
    "tenant_id": "acme",
    "key_id": "key_1",
    "project_id": "default",
    "scopes": "admin",
    "retention_days": "30",
    "bytes_per_second": "1000",
    "actor": "key:key_1",
    "plan": "byoc",
    "refusal": "",
}


class Failing:
    """Destinations that fail whatever they are asked."""

    def __init__(self, fault: RetryableError) -> None:
        self._fault = fault

    def summary(self, _tenant: str) -> Any:
        raise self._fault

    get = put = remove = summary


class PeopleTable:
    """The table of people: acme's sessions have ended, those of globex have not."""

    def get_item(self, Key: Any, **_: Any) -> Any:  # noqa: N803 - DynamoDB's name
        ended = NOON if Key["subject"]["S"] == "s-acme" else 0
        return {"Item": {"sessions_ended_at": {"N": str(ended)}}}


def ask(route: str, fault: RetryableError, **verdict: str) -> dict[str, Any]:
    method, path = route.split()
    event = {
        "routeKey": route,
        "rawPath": path,
        "requestContext": {
            "http": {"method": method, "path": path},
            "requestId": "r-1",
            "authorizer": {"lambda": {**CONTEXT, **verdict}},
        },
    }
    sessions = SessionCheck("people", PeopleTable())
    service = DestinationService(Failing(fault), None, None, None, sessions, None)  # type: ignore[arg-type]
    return answering(lambda each: answer_to(each, service))(event, None)


ROUTES = pytest.mark.parametrize(
    "route",
    [
        "GET /v1/destination",
        "GET /v1/destination/role",
        "PUT /v1/destination",
        "DELETE /v1/destination",
        "POST /v1/destination/test",
    ],
)


@ROUTES
@pytest.mark.parametrize("kind", [StoreUnavailableError, KeyServiceUnavailableError])
def test_an_outage_on_our_side_asks_to_try_again(route: str, kind: type[RetryableError]) -> None:
    response = ask(route, kind("canary"))
    assert response["statusCode"] == 503
    assert response["headers"]["retry-after"] == "2"
    assert json.loads(response["body"])["code"] == "try_again"
    assert "canary" not in response["body"]


@pytest.mark.parametrize("route", ["PUT /v1/destination", "DELETE /v1/destination"])
def test_an_ended_session_changes_nothing_even_while_it_is_cached(route: str) -> None:
    """The stores fail when they are asked: 503 means that the session was accepted."""
    began = str(NOON - 60)
    statuses = [
        ask(route, StoreUnavailableError("x"), actor=f"person:s-{each}", signed_in_at=began)
        for each in ("acme", "globex")
    ]
    assert [each["statusCode"] for each in statuses] == [401, 503]


@ROUTES
def test_a_change_in_between_is_a_conflict(route: str) -> None:
    response = ask(route, DestinationChangedError("canary"))
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (409, "concurrent_change")
