"""Sessions on the whole stack: they end for their person at once, and made-up ones stop no good one."""

import time
from typing import Any

import httpx
import pytest

from functions.accounts.authorizer import CACHE_SECONDS
from functions.accounts.failures import MOST
from tests.integration.person import Person
from tests.integration.stack import RunningStack, bearer

ATTACK_AFTER_SECONDS = 35
"""When the attack of the review made its key."""


def key_made_with(client: httpx.Client, access: str) -> int:
    answer = client.post("/v1/keys", json={"scopes": ["admin"]}, headers=bearer(access))
    return answer.status_code


def opens(client: httpx.Client, access: str) -> bool:
    status = client.get("/v1/account", headers=bearer(access)).status_code
    assert status in (200, 401)
    return status == 200


def session(client: httpx.Client, person: Person) -> dict[str, Any]:
    form = {"email": person.email, "password": person.password}
    answer = client.post("/v1/login", json=form)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def test_a_stolen_access_token_makes_no_key_after_a_reset(stack: RunningStack) -> None:
    with stack.client() as client:
        owner, neighbour = Person(client, stack.mail), Person(client, stack.mail)
        stolen, theirs = owner.joins(), neighbour.joins()
        assert opens(client, stolen)
        owner.sets_another_password()
        reset_at = time.monotonic()
        assert key_made_with(client, stolen) == 401, "what lasts is looked at each time"
        sent_at = time.monotonic()
        while opens(client, stolen):
            assert sent_at - reset_at < CACHE_SECONDS + 2
            time.sleep(0.5)
            sent_at = time.monotonic()
        time.sleep(max(0.0, reset_at + ATTACK_AFTER_SECONDS - time.monotonic()))
        assert key_made_with(client, stolen) == 401
        assert not opens(client, stolen)
        fresh = session(client, owner)
        assert opens(client, fresh["access_token"])
        assert key_made_with(client, fresh["access_token"]) == 201
        assert key_made_with(client, theirs) == 201


def test_a_changed_password_and_a_log_out_end_what_they_say(stack: RunningStack) -> None:
    with stack.client() as client:
        owner, neighbour = Person(client, stack.mail), Person(client, stack.mail)
        owner.joins()
        theirs = neighbour.joins()
        one, two = session(client, owner), session(client, owner)
        mine = {"refresh_token": one["refresh_token"]}
        answer = client.post("/v1/logout", json=mine, headers=bearer(one["access_token"]))
        assert (answer.status_code, answer.json()) == (200, {"status": "logged_out"})
        assert key_made_with(client, one["access_token"]) == 401
        assert client.post("/v1/login", json=mine).status_code == 401
        weak = {"password": owner.password, "new_password": "Password1234"}
        refused = client.post("/v1/password/change", json=weak, headers=bearer(two["access_token"]))
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_new_password")
        new = {"password": owner.password, "new_password": f"another-{owner.password}"}
        changed = client.post("/v1/password/change", json=new, headers=bearer(two["access_token"]))
        assert (changed.status_code, changed.json()) == (200, {"status": "password_changed"})
        assert key_made_with(client, two["access_token"]) == 401
        owner.password = new["new_password"]
        assert opens(client, session(client, owner)["access_token"])
        assert opens(client, theirs)


@pytest.mark.parametrize("token", ["a", "r1." + "A" * 40 + "." + "B" * 43 + ".eyJ.made.up"])
def test_made_up_refresh_tokens_are_stopped_and_good_ones_from_there_are_not(
    stack: RunningStack, token: str
) -> None:
    with stack.client() as client:
        person = Person(client, stack.mail)
        person.joins()
        good = session(client, person)["refresh_token"]
        statuses = [client.post("/v1/login", json={"refresh_token": token}).status_code for _ in range(150)]
        assert set(statuses) <= {401, 429}
        assert statuses.count(401) <= MOST
        assert statuses[-1] == 429
        time.sleep(1.0)
        answer = client.post("/v1/login", json={"refresh_token": good})
        assert answer.status_code == 200, answer.text
