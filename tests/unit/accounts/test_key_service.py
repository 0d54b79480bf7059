"""An account's keys: created, rotated, revoked, listed; and every change with its entry or not at all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from functions.accounts import keys, routes
from functions.accounts.authorizer import CACHE_SECONDS, Authorizer
from functions.accounts.key_service import MAX_ACTIVE
from functions.accounts.key_store import REVISION
from functions.accounts.ttl_cache import time as belief_time
from functions.shared.tenancy import TenantId
from tests.unit.accounts.account_service import CODE, NOON, SESSION, World, decoded

HOUR = 3600
DAY = 24 * HOUR


class Never:
    """Failures that never are too many, and tokens and people that are never asked for."""

    def count_failure(self, _address: str, _now: float) -> bool:
        return False


def authorizer(here: World) -> Authorizer:
    return Authorizer(here.directory, None, None, Never())  # type: ignore[arg-type]


def verdict(authority: Authorizer, text: str, now: float) -> str:
    return authority.context({"authorization": f"Bearer {text}"}, now, "192.0.2.1")["verdict"]


def created(here: World, tenant: str, **fields: Any) -> dict[str, Any]:
    answer = here.ask("POST /v1/keys", tenant, {"scopes": ["ingest"], **fields})
    assert answer["statusCode"] == 201, answer["body"]
    return dict(decoded(answer))


def rotated(here: World, tenant: str, key_id: str, **fields: Any) -> dict[str, Any]:
    answer = here.ask("POST /v1/keys/{id}/rotate", tenant, fields, key_id=key_id)
    assert answer["statusCode"] == 201, answer["body"]
    return dict(decoded(answer))


def listed(here: World, tenant: str) -> dict[str, dict[str, Any]]:
    answer = here.ask("GET /v1/keys", tenant)
    return {each["id"]: each for each in decoded(answer)["keys"]}


@contextmanager
def overtaken_by(here: World, other: Callable[[], object]) -> Iterator[None]:
    """The next transaction finds that `other` took place after it had read what it builds on."""
    waiting = [other]

    def overtake(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    here.client.meta.events.register_first("before-call.dynamodb.TransactWriteItems", overtake)
    try:
        yield
    finally:
        here.client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", overtake)
    assert not waiting


def test_a_created_key_works_and_is_shown_once(here: World, acme: TenantId, globex: TenantId) -> None:
    answer = here.ask(
        "POST /v1/keys",
        acme,
        {"name": "shipper", "scopes": ["read", "ingest"], "project_id": "web", "expires_in_days": 2},
    )
    made = decoded(answer)
    assert answer["statusCode"] == 201
    assert answer["headers"]["cache-control"] == "no-store"
    context = authorizer(here).context({"x-api-key": made["key"]}, NOON, "")
    assert (context["tenant_id"], context["key_id"], context["actor"]) == (
        acme,
        made["id"],
        f"key:{made['id']}",
    )
    assert (context["scopes"], context["project_id"], context["plan"]) == ("ingest read", "web", "managed_30")
    shown = listed(here, acme)
    assert made["key"] not in json.dumps(shown)
    assert shown == {
        made["id"]: {
            "id": made["id"],
            "name": "shipper",
            "prefix": made["key"][:16],
            "scopes": ["ingest", "read"],
            "project_id": "web",
            "state": "active",
            "replaced_by": None,
            "created_at": "2027-01-15T08:00:00Z",
            "expires_at": "2027-01-17T08:00:00Z",
            "revoked_at": None,
            "last_used_at": "2027-01-15T08:00:00Z",
        }
    }
    assert listed(here, globex) == {}


def test_nothing_stored_holds_the_key(here: World, acme: TenantId) -> None:
    made = created(here, acme)
    rotation = rotated(here, acme, made["id"])
    stored = json.dumps(
        [here.client.scan(TableName=name)["Items"] for name in ("keys", "key-lists", "audit")]
    )
    for text in (made["key"], rotation["key"]):
        assert text[16:] not in stored
        assert keys.hash_of(text) in stored


def test_keys_are_listed_newest_first(here: World, acme: TenantId) -> None:
    ids = []
    for _ in range(3):
        here.now += 1
        ids.append(created(here, acme)["id"])
    assert list(listed(here, acme)) == ids[::-1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_scopes"),
        ({"scopes": []}, "invalid_scopes"),
        ({"scopes": ["root"]}, "invalid_scopes"),
        ({"scopes": "admin"}, "invalid_scopes"),
        ({"scopes": ["read"], "name": "x" * 201}, "invalid_name"),
        ({"scopes": ["read"], "name": "a\nb"}, "invalid_name"),
        ({"scopes": ["read"], "project_id": 7}, "invalid_project_id"),
        ({"scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "invalid_expires_at"),
        ({"scopes": ["read"], "expires_at": "2030-01-01T00:00:00"}, "invalid_expires_at"),
        ({"scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"}, "invalid_expires_at"),
        ({"scopes": ["read"], "expires_at": "soon"}, "invalid_expires_at"),
        ({"scopes": ["read"], "expires_in_days": 0}, "invalid_expires_in_days"),
        (
            {"scopes": ["read"], "expires_in_days": 1, "expires_at": "2028-01-01T00:00:00Z"},
            "invalid_expires_at",
        ),
        ({"scopes": ["read"], "scope": "read"}, "unknown_field"),
        ([], "invalid_body"),
    ],
)
def test_a_wish_that_is_not_clear_is_400_and_makes_nothing(
    here: World, acme: TenantId, body: Any, code: str
) -> None:
    answer = here.ask("POST /v1/keys", acme, body)
    assert (answer["statusCode"], decoded(answer)["code"]) == (400, code)
    assert listed(here, acme) == {}
    assert here.entries(acme) == []


def test_an_account_has_a_hundred_active_keys_and_can_still_rotate(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    for number in range(MAX_ACTIVE - 1):
        here.key(acme, f"key_{number}")
    last = created(here, acme)
    answer = here.ask("POST /v1/keys", acme, {"scopes": ["read"]})
    assert (answer["statusCode"], decoded(answer)["code"]) == (409, "too_many_keys")
    created(here, globex)
    rotated(here, acme, last["id"])
    here.ask("DELETE /v1/keys/{id}", acme, key_id="key_0")
    created(here, acme)


def test_while_rotating_both_keys_work_and_then_the_old_one_has_expired(here: World, acme: TenantId) -> None:
    old = created(here, acme, name="shipper", project_id="web")
    new = rotated(here, acme, old["id"], overlap_hours=2)
    assert [new[each] for each in ("name", "project_id", "scopes")] == ["shipper", "web", ["ingest"]]
    assert new["replaced"]["expires_at"] == "2027-01-15T10:00:00Z"
    assert {each["state"] for each in listed(here, acme).values()} == {"active", "rotating"}
    assert listed(here, acme)[old["id"]]["replaced_by"] == new["id"]
    authority = authorizer(here)
    for seconds, expected in (
        (0, "ok"),
        (2 * HOUR - 1, "ok"),
        (2 * HOUR, "key_expired"),
        (9 * DAY, "key_expired"),
    ):
        assert verdict(authority, old["key"], NOON + seconds) == expected
        assert verdict(authority, new["key"], NOON + seconds) == "ok"
    here.now += 2 * HOUR
    assert listed(here, acme)[old["id"]]["state"] == "expired"


def test_a_rotation_overlaps_a_day_unless_asked_otherwise_and_never_prolongs(
    here: World, acme: TenantId
) -> None:
    first = rotated(here, acme, created(here, acme)["id"])
    assert first["replaced"]["expires_at"] == "2027-01-16T08:00:00Z"
    assert first["expires_at"] is None
    short = created(here, acme, expires_at="2027-01-15T12:00:00+01:00")
    second = rotated(here, acme, short["id"])
    assert second["replaced"]["expires_at"] == second["expires_at"] == "2027-01-15T11:00:00Z"
    third = rotated(here, acme, second["id"], overlap_hours=0, expires_in_days=1)
    assert third["replaced"]["state"] == "expired"
    assert third["expires_at"] == "2027-01-16T08:00:00Z"


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "24"])
def test_an_overlap_is_whole_hours_up_to_a_week(here: World, acme: TenantId, hours: Any) -> None:
    made = created(here, acme)
    answer = here.ask("POST /v1/keys/{id}/rotate", acme, {"overlap_hours": hours}, key_id=made["id"])
    assert (answer["statusCode"], decoded(answer)["code"]) == (400, "invalid_overlap_hours")


def test_only_an_active_key_is_rotated(here: World, acme: TenantId) -> None:
    twice, ended, revoked = (created(here, acme, expires_in_days=1) for _ in range(3))
    new = rotated(here, acme, twice["id"])
    again = here.ask("POST /v1/keys/{id}/rotate", acme, key_id=twice["id"])
    assert (again["statusCode"], decoded(again)["code"]) == (409, "already_rotated")
    assert new["id"] in decoded(again)["error"]
    here.ask("DELETE /v1/keys/{id}", acme, key_id=revoked["id"])
    here.now += 2 * DAY
    for each in (ended, revoked):
        answer = here.ask("POST /v1/keys/{id}/rotate", acme, key_id=each["id"])
        assert (answer["statusCode"], decoded(answer)["code"]) == (409, "key_not_active")
    assert len(listed(here, acme)) == 4


def test_a_rotation_that_another_overtakes_makes_no_second_key(here: World, acme: TenantId) -> None:
    """The second reads before the first has written, and writes after it."""
    made = created(here, acme)
    with overtaken_by(here, lambda: rotated(here, acme, made["id"])):
        answer = here.ask("POST /v1/keys/{id}/rotate", acme, key_id=made["id"])
    assert (answer["statusCode"], decoded(answer)["code"]) == (409, "already_rotated")
    assert len(listed(here, acme)) == 2
    assert sorted(here.actions(acme)) == ["key.created", "key.rotated"]


def test_a_key_created_meanwhile_counts(here: World, acme: TenantId) -> None:
    for number in range(MAX_ACTIVE - 1):
        here.key(acme, f"key_{number}")
    with overtaken_by(here, lambda: created(here, acme)):
        answer = here.ask("POST /v1/keys", acme, {"scopes": ["read"]})
    assert (answer["statusCode"], decoded(answer)["code"]) == (409, "too_many_keys")
    assert len(listed(here, acme)) == MAX_ACTIVE


def test_a_revoked_key_is_refused_within_a_minute_and_listed_for_thirty_days(
    here: World, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr(belief_time, "monotonic", lambda: seconds[0])
    made = created(here, acme)
    authority = authorizer(here)
    assert verdict(authority, made["key"], NOON) == "ok"
    answer = here.ask("DELETE /v1/keys/{id}", acme, key_id=made["id"])
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert verdict(authority, made["key"], NOON) == "ok"
    assert CACHE_SECONDS <= 60
    seconds[0] += CACHE_SECONDS
    assert verdict(authority, made["key"], NOON + CACHE_SECONDS) == "unknown_key"
    assert listed(here, acme)[made["id"]]["state"] == "revoked"
    here.now += 30 * DAY - 1
    assert made["id"] in listed(here, acme)
    here.now += 1
    assert listed(here, acme) == {}


def test_an_expired_key_is_known_for_thirty_days(here: World, acme: TenantId) -> None:
    made = created(here, acme, expires_in_days=1)
    for days, expected in ((30, "key_expired"), (31, "unknown_key")):
        assert verdict(authorizer(here), made["key"], NOON + days * DAY) == expected


def test_revoking_twice_is_one_entry_and_the_key_you_call_with_may_go(here: World, acme: TenantId) -> None:
    here.key(acme, "key_caller")
    for _ in range(2):
        assert here.ask("DELETE /v1/keys/{id}", acme, key_id="key_caller")["statusCode"] == 204
    assert here.actions(acme) == ["key.revoked"]


def test_use_is_noted_while_a_key_is_rotated_and_kept(here: World, acme: TenantId) -> None:
    made = created(here, acme)
    here.directory.note_use(keys.hash_of(made["key"]), int(NOON) + HOUR)
    rotated(here, acme, made["id"])
    assert listed(here, acme)[made["id"]]["last_used_at"] == "2027-01-15T09:00:00Z"


@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("route", ["POST /v1/keys", "POST /v1/keys/{id}/rotate", "DELETE /v1/keys/{id}"])
def test_whatever_write_fails_there_is_no_change_without_its_entry(
    here: World, acme: TenantId, route: str, writes: int
) -> None:
    made = created(here, acme)
    before = listed(here, acme)
    here.writes_left = writes
    body = {"scopes": ["read"]} if route == "POST /v1/keys" else None
    status = here.ask(route, acme, body, key_id=made["id"])["statusCode"]
    here.writes_left = None
    changed = listed(here, acme) != before
    assert changed == (len(here.entries(acme)) == 2) == (writes > 0) == (status < 300)


def test_every_change_has_its_entry(here: World, acme: TenantId, globex: TenantId) -> None:
    made = created(here, acme)
    here.now += 1
    new = rotated(here, acme, made["id"])
    here.now += 1
    here.ask("DELETE /v1/keys/{id}", acme, key_id=new["id"])
    reported = [(each["action"], each["subject"], each["actor"]) for each in here.entries(acme)]
    assert reported == [
        ("key.revoked", new["id"], "key:key_caller"),
        ("key.rotated", made["id"], "key:key_caller"),
        ("key.created", made["id"], "key:key_caller"),
    ]
    assert here.entries(globex) == []


@pytest.mark.parametrize("scopes", ["ingest", "read", "ingest read"])
def test_keys_are_for_admins_alone(here: World, acme: TenantId, scopes: str) -> None:
    for route in ("GET /v1/keys", "POST /v1/keys", "POST /v1/keys/{id}/rotate", "DELETE /v1/keys/{id}"):
        answer = here.ask(route, acme, {"scopes": ["ingest"]}, key_id="key_1", scopes=scopes)
        assert (answer["statusCode"], decoded(answer)["code"]) == (403, "forbidden_scope")


def test_a_key_stored_before_there_were_names_and_lists_still_works(here: World, acme: TenantId) -> None:
    text = keys.generate()
    here.client.put_item(
        TableName="keys",
        Item={
            "key_hash": {"S": keys.hash_of(text)},
            "tenant_id": {"S": acme},
            "key_id": {"S": "key_old"},
            "shown_prefix": {"S": text[:16]},
            "scopes": {"SS": ["ingest"]},
            "project_id": {"S": "default"},
        },
    )
    assert verdict(authorizer(here), text, NOON) == "ok"
    assert listed(here, acme) == {}


def test_an_operators_key_is_listed_and_can_be_forgotten(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    mine, theirs = here.key(acme, "key_first"), here.key(globex, "key_first")
    assert set(listed(here, acme)) == {"key_first"}
    here.directory.remove_key(keys.hash_of(mine))
    here.directory.remove_key(keys.hash_of(mine))
    assert listed(here, acme) == {}
    assert set(listed(here, globex)) == {"key_first"}
    assert verdict(authorizer(here), theirs, NOON) == "ok"
    assert verdict(authorizer(here), mine, NOON) == "unknown_key"


def test_the_lists_revision_is_no_key(here: World, acme: TenantId) -> None:
    created(here, acme)
    answer = here.ask("DELETE /v1/keys/{id}", acme, key_id=REVISION)
    assert answer["statusCode"] == 404


def test_when_dynamodb_is_down_the_answer_is_503(here: World, acme: TenantId) -> None:
    def fail(**_: Any) -> Any:
        raise here.client.exceptions.ProvisionedThroughputExceededException(
            {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "canary-4711"}}, "Query"
        )

    here.client.meta.events.register_first("before-call.dynamodb", fail)
    try:
        answer = here.ask("GET /v1/keys", acme)
    finally:
        here.client.meta.events.unregister("before-call.dynamodb", fail)
    assert (answer["statusCode"], decoded(answer)["code"]) == (503, "try_again")
    assert answer["headers"]["retry-after"] == "2"
    assert "canary" not in answer["body"]


@pytest.mark.parametrize("how", ["all of them", "this one"])
def test_an_ended_session_makes_nothing_that_outlives_it_from_that_moment_on(
    here: World, acme: TenantId, globex: TenantId, how: str
) -> None:
    """The authorizer may remember the session for half a minute; a key or an address would stay."""
    here.key(acme, "key_old")
    if how == "all of them":
        here.people.end_sessions(f"person-{acme}", int(here.now))
    else:
        here.people.end_session(f"person-{acme}", SESSION, int(here.now) + 3600)
    asked: list[tuple[str, dict[str, object]]] = [
        ("POST /v1/keys", {"scopes": ["admin"]}),
        ("POST /v1/keys/{id}/rotate", {}),
        ("PATCH /v1/account", {"email": "thief@example.com"}),
        ("POST /v1/account/email/confirm", {"code": CODE}),
        ("POST /v1/searches", {"name": "of a thief"}),
        ("PATCH /v1/searches/{id}", {"name": "of a thief"}),
        ("DELETE /v1/searches/{id}", {}),
    ]
    assert {route for route, _ in asked} == routes.LASTING
    for route, body in asked:
        answer = here.ask(route, acme, body, key_id="key_old", person=True)
        assert (answer["statusCode"], decoded(answer)["code"]) == (401, "unauthorized")
    assert [each.key_id for each in here.account_service.keys.list(acme)] == ["key_old"]
    assert here.actions(acme) == []
    assert here.ask("POST /v1/keys", globex, {"scopes": ["admin"]}, person=True)["statusCode"] == 201
    assert here.ask("POST /v1/keys", acme, {"scopes": ["read"]})["statusCode"] == 201, "a key has no session"
