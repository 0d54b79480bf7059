"""Generated requests of one account never show anything of another's, and never become SQL.

All that a search returns of an account is here (tests/integration/foreign_world.py). The embedded engine has
no log of queries, so the statements that it is sent are recorded.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import pytest

from infra.topology import FUNCTIONS
from tests.integration.foreign_requests import ANSWERED, KINDS, MISSING, Asking, ForeignRequest, Kind, dealt
from tests.integration.foreign_world import ACME, BETA, EVENTS, IDLE, SECRET, ForeignWorld, foreign_world
from tests.integration.test_query_routes import EVER, MARK

LASTING = ("GET /v1/searches", "GET /v1/search/exports")
WITHOUT_COST = (*LASTING, "POST /v1/query/format")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignWorld]:
    with foreign_world(tmp_path_factory.mktemp("foreign")) as made:
        saved = {"name": f"{MARK} {SECRET}", "query": f"{MARK} {SECRET}"}
        assert made.ask("POST /v1/searches", BETA, saved)[0] == 201
        yield made


@pytest.fixture
def here(whole: ForeignWorld, monkeypatch: pytest.MonkeyPatch) -> ForeignWorld:
    whole.install(monkeypatch)
    if not whole.ask("GET /v1/search/exports", BETA)[1]["exports"]:
        exported = {**EVER, "query": f"{MARK} {SECRET}"}
        assert whole.ask("POST /v1/search/export", BETA, exported)[0] == 202
    whole.recording.statements.clear()
    return whole


def test_no_generated_request_shows_another_tenants_rows_or_becomes_sql(here: ForeignWorld) -> None:
    _fuzz(here, seed=1, texts=30, kinds=10)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_five_thousand_queries_show_nothing_of_another_tenant_and_are_only_parameters(
    here: ForeignWorld, seed: int
) -> None:
    """Five hundred texts, each in requests of two kinds: 10,000 requests of all seeds."""
    _fuzz(here, seed=100 + seed, texts=500, kinds=2)


@pytest.mark.parametrize("kind", ANSWERED, ids=lambda kind: kind.__name__)
def test_the_other_tenants_rows_would_be_seen(here: ForeignWorld, kind: Kind) -> None:
    """The check finds SECRET where it may be: in the other tenant's own responses."""
    asking = Asking(here, Random(1), BETA)
    assert any(SECRET in _answer(here, BETA, kind(asking, "*"))[1] for _ in range(20))


def test_each_route_that_returns_something_of_a_search_is_asked(here: ForeignWorld) -> None:
    asking = Asking(here, Random(1), ACME)
    asked = {kind(asking, "*").route for kind in KINDS}
    routes = {
        f"{route.method} {route.path}"
        for spec in FUNCTIONS
        for route in spec.routes
        if spec.name in ("query", "tail") or route.path.startswith("/v1/searches")
    }
    assert asked == routes


def _fuzz(here: ForeignWorld, seed: int, texts: int, kinds: int) -> None:
    """Send generated requests as two tenants whose neighbour is BETA; `kinds` of them with each text."""
    random, answered = Random(seed), Counter[Kind]()
    kept = {route: here.ask(route, BETA)[1] for route in LASTING}
    deck = dealt(random)
    for _ in range(texts):
        tenant = random.choice((ACME, ACME, IDLE))
        asking = Asking(here, random, tenant)
        text = asking.text()
        for kind in islice(deck, kinds):
            asked = kind(asking, text)
            status, shown = _answer(here, tenant, asked)
            assert status in (200, 201, 202, 204, 400, 404), (asked, shown)
            assert SECRET not in shown.replace(asked.place, ""), (tenant, asked)
            if status == 200:
                _check_counts(asked, json.loads(shown), EVENTS * (tenant == ACME))
            answered[kind] += status < 300
    print({kind.__name__: answered[kind] for kind in KINDS})
    assert not [kind for kind in ANSWERED if not answered[kind]]
    assert not [kind for kind in MISSING if answered[kind]]
    assert {route: here.ask(route, BETA)[1] for route in LASTING} == kept
    assert not [sql for sql in here.recording.statements if MARK in sql or SECRET in sql]
    assert all("tenant_id = {tenant_id:String}" in sql for sql in here.recording.statements)


def _answer(here: ForeignWorld, tenant: str, asked: ForeignRequest) -> tuple[int, str]:
    """The response; of an export, the events in its file; what is saved here is deleted."""
    status, result = here.ask(asked.route, tenant, asked.body, asked.query, asked.place)
    if status == 202:
        return status, here.exported(tenant, result["id"])
    if status == 201:
        assert here.ask("DELETE /v1/searches/{id}", tenant, place=result["id"])[0] == 204
    return status, json.dumps(result)


def _check_counts(asked: ForeignRequest, found: dict[str, Any], own: int) -> None:
    """No response counts more than the tenant's own events: 2 * `own`, in all of time. It has its cost."""
    most = 2 * own
    if "estimate" in found or asked.route in WITHOUT_COST:
        return  # an estimate is of granules, which may have rows of several tenants
    assert found["stats"]["partial"] is False, asked
    for name in ("total", "rows", "before_rows"):
        if isinstance(found.get(name), int):
            assert found[name] <= most, asked
    assert len(found.get("events", ())) <= most, asked
    if asked.route.endswith(" /v1/stats") and not most:
        assert {cell for row in found["rows"] for cell in row} <= {0, None}, asked
