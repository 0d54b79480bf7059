"""Saved searches: what is saved is returned, to its own account only, within the limits."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.accounts import saved_search_store
from functions.accounts.saved_search import MAX_COLUMN_CHARACTERS, MAX_COLUMNS, MAX_QUERY_BYTES
from functions.shared.tenancy import TenantId
from tests.unit.accounts.account_service import World, decoded

LAMBDA_RESPONSE_BYTES = 6 * 1024 * 1024
STATE = {
    "name": "Declined payments",
    "query": 'service:payment "declined by the bank"\n| stats count() by service',
    "from": "2026-11-30T10:00:00.000Z",
    "to": "2026-11-30T11:00:00+01:00",
    "view": "patterns",
    "columns": ["order", "user.id"],
    "compare": True,
    "wrap": True,
}


def save(here: World, tenant: str, **changes: Any) -> dict[str, Any]:
    answer = here.ask("POST /v1/searches", tenant, {**STATE, **changes}, person=True)
    assert answer["statusCode"] == 201, answer["body"]
    saved: dict[str, Any] = decoded(answer)
    return saved


def listed(here: World, tenant: str) -> list[dict[str, Any]]:
    answer = here.ask("GET /v1/searches", tenant)
    assert answer["statusCode"] == 200, answer["body"]
    found: list[dict[str, Any]] = decoded(answer)["searches"]
    return found


def rejected(here: World, route: str, tenant: str, body: Any = None, **asked: Any) -> tuple[int, str]:
    answer = here.ask(route, tenant, body, **asked)
    return answer["statusCode"], decoded(answer)["code"]


def test_a_saved_search_is_the_state_of_the_page_with_who_saved_it_and_when(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    saved = save(here, acme)
    assert saved == {
        "id": saved["id"],
        "path": f"/s/{saved['id']}",
        **STATE,
        "created_at": "2027-01-15T08:00:00Z",
        "created_by": f"person:person-{acme}",
        "updated_at": "2027-01-15T08:00:00Z",
    }
    assert decoded(here.ask("GET /v1/searches/{id}", acme, key_id=saved["id"])) == saved
    assert listed(here, acme) == [saved]
    assert listed(here, globex) == []


def test_what_is_left_out_is_what_the_page_shows_without_an_address(here: World, acme: TenantId) -> None:
    saved = decoded(here.ask("POST /v1/searches", acme, {"name": "  all  "}))
    shown = {name: saved[name] for name in STATE}
    assert shown == {
        "name": "all", "query": "", "from": "-1h", "to": None, "view": "lines", "columns": [],
        "compare": False, "wrap": False,
    }  # fmt: skip


def test_searches_are_listed_by_name(here: World, acme: TenantId) -> None:
    for name in ("beta", "Alpha", "gamma"):
        save(here, acme, name=name)
    assert [each["name"] for each in listed(here, acme)] == ["Alpha", "beta", "gamma"]


def test_a_change_leaves_the_other_fields_as_they_are(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    here.now += 60
    answer = here.ask("PATCH /v1/searches/{id}", acme, {"name": "new", "to": None}, key_id=saved["id"])
    expected = {**saved, "name": "new", "to": None, "updated_at": "2027-01-15T08:01:00Z"}
    assert (answer["statusCode"], decoded(answer)) == (200, expected)
    assert listed(here, acme) == [expected]


def test_a_deleted_search_is_gone_for_good(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    assert here.ask("DELETE /v1/searches/{id}", acme, key_id=saved["id"])["statusCode"] == 204
    assert listed(here, acme) == []
    for route in ("GET", "PATCH", "DELETE"):
        body = {"name": "again"} if route == "PATCH" else None
        assert rejected(here, f"{route} /v1/searches/{{id}}", acme, body, key_id=saved["id"]) == (
            404,
            "not_found",
        )


def test_a_search_of_another_account_is_as_one_that_does_not_exist(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    saved = save(here, acme)
    for route in ("GET", "PATCH", "DELETE"):
        body = {"name": "stolen"} if route == "PATCH" else None
        route_key = f"{route} /v1/searches/{{id}}"
        theirs = here.ask(route_key, globex, body, key_id=saved["id"])
        missing = here.ask(route_key, globex, body, key_id="0" * 12)
        assert theirs["statusCode"] == missing["statusCode"] == 404
        assert decoded(theirs)["error"] == decoded(missing)["error"]
    assert listed(here, acme) == [saved]
    assert here.actions(globex) == []


@pytest.mark.parametrize("name", ["!count", "", "x" * 2000, "../keys", "0000000000OO"])
def test_an_id_that_no_search_has_is_404(here: World, acme: TenantId, name: str) -> None:
    save(here, acme)
    for route in ("GET", "DELETE"):
        assert rejected(here, f"{route} /v1/searches/{{id}}", acme, key_id=name) == (404, "not_found")


def test_every_change_is_in_the_audit_trail_without_name_and_query(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    here.ask("PATCH /v1/searches/{id}", acme, {"name": "new"}, key_id=saved["id"])
    here.ask("DELETE /v1/searches/{id}", acme, key_id=saved["id"])
    entries = here.entries(acme)
    assert sorted(each["action"] for each in entries) == ["search.changed", "search.deleted", "search.saved"]
    assert {each["subject"] for each in entries} == {saved["id"]}
    assert "payment" not in json.dumps(entries)


def test_reading_needs_the_scope_read_and_changing_admin(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    response = here.ask("GET /v1/searches/{id}", acme, key_id=saved["id"], scopes="read")
    assert response["statusCode"] == 200
    for route in ("POST /v1/searches", "PATCH /v1/searches/{id}", "DELETE /v1/searches/{id}"):
        rejection = rejected(here, route, acme, STATE, key_id=saved["id"], scopes="read")
        assert rejection == (403, "forbidden_scope")
    assert rejected(here, "GET /v1/searches", acme, scopes="ingest") == (403, "forbidden_scope")


@pytest.mark.usefixtures("_few")
def test_the_limit_holds_for_an_account_also_when_many_save_at_once(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    def ask(_number: int) -> int:
        status: int = here.ask("POST /v1/searches", acme, STATE)["statusCode"]
        return status

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(ask, range(8)))
    assert sorted(statuses) == [201] * 3 + [409] * 5
    assert rejected(here, "POST /v1/searches", acme, STATE) == (409, "too_many_saved_searches")
    save(here, globex)
    here.ask("DELETE /v1/searches/{id}", acme, key_id=listed(here, acme)[0]["id"])
    save(here, acme)
    assert len(listed(here, acme)) == 3


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_search_store, "MAX_SAVED", 3)


def test_the_largest_list_fits_into_the_response_of_a_lambda(here: World, acme: TenantId) -> None:
    """Quotation marks grow most: they are escaped in the body, and again in the function's response."""
    largest = {
        "name": '"' * 100,
        "query": '"' * MAX_QUERY_BYTES,
        "columns": [str(number) + '"' * (MAX_COLUMN_CHARACTERS - 1) for number in range(MAX_COLUMNS)],
    }
    save(here, acme, **largest)
    one = len(json.dumps(here.ask("GET /v1/searches", acme)["body"]))
    assert one * saved_search_store.MAX_SAVED < LAMBDA_RESPONSE_BYTES


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": ""}, "invalid_name"),
        ({"name": "   "}, "invalid_name"),
        ({"name": "x" * 101}, "invalid_name"),
        ({"name": "two\nlines"}, "invalid_name"),
        ({"name": "evil\u202e"}, "invalid_name"),
        ({"query": "x" * (MAX_QUERY_BYTES + 1)}, "invalid_query"),
        ({"query": "ü" * (MAX_QUERY_BYTES // 2 + 1)}, "invalid_query"),
        ({"query": "nul\x00"}, "invalid_query"),
        ({"query": None}, "invalid_query"),
        ({"from": "yesterday"}, "invalid_from"),
        ({"from": "2026-11-30T10:00:00"}, "invalid_from"),
        ({"from": "-1h" * 20}, "invalid_from"),
        ({"to": "-99999d"}, "invalid_to"),
        ({"view": "chart"}, "invalid_view"),
        ({"columns": ["x"] * 9}, "invalid_columns"),
        ({"columns": [""]}, "invalid_columns"),
        ({"columns": ["x" * 257]}, "invalid_columns"),
        ({"columns": ["a\x00"]}, "invalid_columns"),
        ({"wrap": 1}, "invalid_wrap"),
        ({"tenant_id": "other"}, "unknown_field"),
    ],
)
def test_a_field_out_of_its_bounds_is_rejected_by_name(
    here: World, acme: TenantId, wrong: dict[str, Any], code: str
) -> None:
    saved = save(here, acme)
    assert rejected(here, "POST /v1/searches", acme, {**STATE, **wrong}) == (400, code)
    assert rejected(here, "PATCH /v1/searches/{id}", acme, wrong, key_id=saved["id"]) == (400, code)
    assert listed(here, acme) == [saved]


def test_a_body_without_a_change_or_with_half_a_character_is_rejected(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    assert rejected(here, "PATCH /v1/searches/{id}", acme, {}, key_id=saved["id"]) == (400, "invalid_body")
    for field in ("name", "query"):
        body = {**STATE, field: "\ud800"}
        assert here.ask("POST /v1/searches", acme, body)["statusCode"] == 400


def test_a_parameter_in_the_url_is_rejected(here: World, acme: TenantId) -> None:
    saved = save(here, acme)
    for route in ("GET /v1/searches", "GET /v1/searches/{id}", "DELETE /v1/searches/{id}"):
        rejection = rejected(here, route, acme, key_id=saved["id"], query={"name": "x"})
        assert rejection == (400, "unknown_parameter")
