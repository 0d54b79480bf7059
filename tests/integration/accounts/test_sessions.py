"""Sessions end when they should, for their person alone; made-up refresh tokens cost nothing."""

import json
import time
from typing import Any

import pytest

from functions.accounts import attempts as attempts_module
from functions.accounts import sessions
from functions.accounts.authorizer import CACHE_SECONDS
from functions.accounts.failures import MOST
from functions.accounts.people import MAX_ENDED_SESSIONS
from functions.accounts.person import Person
from functions.accounts.refresh_token import RefreshToken, verify_refresh_token
from functions.accounts.sign_in import MAX_BODY_CHARACTERS, SIGNED_IN_ROUTES, SignInService, answer_to
from functions.shared.accounts import session_ends
from functions.shared.accounts.session_ends import CLOCK_SKEW_SECONDS, ended_at
from functions.shared.errors import HttpError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from infra.topology import function
from tests.integration.accounts.faults import silent
from tests.measured import cost_of
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_address


@pytest.fixture
def cognito_operations(here: World) -> list[str]:
    """The names of the operations that Cognito is asked for."""
    names: list[str] = []
    here.clients["cognito-idp"].meta.events.register(
        "before-call.cognito-identity-provider", lambda model, **_: names.append(model.name)
    )
    return names


def reset(here: World, email: str, password: str = OTHER_PASSWORD) -> None:
    here.ask("/v1/password/forgot", {"email": email})
    form = {"email": email, "code": here.code(email), "password": password}
    assert here.ask("/v1/password/reset", form).status == 200


def change(here: World, access: str, old: str, new: str = OTHER_PASSWORD, address: str | None = None) -> Any:
    return here.ask_signed_in("/v1/password/change", {"password": old, "new_password": new}, access, address)


def log_out(here: World, access: str, **form: Any) -> Any:
    return here.ask_signed_in("/v1/logout", form or None, access)


def refreshed(here: World, token: str, address: str | None = None) -> Any:
    return here.ask("/v1/login", {"refresh_token": token}, address)


def person_of(here: World, email: str) -> Person:
    known = here.authentication.identity.find(email)
    person = here.authentication.people.get(known.subject, time.time()) if known else None
    assert person
    return person


# Made-up refresh tokens


def test_made_up_refresh_tokens_are_counted_by_network_and_reach_no_service(
    here: World, cognito_operations: list[str]
) -> None:
    shared, elsewhere = new_address(), new_address()
    good = here.log_in(here.joined(), address=shared).body["refresh_token"]
    cognito_operations.clear()
    began = time.process_time()
    statuses = [refreshed(here, "a", shared).status for _ in range(150)]
    assert statuses == [401] * MOST + [429] * (150 - MOST)
    assert time.process_time() - began < 10
    assert cognito_operations == []
    stopped = refreshed(here, "a", shared)
    assert stopped.refused == (429, "too_many_attempts")
    assert 1 <= int(stopped.headers["retry-after"]) <= 300
    assert refreshed(here, "a", elsewhere).status == 401
    assert refreshed(here, good, shared).status == 200, "a good one is not refused for its neighbours"


def test_a_subscribers_whole_ipv6_network_counts_as_one(here: World) -> None:
    statuses = [refreshed(here, "a", f"2001:db8:7:7::{number:x}").status for number in range(MOST + 1)]
    assert statuses == [401] * MOST + [429]
    assert refreshed(here, "a", "2001:db8:7:8::1").status == 401


def test_no_refusal_of_a_refresh_token_waits(here: World) -> None:
    """Waiting holds an execution environment, which is what the attack is about."""
    event = {
        "routeKey": "POST /v1/login",
        "body": json.dumps({"refresh_token": "a"}),
        "requestContext": {"requestId": "r", "http": {"method": "POST", "sourceIp": new_address()}},
    }
    began = time.monotonic()
    with pytest.raises(HttpError) as caught:
        answer_to(event, SignInService(here.authentication, min_response_seconds=20.0))
    assert caught.value.status == 401
    assert time.monotonic() - began < 10


