"""Who may search, and what a search that cannot be answered says."""

import json
from typing import Any

import pytest

from functions.query.compile import Statement
from functions.query.handler import handler
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.errors import HttpError
from functions.shared.warehouse import (
    OutcomeUnknownError,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)


class Failing:
    """A warehouse that answers every SELECT with one fault."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def select_json(self, *_arguments: Any) -> None:
        raise self._fault


def refused(fault: Exception) -> HttpError:
    event_search = EventSearch(Failing(fault), SearchLimits(1, 1, 1, 1))  # type: ignore[arg-type]
    with pytest.raises(HttpError) as caught:
        event_search.find(Statement("SELECT 1", {}))
    return caught.value


@pytest.mark.parametrize("code", [158, 159, 160, 241, 307, 396])
@pytest.mark.parametrize("kind", [WarehouseBusyError, WarehouseRefusedError])
def test_a_search_beyond_its_limits_is_asked_to_be_narrower(kind: Any, code: int) -> None:
    assert (refused(kind("", code)).status, refused(kind("", code)).code) == (400, "query_too_heavy")


@pytest.mark.parametrize(
    "fault", [WarehouseDownError(), OutcomeUnknownError(), WarehouseBusyError("too many queries", 202)]
)
def test_an_engine_that_does_not_answer_is_worth_another_try(fault: Exception) -> None:
    refusal = refused(fault)
    assert (refusal.status, refusal.code) == (503, "search_unavailable")
    assert refusal.retry_after_seconds == 2


def test_a_statement_the_engine_does_not_understand_is_our_fault_and_stays_one() -> None:
    event_search = EventSearch(Failing(WarehouseRefusedError("", 62)), SearchLimits(1, 1, 1, 1))  # type: ignore[arg-type]
    with pytest.raises(WarehouseRefusedError):
        event_search.find(Statement("SELECT 1", {}))


def _event(context: dict[str, str]) -> dict[str, Any]:
    return {
        "rawPath": "/v1/search",
        "headers": {},
        "body": "{}",
        "requestContext": {
            "requestId": "r1",
            "http": {"method": "POST"},
            "authorizer": {"lambda": context},
        },
    }


def test_a_search_without_a_key_is_refused() -> None:
    answer = handler(_event({"verdict": "missing_key"}), None)
    assert answer["statusCode"] == 401


def test_a_key_that_may_only_send_logs_may_not_search() -> None:
    context = {
        "verdict": "ok",
        "tenant_id": "acme",
        "key_id": "k",
        "project_id": "",
        "scopes": "ingest",
        "retention_days": "30",
        "bytes_per_second": "1",
        "actor": "key:key_1",
        "plan": "managed_30",
        "refusal": "",
    }
    answer = handler(_event(context), None)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (403, "forbidden_scope")
