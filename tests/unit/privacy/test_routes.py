"""The routes for data export and erasure: permissions, and what each caller sees."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.privacy.erasure.record import ACCOUNT
from functions.privacy.handler import LASTING, ROUTES, Settings
from functions.shared.http import Answer
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from infra.topology import function
from tests.unit.privacy.privacy_world import (
    DAY,
    JANE,
    World,
    decoded,
    privacy_world,
)


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with privacy_world() as made:
        yield made


def test_every_route_of_the_topology_is_answered() -> None:
    spec = function("privacy")

    assert {f"{each.method} {each.path}" for each in spec.routes} == {*ROUTES, "GET /v1/erasures/{id}"}
    assert all(each.auth for each in spec.routes)
    assert set(spec.settings) == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize("route", [*ROUTES, "GET /v1/erasures/{id}"])
def test_without_a_key_or_with_one_of_a_smaller_scope_nothing_is_answered(here: World, route: str) -> None:
    assert here.ask(route, None, {}, of="era_x")["statusCode"] == 401
    refused = here.ask(route, "acme", {}, of="era_x", scopes="ingest read")
    assert (refused["statusCode"], decoded(refused)["code"]) == (403, "forbidden_scope")


def signed_in(here: World, tenant: TenantId, sessions_ended_at: float = 0) -> dict[str, str]:
    """The verdict about a person of `tenant` who signed in a minute ago; the table may know more."""
    item = {"subject": {"S": f"s-{tenant}"}, "sessions_ended_at": {"N": str(int(sessions_ended_at))}}
    here.client.put_item(TableName="people", Item=item)
    began = str(int(here.now) - 60)
    return {"actor": f"person:s-{tenant}", "session": f"session-{tenant}", "signed_in_at": began}


@pytest.mark.parametrize("route", sorted(LASTING))
def test_an_ended_session_requests_nothing_even_while_it_is_cached(here: World, route: str) -> None:
    number = sorted(LASTING).index(route)
    tenant, other = here.account(f"ended-{number}"), here.account(f"lasting-{number}")
    body = {"DELETE /v1/account": lambda of: {"confirm": of}, "POST /v1/erasures": lambda _: JANE}
    sent = body.get(route, lambda _: None)
    stolen, open_session = signed_in(here, tenant, here.now - 30), signed_in(here, other, here.now - 90)

    refused = here.ask(route, tenant, sent(tenant), of="era_x", **stolen)
    assert (refused["statusCode"], decoded(refused)["code"]) == (401, "unauthorized")
    assert here.actions(tenant) == here.notices(tenant) == []
    accepted = here.ask(route, other, sent(other), of="era_x", **open_session)
    assert accepted["statusCode"] == (404 if "{id}" in route else 202)
    assert here.ask("GET /v1/erasures", tenant, **stolen)["statusCode"] == 200


def test_every_route_that_changes_something_looks_at_the_session() -> None:
    assert {
        "DELETE /v1/account",
        "POST /v1/erasures",
        "POST /v1/account/export",
        "DELETE /v1/erasures/{id}",
    } == LASTING


def test_a_person_is_asked_for_shown_and_written_down(here: World) -> None:
    tenant = here.account("person")
    answer = here.ask("POST /v1/erasures", tenant, JANE)
    body = decoded(answer)

    assert answer["statusCode"] == 202
    assert (body["kind"], body["state"], body["value"]) == ("person", "requested", "jane@example.org")
    assert (body["due_by"], body["cancellable_until"]) == ("2027-02-14T08:00:01Z", None)
    assert decoded(here.ask("GET /v1/erasures", tenant))["erasures"] == [body]
    assert decoded(here.ask("GET /v1/erasures/{id}", tenant, of=body["id"])) == body
    assert here.actions(tenant) == ["person.erasure_requested"]
    assert here.notices(tenant) == ["erasure_requested"]
    due = here.service.erasures.due(here.now + 2)
    assert [each.erasure_id for each in due if each.tenant == tenant] == [body["id"]]


def test_another_account_neither_sees_nor_cancels_it(here: World) -> None:
    mine, theirs = here.account("mine"), here.account("theirs")
    erasure = decoded(here.ask("POST /v1/erasures", mine, {"account": True, "confirm": mine}))
    export = decoded(here.ask("POST /v1/account/export", mine))

    for route, of in (
        ("GET /v1/erasures/{id}", erasure["id"]),
        ("DELETE /v1/erasures/{id}", erasure["id"]),
        ("GET /v1/account/exports/{id}", export["id"]),
    ):
        refused = here.ask(route, theirs, of=of)
        assert (refused["statusCode"], decoded(refused)["code"]) == (404, "not_found")
    assert decoded(here.ask("GET /v1/erasures", theirs))["erasures"] == []
    assert decoded(here.ask("GET /v1/account/exports", theirs))["exports"] == []
    confirmed_for_another = here.ask("DELETE /v1/account", theirs, {"confirm": mine})
    assert decoded(confirmed_for_another)["code"] == "confirmation_required"
    account = here.directory.account(theirs)
    assert account
    assert account.closes_at is None


@pytest.mark.parametrize("how", ["erasures", "body", "query"])
def test_a_whole_account_needs_its_id_again_and_waits_seven_days(here: World, how: str) -> None:
    tenant = here.account(f"whole-{how}")

    def ask(confirm: str | None) -> Answer:
        if how == "erasures":
            named = {"confirm": confirm} if confirm else {}
            return here.ask("POST /v1/erasures", tenant, {"account": True, **named})
        if how == "body":
            return here.ask("DELETE /v1/account", tenant, {"confirm": confirm} if confirm else None)
        return here.ask("DELETE /v1/account", tenant, query={"confirm": confirm} if confirm else {})

    for wrong in (None, "acme"):
        refused = ask(wrong)
        assert (refused["statusCode"], decoded(refused)["code"]) == (400, "confirmation_required")
        assert decoded(refused)["confirm"] == tenant
    body = decoded(ask(str(tenant)))
    assert (body["kind"], body["starts_at"]) == ("account", body["cancellable_until"])
    result = here.service.erasure(tenant, body["id"])
    assert result.starts_at - result.requested_at == 7 * DAY
    account = here.directory.account(tenant)
    assert account
    assert account.refusal(here.now) == "account_closing"
    again = ask(str(tenant))
    assert (again["statusCode"], decoded(again)["code"]) == (409, "account_closing")
    assert here.notices(tenant) == ["account_closing"]


def test_a_cancelled_erasure_leaves_nothing_and_can_be_requested_again(here: World) -> None:
    tenant = here.account("back")
    first = decoded(here.ask("DELETE /v1/account", tenant, {"confirm": tenant}))
    cancelled = decoded(here.ask("DELETE /v1/erasures/{id}", tenant, of=first["id"]))
    account = here.directory.account(tenant)
    assert account

    assert (cancelled["state"], account.refusal(here.now)) == ("cancelled", "")
    assert cancelled["cancelled_at"] >= cancelled["requested_at"], "a request counts from the next second"
    twice = here.ask("DELETE /v1/erasures/{id}", tenant, of=first["id"])
    assert (twice["statusCode"], decoded(twice)["code"]) == (409, "not_cancellable")
    second = decoded(here.ask("DELETE /v1/account", tenant, {"confirm": tenant}))
    assert second["id"] != first["id"]
    here.now += 8 * DAY
    late = here.ask("DELETE /v1/erasures/{id}", tenant, of=second["id"])
    here.now -= 8 * DAY
    assert decoded(late)["code"] == "not_cancellable"


def test_that_of_a_person_cannot_be_taken_back(here: World) -> None:
    tenant = here.account("no-way-back")
    erasure = decoded(here.ask("POST /v1/erasures", tenant, JANE))

    assert (
        decoded(here.ask("DELETE /v1/erasures/{id}", tenant, of=erasure["id"]))["code"] == "not_cancellable"
    )


def test_who_has_the_id_sees_how_it_stands_without_a_key_and_nothing_of_whom_it_is_about(here: World) -> None:
    tenant = here.account("open-view")
    erasure = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    response = here.ask("GET /v1/erasures/{id}", None, of=erasure["id"])

    assert response["statusCode"] == 200
    assert set(decoded(response)) == {"id", "kind", "state", "requested_at", "starts_at", "due_by", "receipt"}
    assert "jane" not in response["body"]
    assert "open-view" not in response["body"]
    assert "metadata" not in response["body"]
    another = erasure["id"][:-1] + ("1" if erasure["id"].endswith("0") else "0")
    assert here.ask("GET /v1/erasures/{id}", None, of=another)["statusCode"] == 401
    kept = here.client.scan(TableName="receipts")["Items"]
    assert erasure["id"] not in repr(kept)
    assert "open-view" not in repr(kept)


def test_a_copy_is_asked_for_listed_and_fetched_by_a_link(here: World) -> None:
    tenant = here.account("copy")
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    answer = here.ask("POST /v1/account/export", tenant, {"logs": period})
    body = decoded(answer)

    assert (answer["statusCode"], body["state"], body["logs"]) == (202, "requested", period)
    assert "url" not in decoded(here.ask("GET /v1/account/exports/{id}", tenant, of=body["id"]))
    busy = here.ask("POST /v1/account/export", tenant)
    assert (busy["statusCode"], decoded(busy)["code"]) == (409, "export_in_progress")
    here.ready(tenant, body["id"])
    shown = here.ask("GET /v1/account/exports/{id}", tenant, of=body["id"])
    assert decoded(shown)["url"].startswith("https://")
    assert (decoded(shown)["state"], decoded(shown)["url_expires_at"]) == ("ready", "2027-01-15T09:00:00Z")
    assert shown["headers"]["cache-control"] == "no-store"
    (listed,) = decoded(here.ask("GET /v1/account/exports", tenant))["exports"]
    assert "url" not in listed
    assert sorted(here.actions(tenant)) == ["export.link_made", "export.requested"]
    assert here.notices(tenant) == ["export_requested"]


def test_a_byoc_account_is_informed_that_its_logs_are_in_its_own_stores(here: World) -> None:
    tenant = here.account("byoc")
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    refused = here.ask("POST /v1/account/export", tenant, {"logs": period}, plan="byoc")

    assert (refused["statusCode"], decoded(refused)["code"]) == (400, "logs_not_held")
    assert here.ask("POST /v1/account/export", tenant, plan="byoc")["statusCode"] == 202
    erasure = decoded(here.ask("POST /v1/erasures", tenant, JANE, plan="byoc"))
    assert here.service.erasure(tenant, erasure["id"]).byoc


def test_logs_from_before_a_move_to_byoc_are_exported_until_they_are_deleted(here: World) -> None:
    moved, other = here.account("moved"), here.account("not-moved")
    logs = {"logs": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}}

    def export(tenant: TenantId, managed_until: float) -> Any:
        until = str(int(managed_until))
        return decoded(here.ask("POST /v1/account/export", tenant, logs, plan="byoc", managed_until=until))

    assert export(other, 0)["code"] == export(moved, here.now)["code"] == "logs_not_held"
    stored_export = here.service.exports.of(moved, export(moved, here.now + 1)["id"])
    assert stored_export is not None
    assert stored_export.logs_from is not None
    assert here.service.exports.all(other) == []


def test_what_cannot_be_written_down_was_not_asked_for(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = here.account("silent")

    def silent(*_: Any) -> None:
        raise StoreUnavailableError("DynamoDB: silent")

    monkeypatch.setattr(here.service.erasures, "ask", silent)
    answer = here.ask("POST /v1/erasures", tenant, JANE)

    assert (answer["statusCode"], decoded(answer)["code"]) == (503, "try_again")
    assert (here.actions(tenant), here.notices(tenant)) == ([], [])


def test_an_unknown_account_cannot_be_closed(here: World) -> None:
    """Its erasure is under way: the item says so, or is gone."""
    tenant = here.account("gone")
    here.service.erasures.accounts.close(tenant)

    assert here.directory.account(tenant) is None
    assert [each for each in here.service.erasures.all(tenant) if each.kind == ACCOUNT] == []