def test_a_token_that_was_changed_anywhere_is_made_up(here: World, cognito_operations: list[str]) -> None:
    mine, theirs = (here.log_in(here.joined()).body["refresh_token"] for _ in range(2))
    version, whose, signature, rest = mine.split(".", 3)
    _, whose_else, signature_else, rest_else = theirs.split(".", 3)
    forged = [
        rest,
        f"{version}.{whose_else}.{signature}.{rest}",
        f"{version}.{whose}.{signature_else}.{rest}",
        f"{version}.{whose}.{signature}.{rest_else}",
        f"{version}.{whose}.{signature}.{rest}x",
        f"{version}.{whose}.{signature[:-1]}.{rest}",
        f"r2.{whose}.{signature}.{rest}",
        mine.replace(".", "=", 1),
    ]
    cognito_operations.clear()
    answers = [refreshed(here, each) for each in forged]
    assert [each.refused for each in answers] == [(401, "invalid_login")] * len(forged)
    assert {each.body["error"] for each in answers} == {
        "The session is not valid, or it has ended: log in again."
    }
    assert cognito_operations == []
    assert refreshed(here, mine).status == refreshed(here, theirs).status == 200


def test_a_signature_for_another_purpose_opens_nothing(here: World) -> None:
    sign = here.authentication.identity.sign
    own = RefreshToken("ada", "session", 1_800_000_000, SecretText("a.b"))
    assert verify_refresh_token(own.signed(sign), sign) == own
    assert verify_refresh_token(own.signed(lambda _purpose, text: sign("another", text)), sign) is None
    assert "a.b" not in repr(own)


