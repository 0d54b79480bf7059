"""An account as its owner sees and changes it."""

import json
from typing import Any

import pytest

from functions.shared.tenancy import TenantId
from tests.unit.accounts.office import CODE, TOKEN, World, decoded

SHOWN = {
    "plan": "managed_30",
    "retention_days": 30,
    "marketing_opt_in": False,
    "terms_version": "2026-11-01",
    "terms_accepted_at": "2026-11-23T00:00:00Z",
    "created_at": "2027-01-15T08:00:00Z",
}
ROUTES = ("GET /v1/account", "PATCH /v1/account", "POST /v1/account/email/confirm")


def shown(here: World, tenant: str, **how: Any) -> dict[str, Any]:
    answer = here.ask("GET /v1/account", tenant, **how)
    assert answer["statusCode"] == 200, answer["body"]
    return dict(decoded(answer))


def patch(here: World, tenant: str, body: Any, *, person: bool = False) -> tuple[int, Any]:
    answer = here.ask("PATCH /v1/account", tenant, body, person=person)
    return answer["statusCode"], decoded(answer)


def confirm(here: World, tenant: str, code: str = CODE, *, person: bool = True) -> tuple[int, Any]:
    answer = here.ask("POST /v1/account/email/confirm", tenant, {"code": code}, person=person)
    return answer["statusCode"], decoded(answer)


@pytest.mark.parametrize("person", [True, False])
def test_an_account_is_shown_with_its_person(
    here: World, acme: TenantId, globex: TenantId, person: bool
) -> None:
    for tenant in (acme, globex):
        assert shown(here, tenant, person=person) == {
            "tenant_id": tenant,
            "name": f"Owner of {tenant}",
            "email": f"{tenant}@example.com",
            **SHOWN,
        }


def test_an_account_that_an_operator_made_has_no_person(here: World) -> None:
    tenant = here.account("operated", owner=False)
    assert shown(here, tenant)["email"] is None
    status, body = patch(here, tenant, {"name": "x"})
    assert (status, body["code"]) == (409, "no_owner")


@pytest.mark.parametrize("person", [True, False])
def test_name_and_marketing_are_changed_by_key_or_person(
    here: World, acme: TenantId, globex: TenantId, person: bool
) -> None:
    before = shown(here, globex)
    status, body = patch(here, acme, {"name": " Wile E. ", "marketing_opt_in": True}, person=person)
    assert (status, body["name"], body["marketing_opt_in"]) == (200, "Wile E.", True)
    assert shown(here, acme) == body
    assert shown(here, globex) == before
    assert here.entries(globex) == []
    actor = f"person:person-{acme}" if person else "key:key_caller"
    assert {(each["action"], each["subject"], each["actor"]) for each in here.entries(acme)} == {
        ("account.name_changed", f"person-{acme}", actor),
        ("account.marketing_changed", "opted_in", actor),
    }


def test_what_stays_the_same_is_no_change(here: World, acme: TenantId) -> None:
    same = {"name": f"Owner of {acme}", "marketing_opt_in": False, "email": f"{acme}@EXAMPLE.com"}
    assert patch(here, acme, same, person=True)[0] == 200
    assert patch(here, acme, {})[0] == 200
    assert here.entries(acme) == []
    assert here.provider.mailed == []


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"plan": "byoc"}, "unknown_field", "plan"),
        ({"tenant_id": "other"}, "unknown_field", "tenant_id"),
        ({"name": ""}, "invalid_name", "name"),
        ({"name": "a\u0007"}, "invalid_name", "name"),
        ({"name": 7}, "invalid_name", "name"),
        ({"email": "nobody"}, "invalid_email", "email"),
        ({"marketing_opt_in": "yes"}, "invalid_marketing_opt_in", "marketing_opt_in"),
        ([], "invalid_body", "body"),
    ],
)
def test_a_change_that_is_not_clear_is_400_and_names_the_field(
    here: World, acme: TenantId, body: Any, code: str, named: str
) -> None:
    status, refused = patch(here, acme, body, person=True)
    assert (status, refused["code"]) == (400, code)
    assert named in refused["error"]
    assert here.entries(acme) == []


