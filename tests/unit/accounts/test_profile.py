"""An account as its owner sees and changes it."""

import json
import time
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from functions.accounts.email_copy import MAX_REQUESTED
from functions.accounts.routes import answer_to
from functions.shared.tenancy import TenantId
from tests.examples import examples
from tests.unit.accounts.account_service import CODE, World, decoded, event_of, token_of

SHOWN = {
    "plan": "managed_30",
    "retention_days": 30,
    "marketing_opt_in": False,
    "terms_version": "2026-11-01",
    "terms_accepted_at": "2026-11-23T00:00:00Z",
    "created_at": "2027-01-15T08:00:00Z",
    "closes_at": None,
}
_numbers = count()
ROUTES = ("GET /v1/account", "PATCH /v1/account", "POST /v1/account/email/confirm")


def get_account(here: World, tenant: str, **how: Any) -> dict[str, Any]:
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
        assert get_account(here, tenant, person=person) == {
            "tenant_id": tenant,
            "name": f"Owner of {tenant}",
            "email": f"{tenant}@example.com",
            **SHOWN,
        }


def test_an_account_that_an_operator_made_has_no_person(here: World) -> None:
    tenant = here.account("operated", owner=False)
    assert get_account(here, tenant)["email"] is None
    status, body = patch(here, tenant, {"name": "x"})
    assert (status, body["code"]) == (409, "no_owner")


@pytest.mark.parametrize("person", [True, False])
def test_name_and_marketing_are_changed_by_key_or_person(
    here: World, acme: TenantId, globex: TenantId, person: bool
) -> None:
    before = get_account(here, globex)
    status, body = patch(here, acme, {"name": " Wile E. ", "marketing_opt_in": True}, person=person)
    assert (status, body["name"], body["marketing_opt_in"]) == (200, "Wile E.", True)
    assert get_account(here, acme) == body
    assert get_account(here, globex) == before
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
    assert here.provider.mailed == [(token_of(acme), "new@example.org")]
    assert (get_account(here, acme)["email"], get_account(here, acme)["name"]) == (
        f"{acme}@example.com",
        "Wile",
    )
    assert confirm(here, acme, "000000")[1]["code"] == "invalid_code"
    assert get_account(here, acme)["email"] == f"{acme}@example.com"
    status, body = confirm(here, acme)
    assert (status, body["email"]) == (200, "new@example.org")
    assert get_account(here, globex)["email"] == f"{globex}@example.com"
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
    assert get_account(here, acme)["name"] == f"Owner of {acme}"


def test_whether_another_person_has_an_address_is_not_revealed(here: World, acme: TenantId) -> None:
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
    assert get_account(here, acme)["email"] is None
    assert patch(here, acme, {"name": "Mallory"})[1]["code"] == "no_owner"


@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("body", [{"name": "Wile"}, {"marketing_opt_in": True}])
def test_whatever_write_fails_there_is_no_change_without_its_entry(
    here: World, acme: TenantId, body: dict[str, Any], writes: int
) -> None:
    before = get_account(here, acme)
    here.writes_left = writes
    status, _ = patch(here, acme, body)
    here.writes_left = None
    changed = get_account(here, acme) != before
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
    changed = get_account(here, acme)["email"] == "new@example.org"
    assert changed == ("account.email_changed" in here.actions(acme)) == (writes > 0) == (status == 200)


