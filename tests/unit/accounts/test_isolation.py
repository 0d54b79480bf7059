"""Another account's key is answered as one that does not exist: same words, same work."""

import json
import random

import pytest

from functions.accounts.stored_key import Key
from functions.shared.http import Answer
from functions.shared.tenancy import TenantId
from tests.unit.accounts.account_service import NOON, World, decoded

PAIRS = 1000
TENANTS = 50
BY_ID = ("POST /v1/keys/{id}/rotate", "DELETE /v1/keys/{id}")


def without_request_id(answer: Answer) -> tuple[int, str, str]:
    body = decoded(answer)
    request_id = body.pop("request_id")
    assert request_id
    return answer["statusCode"], json.dumps(answer["headers"]), json.dumps(body)


def response_and_reads(
    here: World, route: str, tenant: str, key_id: str
) -> tuple[tuple[int, str, str], list[str]]:
    """The answer, and what was read from DynamoDB for it."""
    here.calls.clear()
    answer = here.ask(route, tenant, key_id=key_id)
    return without_request_id(answer), list(here.calls)


def states() -> list[dict[str, object]]:
    """A key may be in any of its states, and is as invisible in each."""
    return [{}, {"successor": "key_x"}, {"revoked_at": int(NOON)}, {"expires_at": int(NOON) - 1}]


def test_a_thousand_pairs_of_accounts_see_nothing_of_each_other(here: World) -> None:
    chance = random.Random(7)
    tenants = [here.account(f"tenant-{number}", owner=False) for number in range(TENANTS)]
    key_ids = {}
    for number, tenant in enumerate(tenants):
        key_ids[tenant] = f"key_{number:020x}"
        here.key(tenant, key_ids[tenant], **chance.choice(states()))
    for route in BY_ID:
        nobodys = {response_and_reads(here, route, tenant, "key_" + "f" * 20)[0] for tenant in tenants}
        assert [each[0] for each in nobodys] == [404]
        for _ in range(PAIRS):
            mine, theirs = chance.sample(tenants, 2)
            answer, calls = response_and_reads(here, route, mine, key_ids[theirs])
            assert {answer} == nobodys
            assert calls == ["BatchGetItem"]
    after = {tenant: here.account_service.keys.list(tenant) for tenant in tenants}
    assert {tenant: [each.key_id for each in keys] for tenant, keys in after.items()} == {
        tenant: [key_id] for tenant, key_id in key_ids.items()
    }
    assert all(here.entries(tenant) == [] for tenant in tenants)


@pytest.mark.parametrize("route", BY_ID)
def test_a_key_of_another_costs_as_many_reads_as_one_that_never_was(
    here: World, acme: TenantId, globex: TenantId, route: str
) -> None:
    here.key(globex, "key_theirs")
    theirs = response_and_reads(here, route, acme, "key_theirs")
    nobodys = response_and_reads(here, route, acme, "key_nobody")
    assert theirs == nobodys
    assert theirs[0][0] == 404


def test_a_list_entry_that_points_at_anothers_key_shows_nothing(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    """Should an entry ever be wrong, the key itself says whose it is."""
    here.key(globex, "key_theirs")
    entry = here.client.get_item(
        TableName="key-lists", Key={"tenant_id": {"S": globex}, "key_id": {"S": "key_theirs"}}
    )["Item"]
    here.client.put_item(TableName="key-lists", Item={**entry, "tenant_id": {"S": acme}})
    assert decoded(here.ask("GET /v1/keys", acme)) == {"keys": []}
    for route in BY_ID:
        assert here.ask(route, acme, key_id="key_theirs")["statusCode"] == 404


def test_two_accounts_may_have_keys_of_the_same_id(here: World, acme: TenantId, globex: TenantId) -> None:
    for tenant in (acme, globex):
        here.key(tenant, "key_same")
    here.ask("DELETE /v1/keys/{id}", acme, key_id="key_same")
    now = here.now
    states_of: dict[str, list[Key]] = {
        tenant: here.account_service.keys.list(tenant) for tenant in (acme, globex)
    }
    assert [key.state(now) for key in states_of[acme]] == ["revoked"]
    assert [key.state(now) for key in states_of[globex]] == ["active"]


@pytest.mark.parametrize("key_id", ["", " ", "../key", "key_\x00", "ü" * 10, "k" * 5000, "key_theirs "])
def test_an_id_that_cannot_be_one_is_404_too(
    here: World, acme: TenantId, globex: TenantId, key_id: str
) -> None:
    here.key(globex, "key_theirs")
    for route in BY_ID:
        assert (
            response_and_reads(here, route, acme, key_id)[0]
            == response_and_reads(here, route, acme, "key_nobody")[0]
        )
