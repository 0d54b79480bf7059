"""Known secrets go in through every route; afterwards they are looked for in all that we hold and say."""

import json
import re
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.naming import physical
from tests.integration.data_inventory import found_in
from tests.integration.person import Person
from tests.integration.sending import batch, drain, new_run
from tests.integration.stack import RunningStack, bearer

SHOWN_ONCE = {"POST /v1/keys", "POST /v1/keys/{id}/rotate", "POST /v1/login"}
"""What these answer, they answer for their caller: a new key, a token."""


class ResponseLog:
    """Every answer but those that show a secret once, on purpose: status line, headers, body."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def __call__(self, response: httpx.Response) -> None:
        response.read()
        route = re.sub(r"key_\w+", "{id}", f"{response.request.method} {response.request.url.path}")
        if not (route in SHOWN_ONCE and response.is_success):
            self.texts.append((route, f"{dict(response.headers)}\n{response.text}"))


@pytest.fixture
def responses() -> ResponseLog:
    return ResponseLog()


@pytest.fixture
def client(stack: RunningStack, responses: ResponseLog) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.api, timeout=60, event_hooks={"response": [responses]}) as connected:
        yield connected


def test_no_secret_is_in_anything_that_we_hold_or_say(
    stack: RunningStack, client: httpx.Client, responses: ResponseLog
) -> None:
    secrets = [
        *_passwords_and_tokens(stack, client),
        *_keys(stack, client),
        *_credentials(stack, client),
        *_stripes(stack, client),
        *(key for keys in (stack.keys, stack.second_keys, stack.byoc_keys) for key in keys.values()),
    ]
    stack.wait_until_settled()

    assert len(secrets) > 25
    assert found_in(stack, secrets) == []
    assert [route for route, text in responses.texts for secret in secrets if secret in text] == []


def _passwords_and_tokens(stack: RunningStack, client: httpx.Client) -> list[str]:
    """Right ones, wrong ones, in the wrong place, of the wrong type."""
    person = Person(client, stack.mail)
    token = person.joins()
    person.sets_another_password()
    assert client.get("/v1/account", headers=bearer(token)).status_code == 401
    token = person.logs_in()
    wrong = f"Canary-wrong-{uuid4().hex}"
    for body in (
        {"email": person.email, "password": wrong},
        {"email": wrong, "password": wrong},
        {"email": person.email, "password": [wrong]},
        {"email": person.email, wrong: wrong},
        {"refresh_token": wrong},
        wrong,
    ):
        assert client.post("/v1/login", json=body).status_code in (400, 401)
    assert client.post("/v1/signup", json={"name": "x", "email": wrong, "password": wrong}).status_code == 400
    assert client.get("/v1/account", headers=bearer(token)).status_code == 200
    assert client.get("/v1/account", headers=bearer(f"{token[:-9]}AAAAAAAAA")).status_code == 401
    changed = client.patch("/v1/account", json={"password": wrong}, headers=bearer(token))
    assert changed.status_code == 400
    for route, form in (
        ("/v1/password/change", {"password": wrong, "new_password": f"{wrong}-2"}),
        ("/v1/password/change", {"password": person.password, "new_password": [wrong]}),
        ("/v1/logout", {"refresh_token": wrong}),
    ):
        assert client.post(route, json=form, headers=bearer(token)).status_code == 400
    return [*person.secrets, wrong]


def _keys(stack: RunningStack, client: httpx.Client) -> list[str]:
    """Made, used in each header, rotated, revoked, mistyped."""
    admin = bearer(stack.keys["admin"])
    made = client.post("/v1/keys", json={"scopes": ["ingest", "read"]}, headers=admin).json()
    rotated = client.post(f"/v1/keys/{made['id']}/rotate", json={"overlap_hours": 0}, headers=admin).json()
    keys = [made["key"], rotated["key"], f"{rotated['key'][:-1]}!"]
    for key in keys:
        for headers in (bearer(key), {"x-api-key": key}, {"dd-api-key": key}, {"authorization": key}):
            client.post("/v1/search", json={"q": "x"}, headers=headers)
            client.post("/v1/drain", json={"events": [{"message": "a line"}]}, headers=headers)
            client.get("/v1/account", headers=headers)
    assert client.delete(f"/v1/keys/{rotated['id']}", headers=admin).status_code == 204
    assert client.get("/v1/keys", headers=admin).status_code == 200
    assert client.get("/v1/audit", headers=admin).status_code == 200
    return keys


def _credentials(stack: RunningStack, client: httpx.Client) -> list[str]:
    """Those that are used, and others that are refused at each step, or before any."""
    admin, right = bearer(stack.byoc_keys["admin"]), stack.byoc_destination
    canaries = [f"canary-credential-{number}-{uuid4().hex}" for number in range(9)]
    secrets = iter(canaries)
    for put in (
        _changed(right, "clickhouse", "password", next(secrets)),
        _changed(right, "bucket", "secret_access_key", [next(secrets)]),
        _changed(right, "bucket", "secret_key", next(secrets)),
        _changed(right, "clickhouse", "password", {"of": next(secrets)}),
        {**_changed(right, "clickhouse", "password", next(secrets)), "retention_days": "many"},
        _changed(_changed(right, "clickhouse", "password", next(secrets)), "clickhouse", "port", 1),
        _changed(_changed(right, "bucket", "secret_access_key", next(secrets)), "bucket", "name", "nowhere"),
        [next(secrets)],
    ):
        assert client.put("/v1/destination", json=put, headers=admin).status_code == 400
        assert client.post("/v1/destination/test", json=put, headers=admin).status_code in (200, 400)
    accepted = _changed(right, "bucket", "secret_access_key", next(secrets))
    for put in (accepted, right):
        assert client.put("/v1/destination", json=put, headers=admin).status_code == 200
        sent = drain(client, stack.byoc_keys["ingest"], batch(new_run(), "own", 3), wait=True)
        assert sent.status_code in (200, 202)
        assert client.post("/v1/destination/test", headers=admin).status_code == 200
        assert client.get("/v1/destination", headers=admin).status_code == 200
        assert client.post("/v1/search", json={"q": "order"}, headers=admin).status_code == 200
        assert client.get("/v1/quarantine", headers=admin).status_code == 200
    return [*canaries, right["bucket"]["secret_access_key"], right["clickhouse"]["password"]]


def _stripes(stack: RunningStack, client: httpx.Client) -> list[str]:
    """Stripe's key and the secret of its webhooks, used and mistaken for each other."""
    asked = stack.aws("secretsmanager").get_secret_value(SecretId=physical("stripe"))
    held: dict[str, str] = json.loads(asked["SecretString"])
    admin = bearer(stack.keys["admin"])
    assert client.get("/v1/billing", headers=admin).status_code == 200
    assert client.post("/v1/billing/checkout", json={"plan": "managed_15"}, headers=admin).status_code == 201
    assert client.post("/v1/billing/portal", headers=admin).status_code == 201
    event = httpx.post(f"{stack.stripe}/v1/customers", auth=(held["api_key"], ""), data={"name": "Canary"})
    assert event.status_code == 200
    for secret in held.values():
        signed = {"stripe-signature": f"t={int(time.time())},v1={secret}"}
        forged = client.post("/v1/stripe/webhook", json={"id": "evt_x", "of": secret}, headers=signed)
        assert forged.status_code == 400
    return list(held.values())


def _changed(destination: dict[str, Any], part: str, field: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(destination)
    changed[part][field] = value
    return changed