def fault_in(here: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one step of a confirmation fail, before or after it did what it does."""

    def down(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="")

    write = here.client.transact_write_items

    def unheard(**asked: Any) -> None:
        write(**asked)
        down()

    match step:
        case "the provider is silent":
            here.provider.silent.add("confirm_email")
        case "the provider's answer is lost":
            here.provider.lost.add("confirm_email")
        case "what counts cannot be read":
            here.provider.silent.add("verified_email")
        case "the write fails":
            monkeypatch.setattr(here.client, "transact_write_items", down)
        case "others keep writing":
            here.writes_left = 0
        case "the write's answer is lost":
            monkeypatch.setattr(here.client, "transact_write_items", unheard)


FAULTS = (
    "the provider is silent",
    "the provider's answer is lost",
    "what counts cannot be read",
    "the write fails",
    "others keep writing",
    "the write's answer is lost",
)


@pytest.mark.parametrize("by", ["the code again", "looking"])
@pytest.mark.parametrize("step", FAULTS)
def test_a_confirmation_that_failed_half_way_is_finished_by_what_comes_next(
    here: World, acme: TenantId, globex: TenantId, step: str, by: str
) -> None:
    for tenant in (acme, globex):
        patch(here, tenant, {"email": f"new-{tenant}@example.org"}, person=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        fault_in(here, step, monkeypatch)
        assert confirm(here, acme)[0] in (409, 503)
    here.writes_left = None
    here.provider.silent.clear()
    here.provider.lost.clear()

    if by == "the code again" or step == "the provider is silent":
        status, body = confirm(here, acme)
        assert status == 200 or body["code"] == "no_email_change"
        assert (body.get("code") == "no_email_change") == (step == "the write's answer is lost")
    assert get_account(here, acme, person=True)["email"] == f"new-{acme}@example.org"
    assert here.actions(acme).count("account.email_changed") == 1
    assert get_account(here, globex, person=True)["email"] == f"{globex}@example.com"
    assert "account.email_changed" not in here.actions(globex)


def test_of_two_changes_at_once_the_one_that_counts_at_the_provider_counts_here(
    here: World, acme: TenantId
) -> None:
    """Our requests came in one order, and reached the provider in the other."""
    patch(here, acme, {"email": "first@example.org"}, person=True)
    patch(here, acme, {"email": "second@example.org"}, person=True)
    here.provider.wanted[token_of(acme)] = "first@example.org"
    status, body = confirm(here, acme)
    assert (status, body["email"]) == (200, "first@example.org")
    here.provider.wanted[token_of(acme)] = "second@example.org"
    assert confirm(here, acme)[1]["email"] == "second@example.org"
    assert here.actions(acme).count("account.email_changed") == 2


def test_an_older_truth_never_replaces_a_newer_one(here: World, acme: TenantId) -> None:
    """While one request has read an address and not yet written it, another goes all the way."""
    for email in ("first@example.org", "second@example.org"):
        patch(here, acme, {"email": email}, person=True)
    here.provider.wanted[token_of(acme)] = "first@example.org"

    def another() -> None:
        here.provider.wanted[token_of(acme)] = "second@example.org"
        assert confirm(here, acme)[1]["email"] == "second@example.org"

    here.provider.meanwhile = another
    assert confirm(here, acme)[1]["email"] == "second@example.org"
    assert get_account(here, acme)["email"] == "second@example.org"


def test_a_change_that_dies_behind_another_is_found_by_looking(here: World, acme: TenantId) -> None:
    """One request is about to write the first address when the second counts, and its request dies."""
    for email in ("first@example.org", "second@example.org"):
        patch(here, acme, {"email": email}, person=True)
    here.provider.wanted[token_of(acme)] = "first@example.org"

    def another() -> None:
        here.provider.emails[token_of(acme)] = "second@example.org"

    here.provider.meanwhile = another
    confirm(here, acme)
    assert get_account(here, acme)["email"] == "first@example.org"
    assert get_account(here, acme, person=True)["email"] == "second@example.org"


@examples(30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_fails_in_whatever_order_looking_brings_the_address_that_counts(
    whole: World, data: st.DataObject
) -> None:
    whole.forget_tries()
    whole.writes_left = None  # where Hypothesis broke an example off
    tenant = whole.account(f"any-{next(_numbers)}")
    emails = [f"{tenant}@example.com", "a@example.org", "b@example.org"]
    for _ in range(data.draw(st.integers(1, 8))):
        whole.writes_left = data.draw(st.sampled_from([None, None, 0, 1]))
        for faults in (whole.provider.silent, whole.provider.lost):
            faults.clear()
            faults.update(data.draw(st.sets(st.sampled_from(["change_email", "confirm_email"]), max_size=1)))
        if data.draw(st.booleans()):
            patch(whole, tenant, {"email": data.draw(st.sampled_from(emails))}, person=True)
        else:
            confirm(whole, tenant)
    whole.writes_left = None
    whole.provider.silent.clear()
    whole.provider.lost.clear()
    counts = whole.provider.emails[token_of(tenant)]
    assert get_account(whole, tenant, person=True)["email"] == counts


def test_the_provider_is_looked_at_once_and_only_while_a_change_is_asked_for(
    here: World, acme: TenantId
) -> None:
    get_account(here, acme, person=True)
    assert here.provider.looks == 0
    patch(here, acme, {"email": "new@example.org"}, person=True)
    get_account(here, acme)
    assert here.provider.looks == 0
    get_account(here, acme, person=True)
    assert here.provider.looks == 1
    confirm(here, acme)
    here.provider.looks = 0
    get_account(here, acme, person=True)
    assert here.provider.looks == 0


@pytest.mark.parametrize("fault", ["the provider is silent", "the write fails"])
def test_an_account_is_shown_although_its_address_could_not_be_compared(
    here: World, acme: TenantId, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch(here, acme, {"email": "new@example.org"}, person=True)
    here.provider.emails[token_of(acme)] = "new@example.org"
    if fault == "the provider is silent":
        here.provider.silent.add("verified_email")
    else:
        fault_in(here, fault, monkeypatch)
    assert get_account(here, acme, person=True)["email"] == f"{acme}@example.com"


def test_the_old_address_can_be_asked_for_while_ours_is_stale(here: World, acme: TenantId) -> None:
    patch(here, acme, {"email": "new@example.org"}, person=True)
    here.provider.emails[token_of(acme)] = "new@example.org"
    assert patch(here, acme, {"email": f"{acme}@example.com"}, person=True)[0] == 202
    here.provider.mailed.clear()
    assert patch(here, acme, {"email": "new@example.org"}, person=True)[0] == 200
    assert here.provider.mailed == []


def test_addresses_asked_for_in_vain_do_not_pile_up(here: World, acme: TenantId) -> None:
    for number in range(45):
        here.now += 1000
        assert patch(here, acme, {"email": f"new{number}@example.org"}, person=True)[0] == 202
    item = here.client.get_item(TableName="people", Key={"subject": {"S": f"person-{acme}"}})["Item"]
    assert 1 <= len(item["asked_emails"]["SS"]) <= MAX_REQUESTED
    assert "new44@example.org" in item["asked_emails"]["SS"]


def test_nobodys_inbox_is_flooded_and_no_code_is_guessed(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    mails = [patch(here, acme, {"email": "victim@example.org"}, person=True)[0] for _ in range(12)]
    assert mails == [202] * 10 + [429] * 2
    assert len(here.provider.mailed) == 10
    tries = [confirm(here, acme, f"{number:06d}")[0] for number in range(12)]
    assert tries == [400] * 10 + [429] * 2
    patch(here, globex, {"email": "new@example.org"}, person=True)
    assert confirm(here, globex)[0] == 200


def test_the_response_time_does_not_reveal_who_has_an_address(here: World, acme: TenantId) -> None:
    here.provider.taken.add("taken@example.org")
    event = event_of("PATCH /v1/account", acme, {"email": "taken@example.org"}, "", person=True)
    began = time.monotonic()
    answer_to(event, replace(here.account_service, min_response_seconds=0.2))
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("route", ROUTES)
def test_the_account_is_for_admins_alone(here: World, acme: TenantId, route: str) -> None:
    answer = here.ask(route, acme, {"name": "x"}, scopes="read ingest")
    assert (answer["statusCode"], decoded(answer)["code"]) == (403, "forbidden_scope")