def test_a_new_address_counts_once_it_is_confirmed(here: World, acme: TenantId, globex: TenantId) -> None:
    status, body = patch(here, acme, {"email": "New@Example.org", "name": "Wile"}, person=True)
    assert (status, body) == (202, {"status": "confirmation_sent"})
    assert here.provider.mailed == [(TOKEN, "new@example.org")]
    assert (shown(here, acme)["email"], shown(here, acme)["name"]) == (f"{acme}@example.com", "Wile")
    assert confirm(here, acme, "000000")[1]["code"] == "invalid_code"
    assert shown(here, acme)["email"] == f"{acme}@example.com"
    status, body = confirm(here, acme)
    assert (status, body["email"]) == (200, "new@example.org")
    assert shown(here, globex)["email"] == f"{globex}@example.com"
    assert sorted(here.actions(acme)) == [
        "account.email_change_requested",
        "account.email_changed",
        "account.name_changed",
    ]
    assert here.entries(globex) == []
    assert "new@example.org" not in json.dumps(here.entries(acme))


def test_there_is_nothing_to_confirm_unless_asked_for(here: World, acme: TenantId, globex: TenantId) -> None:
    patch(here, globex, {"email": "new@example.org"}, person=True)
    status, body = confirm(here, acme)
    assert (status, body["code"]) == (409, "no_email_change")
    patch(here, acme, {"email": "new@example.com"}, person=True)
    assert confirm(here, acme)[0] == 200
    assert confirm(here, acme)[1]["code"] == "no_email_change"


def test_a_key_cannot_change_the_address_nor_anything_beside_it(here: World, acme: TenantId) -> None:
    status, body = patch(here, acme, {"email": "new@example.org", "name": "Wile"})
    assert (status, body["code"]) == (403, "sign_in_required")
    assert confirm(here, acme, person=False)[1]["code"] == "sign_in_required"
    assert here.entries(acme) == []
    assert shown(here, acme)["name"] == f"Owner of {acme}"


def test_whether_somebody_else_has_an_address_is_not_told(here: World, acme: TenantId) -> None:
    free = patch(here, acme, {"email": "free@example.org"}, person=True)
    here.provider.taken.add("taken@example.org")
    assert patch(here, acme, {"email": "taken@example.org"}, person=True) == free


def test_a_person_of_another_account_is_not_shown(here: World, acme: TenantId, globex: TenantId) -> None:
    """Should the account ever name the wrong owner, the person says whose they are."""
    account = here.directory.account(acme)
    assert account
    here.client.update_item(
        TableName="accounts",
        Key={"tenant_id": {"S": acme}},
        UpdateExpression="SET #o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": f"person-{globex}"}},
    )
    assert shown(here, acme)["email"] is None
    assert patch(here, acme, {"name": "Mallory"})[1]["code"] == "no_owner"


@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("body", [{"name": "Wile"}, {"marketing_opt_in": True}])
def test_whatever_write_fails_there_is_no_change_without_its_entry(
    here: World, acme: TenantId, body: dict[str, Any], writes: int
) -> None:
    before = shown(here, acme)
    here.writes_left = writes
    status, _ = patch(here, acme, body)
    here.writes_left = None
    changed = shown(here, acme) != before
    assert changed == (len(here.entries(acme)) == 1) == (writes > 0) == (status == 200)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_code_is_mailed_only_if_the_trail_says_that_it_was_asked_for(
    here: World, acme: TenantId, writes: int
) -> None:
    here.writes_left = writes
    patch(here, acme, {"email": "new@example.org"}, person=True)
    here.writes_left = None
    assert bool(here.provider.mailed) == (writes > 0)
    assert here.actions(acme) == ["account.email_change_requested"] * len(here.provider.mailed)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_confirmed_address_has_its_entry(here: World, acme: TenantId, writes: int) -> None:
    patch(here, acme, {"email": "new@example.org"}, person=True)
    here.writes_left = writes
    status, _ = confirm(here, acme)
    here.writes_left = None
    changed = shown(here, acme)["email"] == "new@example.org"
    assert changed == ("account.email_changed" in here.actions(acme)) == (writes > 0) == (status == 200)


def test_a_confirmation_that_could_not_be_written_is_mended_by_asking_again(
    here: World, acme: TenantId
) -> None:
    patch(here, acme, {"email": "new@example.org"}, person=True)
    here.writes_left = 0
    assert confirm(here, acme)[0] == 409
    here.writes_left = None
    assert patch(here, acme, {"email": "new@example.org"}, person=True)[0] == 202
    assert confirm(here, acme)[1]["email"] == "new@example.org"


@pytest.mark.parametrize("route", ROUTES)
def test_the_account_is_for_admins_alone(here: World, acme: TenantId, route: str) -> None:
    answer = here.ask(route, acme, {"name": "x"}, scopes="read ingest")
    assert (answer["statusCode"], decoded(answer)["code"]) == (403, "forbidden_scope")