def test_one_person_does_not_refresh_without_end_and_stops_no_other(
    here: World, monkeypatch: pytest.MonkeyPatch, cognito_operations: list[str]
) -> None:
    monkeypatch.setattr(attempts_module, "SESSION_USES", 20)
    shared = new_address()
    mine, theirs = (here.log_in(here.joined(), address=shared).body["refresh_token"] for _ in range(2))
    cognito_operations.clear()
    statuses = [refreshed(here, mine, shared).status for _ in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    assert cognito_operations.count("GetTokensFromRefreshToken") == 20
    assert refreshed(here, theirs, shared).status == 200


def test_an_office_full_of_dashboards_is_not_refused(here: World) -> None:
    """Thirty tabs of three people behind one address, each refreshed twice in the same minutes."""
    shared = new_address()
    tokens = [here.log_in(here.joined(), address=shared).body["refresh_token"] for _ in range(3)]
    statuses = {refreshed(here, token, shared).status for token in tokens for _ in range(20)}
    assert statuses == {200}
    assert attempts_module.SESSION_USES >= 300


@pytest.mark.parametrize("route", ["/v1/signup", "/v1/login", "/v1/password/reset"])
def test_a_body_that_no_form_fills_is_not_parsed(here: World, route: str) -> None:
    body = json.dumps({"email": "x" * MAX_BODY_CHARACTERS})
    assert here.ask(route, body).refused == (413, "payload_too_large")
    assert here.ask(route, json.dumps({"email": "x" * 1000})).status == 400


@pytest.mark.parametrize("shape", ["short", "long", "well formed", "many points"])
def test_ten_thousand_made_up_tokens_cost_a_second_and_a_hundred_writes(shape: str) -> None:
    argument = {"count": 10_000, "shape": shape}
    cost = cost_of(
        "tests.unit.accounts.hostile_sign_ins:refresh", argument, memory_mb=512, within_cpu_seconds=2
    )
    assert cost.result["reads"] <= 1, "the client's secret, once an execution environment"
    assert cost.result["writes"] <= MOST + 1
    assert cost.cpu_seconds < 2.0, cost
    assert cost.peak_mb < function("sign-in").memory_mb / 2, cost


@pytest.mark.parametrize(
    "shape", ["deep", "deep object", "many fields", "one field again", "long address", "dots"]
)
def test_no_body_that_is_let_through_is_expensive_to_read(shape: str) -> None:
    argument = {"count": 100, "shape": shape}
    cost = cost_of(
        "tests.unit.accounts.hostile_sign_ins:read_forms", argument, memory_mb=512, within_cpu_seconds=2
    )
    assert cost.result == 500
    assert cost.cpu_seconds < 2.0, cost
    assert cost.peak_mb < function("sign-in").memory_mb / 2, cost


# Every session ends at once


def test_after_a_reset_the_old_access_token_makes_no_admin_key(here: World) -> None:
    """The attack that was made: a key, 35 s after the owner had set another password."""
    email, other = here.joined(), here.joined()
    stolen, theirs = (here.log_in(each).body["access_token"] for each in (email, other))
    assert here.opens(stolen)
    reset(here, email)
    assert not here.opens(stolen, after_seconds=35)
    assert here.opens(theirs, after_seconds=35)
    assert CACHE_SECONDS < 35


@pytest.mark.parametrize("how", ["reset", "change", "everywhere"])
def test_every_session_of_the_person_ends_and_no_other(here: World, how: str) -> None:
    email, other = here.joined(), here.joined()
    first, second, theirs = (here.log_in(each).body for each in (email, email, other))
    assert first["access_token"] != second["access_token"]
    fresh = refreshed(here, first["refresh_token"]).body
    match how:
        case "reset":
            reset(here, email)
        case "change":
            assert change(here, first["access_token"], PASSWORD).body == {"status": "password_changed"}
        case "everywhere":
            assert log_out(here, first["access_token"], everywhere=True).body == {"status": "logged_out"}
    for each in (first, second, fresh):
        assert not here.opens(each["access_token"])
        assert refreshed(here, each["refresh_token"]).refused == (401, "invalid_login")
    assert here.opens(theirs["access_token"])
    assert refreshed(here, theirs["refresh_token"]).status == 200


@pytest.mark.parametrize("how", ["reset", "everywhere"])
def test_a_sign_in_right_afterwards_is_good_at_once(here: World, how: str) -> None:
    """In the very second of the reset, too: what is answered is past the end of the sessions before."""
    email, password = here.joined(), PASSWORD
    stolen = here.log_in(email).body["access_token"]
    if how == "reset":
        reset(here, email)
        password = OTHER_PASSWORD
    else:
        assert log_out(here, stolen, everywhere=True).status == 200
    began = time.monotonic()
    signed_in = here.log_in(email, password).body
    assert time.monotonic() - began < 5
    assert here.opens(signed_in["access_token"])
    assert not here.opens(stolen)
    assert here.opens(refreshed(here, signed_in["refresh_token"]).body["access_token"])


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
def test_one_that_began_in_the_second_of_the_end_has_ended(fraction: float) -> None:
    second = 1_800_000_000
    before = ended_at(second + fraction)
    person = Person("s", TenantId("acme"), "", "", "", "", False, "confirmed", sessions_ended_at=before)
    for began in (second - 1, second, second + CLOCK_SKEW_SECONDS):
        assert person.session_over("any", began, second + fraction)
    assert not person.session_over("any", second + CLOCK_SKEW_SECONDS + 1, second + fraction)


def test_an_end_never_goes_back(here: World) -> None:
    person = person_of(here, here.joined())
    for before in (2000, 1000):
        here.authentication.people.end_sessions(person.subject, before)
    assert person_of(here, person.email).sessions_ended_at == 2000


def test_a_provider_whose_clock_is_far_behind_lets_no_one_sign_in(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, other = here.joined(), here.joined()
    here.authentication.people.end_sessions(person_of(here, email).subject, int(time.time()) + 1000)
    monkeypatch.setattr(sessions, "MAX_WAIT_SECONDS", 0.01)
    assert here.log_in(email).refused == (503, "try_again")
    assert here.log_in(other).status == 200


# Log out


@pytest.mark.parametrize("with_token", [True, False])
def test_logging_out_ends_this_session_and_no_other(here: World, with_token: bool) -> None:
    email, other = here.joined(), here.joined()
    mine, also_mine, theirs = (here.log_in(each).body for each in (email, email, other))
    fresh = refreshed(here, mine["refresh_token"]).body
    form = {"refresh_token": mine["refresh_token"]} if with_token else {}
    assert log_out(here, mine["access_token"], **form).body == {"status": "logged_out"}
    for each in (mine, fresh):
        assert not here.opens(each["access_token"])
        assert refreshed(here, each["refresh_token"]).refused == (401, "invalid_login")
    for each in (also_mine, theirs):
        assert here.opens(each["access_token"])
        assert refreshed(here, each["refresh_token"]).status == 200


def test_another_persons_refresh_token_cannot_be_ended(here: World) -> None:
    mine, theirs = (here.log_in(here.joined()).body for _ in range(2))
    for token in (theirs["refresh_token"], "a", mine["refresh_token"] + "x"):
        refused = log_out(here, mine["access_token"], refresh_token=token)
        assert refused.refused == (400, "invalid_refresh_token")
    assert refreshed(here, theirs["refresh_token"]).status == 200
    assert here.opens(theirs["access_token"])
    assert here.opens(mine["access_token"])


def test_very_many_log_outs_end_everything_rather_than_forget_one(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_ENDED_SESSIONS", 3)
    email = here.joined()
    kept = here.log_in(email).body["access_token"]
    ended = [here.log_in(email).body["access_token"] for _ in range(4)]
    for access in ended[:3]:
        log_out(here, access)
    assert here.opens(kept)
    log_out(here, ended[3])
    assert not any(here.opens(each) for each in (kept, *ended))
    assert person_of(here, email).ended_sessions == frozenset()
    assert MAX_ENDED_SESSIONS == 100


def test_what_has_expired_is_forgotten_with_the_next_log_out(here: World) -> None:
    email = here.joined()
    subject = person_of(here, email).subject
    here.authentication.people.end_session(subject, "long-ago", int(time.time()) - 1)
    access = here.log_in(email).body["access_token"]
    log_out(here, access)
    (only,) = person_of(here, email).ended_sessions
    assert "long-ago" not in only


@pytest.mark.parametrize("route", [route.removeprefix("POST ") for route in SIGNED_IN_ROUTES])
def test_a_key_has_no_session_and_an_ended_session_no_route(here: World, route: str) -> None:
    verdict = {**here.verdict(here.log_in(here.joined()).body["access_token"]), "actor": "key:k"}
    event = {
        "routeKey": f"POST {route}",
        "body": "{}",
        "requestContext": {
            "requestId": "r",
            "http": {"method": "POST", "sourceIp": new_address()},
            "authorizer": {"lambda": verdict},
        },
    }
    with pytest.raises(HttpError) as caught:
        answer_to(event, SignInService(here.authentication, min_response_seconds=0))
    assert (caught.value.status, caught.value.code) == (403, "sign_in_required")
    email = here.joined()
    access = here.log_in(email).body["access_token"]
    here.authentication.sessions.mark_all_ended(person_of(here, email))
    assert here.ask_signed_in(route, {}, access).refused == (401, "unauthorized")


# Changing a password


def test_a_changed_password_counts_is_in_the_trail_and_its_owner_is_mailed(here: World) -> None:
    email, other = here.joined(), here.joined()
    access, before = here.log_in(email).body["access_token"], len(here.mails(email))
    address = new_address()
    assert change(here, access, PASSWORD, address=address).status == 200
    assert here.log_in(email, PASSWORD).status == 401
    assert here.log_in(email, OTHER_PASSWORD).status == 200
    assert here.log_in(other, PASSWORD).status == 200
    (mail,) = here.mails(email)[before:]
    assert "password" in mail["text"]
    assert OTHER_PASSWORD not in json.dumps(mail)
    person = person_of(here, email)
    entry = here.authentication.audit.page(person.tenant, 1).entries[0]
    assert (entry["action"], entry["from"]) == ("password.changed", address)
    assert entry["actor"] == f"person:{person.subject}"


def test_a_reset_is_mailed_to_its_owner_too(here: World) -> None:
    email = here.joined()
    reset(here, email)
    assert "was changed" in here.mails(email)[-1]["text"]


def test_a_wrong_old_password_changes_nothing_and_counts_as_a_try_to_sign_in(here: World) -> None:
    email, thief = here.joined(), new_address()
    signed_in = here.log_in(email).body
    for _ in range(10):
        refused = change(here, signed_in["access_token"], "not-the-password", address=thief)
        assert refused.refused == (400, "invalid_password")
    assert change(here, signed_in["access_token"], PASSWORD, address=thief).status == 429
    assert here.log_in(email, PASSWORD, thief).status == 429
    assert here.opens(signed_in["access_token"])
    assert person_of(here, email).open_resets == frozenset()
    assert here.log_in(email).status == 200


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        ("short", "12 to 256 characters"),
        ("with a space in it", "spaces"),
        ("aaaaaaaaaaaa", "repeat"),
        ("Password1234", "most common"),
        ("{local}-{local}-1", "e-mail"),
        ("lovelace-ada-77", "name"),
    ],
)
def test_a_weak_new_password_is_refused_by_the_name_of_the_rule(here: World, new: str, rule: str) -> None:
    email = here.joined()
    person = person_of(here, email)
    here.authentication.people.change(person.subject, name="Ada Lovelace")
    access = here.log_in(email).body["access_token"]
    refused = change(here, access, PASSWORD, new.format(local=email.partition("@")[0]))
    assert refused.refused == (400, "invalid_new_password")
    assert "'new_password'" in refused.body["error"]
    assert rule in refused.body["error"]
    assert here.log_in(email).status == 200


@pytest.mark.parametrize(
    ("route", "more"),
    [("/v1/signup", {"name": "Ada", "accept_terms": True}), ("/v1/password/reset", {"code": "123456"})],
    ids=["signup", "reset"],
)
@pytest.mark.parametrize(
    ("password", "rule"),
    [("aaaaaaaaaaaa", "repeat"), ("Password1234", "most common"), ("ada.king@1815", "e-mail")],
)
def test_a_weak_password_is_refused_wherever_one_is_set(
    here: World, route: str, more: dict[str, Any], password: str, rule: str
) -> None:
    refused = here.ask(route, {"email": "ada.king@example.com", "password": password, **more})
    assert refused.refused == (400, "invalid_password")
    assert "'password'" in refused.body["error"]
    assert rule in refused.body["error"]
    assert password not in json.dumps(refused.body)


@pytest.mark.parametrize("step", ["sessions", "audit", "the answer"])
def test_a_change_that_failed_half_way_is_finished_by_the_same_request(
    here: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = here.joined()
    access = here.log_in(email).body["access_token"]
    cognito = here.clients["cognito-idp"]

    def unheard(**given: Any) -> None:
        take(**given)
        silent()

    with pytest.MonkeyPatch.context() as down:
        match step:
            case "sessions":
                down.setattr(cognito, "admin_user_global_sign_out", silent)
            case "audit":
                down.setattr(here.clients["dynamodb"], "put_item", silent)
            case "the answer":
                take = cognito.change_password
                down.setattr(cognito, "change_password", unheard)
        assert change(here, access, PASSWORD).refused == (503, "try_again")
    monkeypatch.setattr(session_ends, "UNDERWAY_SECONDS", -10)
    assert not here.opens(access), "a minute later at the latest"
    monkeypatch.undo()
    again = here.log_in(email, OTHER_PASSWORD)
    assert again.status == 200
    assert here.opens(again.body["access_token"])
    assert person_of(here, email).open_resets == frozenset()
