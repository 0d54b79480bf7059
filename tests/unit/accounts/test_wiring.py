"""From a key in a header to an answer: the authorizer's context is what the accounts function reads."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.accounts import authorizer, handler, keys
from functions.accounts.directory import Key
from functions.shared import signed_json_client
from functions.shared.tenancy import TenantId
from infra.topology import function
from tests.signed_connection import connecting_to
from tests.unit.accounts.account_service import World, decoded, event_of


@pytest.fixture
def _environment(here: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings as the topology has them; what stands for a table's name is the name itself."""
    monkeypatch.setattr(signed_json_client, "connect", connecting_to(here.client))
    for name in ("authorizer", "accounts"):
        for setting, value in function(name).settings.items():
            monkeypatch.setenv(f"ASTRALOG_{setting.upper()}", value.rpartition(":")[2])
    authorizer._authorizer.cache_clear()
    handler._account_service.cache_clear()
    yield
    authorizer._authorizer.cache_clear()
    handler._account_service.cache_clear()


def ask(key: str, tenant: str, route: str = "GET /v1/keys") -> Any:
    event = event_of(route, tenant, None, "")
    event["headers"] = {"Authorization": f"Bearer {key}"}
    event["requestContext"]["authorizer"] = {"lambda": authorizer.handler(event, None)["context"]}
    return handler.handler(event, None)


@pytest.mark.usefixtures("_environment")
def test_an_admin_key_opens_its_own_account_and_no_other(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    texts = {tenant: keys.generate() for tenant in (acme, globex)}
    for tenant, text in texts.items():
        here.directory.put_key(text, Key(tenant, f"key_{tenant}", frozenset({"admin"}), "default"))
    for tenant, text in texts.items():
        assert [each["id"] for each in decoded(ask(text, tenant))["keys"]] == [f"key_{tenant}"]
        assert decoded(ask(text, tenant, "GET /v1/account"))["tenant_id"] == tenant


@pytest.mark.usefixtures("_environment")
def test_failures_from_one_address_end_in_429_while_its_good_key_passes(here: World, acme: TenantId) -> None:
    good = keys.generate()
    here.directory.put_key(good, Key(acme, "key_good", frozenset({"admin"}), "default"))
    statuses = [ask(keys.generate(), acme)["statusCode"] for _ in range(101)]
    assert statuses == [401] * 100 + [429]
    refused = ask("nonsense", acme)
    assert (refused["statusCode"], decoded(refused)["code"]) == (429, "too_many_attempts")
    assert 1 <= int(refused["headers"]["retry-after"]) <= 60
    assert ask(good, acme)["statusCode"] == 200


@pytest.mark.usefixtures("_environment")
def test_a_foreign_token_is_401(acme: TenantId, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.accounts import tokens

    monkeypatch.setattr(tokens, "_fetch", lambda _url: b'{"keys": []}')
    answer = ask("eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.c2ln", acme)
    assert answer["statusCode"] == 401
    assert "log in again" in decoded(answer)["error"]


@pytest.mark.usefixtures("_environment")
def test_an_account_that_is_to_be_erased_takes_no_logs_and_one_that_is_being_so_opens_nothing(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    text, theirs = keys.generate(), keys.generate()
    here.directory.put_key(text, Key(acme, "key_a", frozenset({"admin"}), "default"))
    here.directory.put_key(theirs, Key(globex, "key_g", frozenset({"admin"}), "default"))

    def mark(change: str, value: dict[str, Any]) -> dict[str, str]:
        """What the authorizer says of each, once it does not remember."""
        here.client.update_item(
            TableName="accounts",
            Key={"tenant_id": {"S": acme}},
            UpdateExpression=change,
            **({} if "REMOVE" in change else {"ExpressionAttributeValues": {":x": value}}),
        )
        authorizer._authorizer.cache_clear()
        found = {}
        for name, key in (("mine", text), ("theirs", theirs)):
            event = event_of("GET /v1/keys", acme, None, "")
            event["headers"] = {"Authorization": f"Bearer {key}"}
            context = authorizer.handler(event, None)["context"]
            found[name] = f"{context['verdict']} {context.get('refusal', '')}".strip()
        return found

    assert mark("SET closes_at = :x", {"N": "1"}) == {"mine": "ok account_closing", "theirs": "ok"}
    assert decoded(ask(text, acme, "GET /v1/account"))["closes_at"] == "1970-01-01T00:00:01Z"
    assert mark("REMOVE closes_at", {}) == {"mine": "ok", "theirs": "ok"}
    assert mark("SET closed = :x", {"BOOL": True}) == {"mine": "unknown_key", "theirs": "ok"}
    mark("REMOVE closed", {})
