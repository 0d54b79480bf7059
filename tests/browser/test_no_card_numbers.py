"""After a walk with cards no store has a card number, and none of our fields is made for one."""

import ast
import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from backports import zstd

from infra import topology
from local import overrides
from local.endpoints import Endpoints
from local.invoker import Invoker
from local.naming import PROJECT_ROOT, physical, queue_url
from local.scheduler import schedule_event
from tests.browser.card_numbers import cards_in
from tests.browser.hands import DECLINED, GOOD
from tests.browser.walk import Walk
from tests.integration.data_inventory import everything
from tests.integration.stack import RunningStack

CARD = "".join(GOOD.split())
PLANTED = "5105105105105100"
WORDS = frozenset({"card", "cards", "cardholder", "pan", "cvc", "cvv", "cvn", "csc", "iban"})
PHRASES = re.compile(r"(^|_)(exp(iry)?_(month|year|date)|security_code)(_|$)")
MEANT_OTHERWISE = {"card_declined": "the code of an answer: what Stripe said of a card that it knows"}


def test_no_card_number_is_in_anything_we_hold_and_a_planted_one_is_found(walk: Walk) -> None:
    """Looked at once more with a number in each kind of place, to see that the look is one."""
    _send_card_numbers_by_mistake(walk)
    _run_what_is_scheduled(walk.stack)
    assert [
        (place, found) for place, content in stored_and_logged(walk.stack) if (found := _cards_in(content))
    ] == []

    _plant(walk)
    found = {
        place.split(" ")[0]
        for place, content in stored_and_logged(walk.stack)
        if PLANTED in _cards_in(content)
    }
    assert found == {"table", "bucket", "queue", "mail", "log", "rows"}


def test_the_local_stripe_keeps_no_card_number_either(walk: Walk) -> None:
    """Brand and last four digits, and how the card answers."""
    kept = walk.stack.logs.with_name("stripe").read_bytes()
    assert b"4242" in kept
    assert CARD.encode() not in kept
    assert cards_in(kept) == []


@pytest.mark.parametrize("body", [
    {"plan": "managed_15", "card": GOOD},
    {"plan": "managed_15", "payment_method": {"card": {"number": CARD, "cvc": "123"}}},
    {"plan": CARD},
])  # fmt: skip
def test_no_route_of_billing_takes_a_card(walk: Walk, body: dict[str, Any]) -> None:
    for path in ("/v1/billing/checkout", "/v1/billing/plan"):
        refusal = walk.subscriber.ask("POST", path, body, 400)
        assert cards_in(json.dumps(refusal).encode()) == []
    for cap in ("soft_cap_gb", "hard_cap_gb"):
        for value in (int(CARD), CARD, GOOD):
            walk.subscriber.ask("PATCH", "/v1/billing", {cap: value}, 400)


def test_no_name_in_our_code_is_that_of_a_card_s_field() -> None:
    """Fields of forms and records, attributes of tables, settings, routes, columns: all are names here."""
    files = [*PROJECT_ROOT.glob("functions/**/*.py"), *PROJECT_ROOT.glob("infra/topology/**/*.py")]
    found = {name for file in files for name in _names(ast.parse(file.read_text())) if _of_a_card(name)}
    assert found <= MEANT_OTHERWISE.keys(), sorted(found - MEANT_OTHERWISE.keys())
    columns = "".join(each.read_text() for each in PROJECT_ROOT.glob("functions/**/*.sql"))
    assert [word for word in re.findall(r"\w+", columns) if _of_a_card(word)] == []


def test_nothing_we_wrote_on_the_way_has_an_attribute_of_a_card_s_name(walk: Walk) -> None:
    """Whatever the code is like: what the tables and rows do have."""
    dynamodb, names = walk.stack.aws("dynamodb"), set[str]()
    for table in topology.TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=physical(table.name)):
            names |= {name for item in page["Items"] for name in _attributes(item)}
    names |= {name for row in walk.stack.rows("SELECT * FROM astralog.events LIMIT 100") for name in row}
    assert {"tenant_id", "customer_id", "message"} <= names
    assert {name for name in names if _of_a_card(name)} == set()


def test_none_of_our_pages_has_a_field_to_type_into(walk: Walk) -> None:
    """The page of an unsubscribe link has a button. What was typed on the way went to Stripe's pages.

    Stripe leads back to the dashboard, which asks whether the browser has a session.
    """
    for file in PROJECT_ROOT.glob("functions/**/*.py"):
        fields = re.findall(r"<(?:input|textarea|select)\b[^>]*", file.read_text())
        assert [field for field in fields if 'type="hidden"' not in field] == [], file
    posted = [request for request in walk.log if request.method == "POST"]
    assert {request.origin for request in posted} == {walk.stack.stripe, walk.stack.api}
    ours = [request for request in posted if request.origin == walk.stack.api]
    assert {(request.url, request.body) for request in ours} == {
        (f"{walk.stack.api}/v1/login", '{"cookie":true}')
    }


@pytest.mark.parametrize("source", [
    "class Form(Struct):\n    card_number: str",
    "item = {'cvc': {'S': code}}",
    "def pay(pan): ...",
    "Settings(card_table='x')",
    "Route('POST', '/v1/cards/{id}')",
    "thing.expMonth = 1",
])  # fmt: skip
def test_a_name_of_a_card_s_field_would_be_found(source: str) -> None:
    assert [name for name in _names(ast.parse(source)) if _of_a_card(name)]


@cache
def _cards_in(content: bytes) -> list[str]:
    """Most of what there is at the second look was there at the first."""
    return cards_in(content)


def stored_and_logged(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """Everything that is ours, and what the stack itself said."""
    yield from everything(stack)
    yield "log up.log", stack.logs.with_name("up.log").read_bytes()


def _send_card_numbers_by_mistake(walk: Walk) -> None:
    """As a program would that takes us for Stripe: every answer is a refusal, or passes the number over."""
    api = walk.subscriber.api
    for number in (GOOD, DECLINED, CARD):
        form = {"number": number, "cvc": "123", "expiry": "12/40"}
        refused = [
            api.post("/v1/billing/checkout", json={"plan": "managed_15", **form}),
            api.post("/v1/billing/checkout", data=form),
            api.post("/v1/billing/checkout", json={number: form}),
            api.post("/v1/billing/plan", json={"plan": number}),
            api.patch("/v1/billing", json={"hard_cap_gb": int("".join(number.split()))}),
            api.post("/v1/stripe/webhook", json={"type": "charge.succeeded", "data": form}),
            api.post(f"/v1/billing/{number}", json=form),
        ]
        assert {answer.status_code for answer in refused} == {400, 404}
        api.get("/v1/billing", params=form)
        api.post("/v1/billing/portal", json=form, headers={"x-card": number})


def _run_what_is_scheduled(stack: RunningStack) -> None:
    """Send mails, meter and report usage: all the work of a day."""
    scheduled = tuple(each for each in overrides.functions() if each.schedule_minutes)

    async def each_once() -> None:
        endpoints = Endpoints(stack.aws_endpoint, {"api": stack.api, "stripe": stack.stripe})
        invoker = Invoker(scheduled, endpoints, stack.logs)
        try:
            for function in scheduled:
                await invoker.invoke(function.name, schedule_event(function.name, datetime.now(UTC)))
        finally:
            await invoker.close()

    stack.wait_until_settled()
    with ThreadPoolExecutor(1) as thread:  # this one has the browser's event loop
        thread.submit(asyncio.run, each_once()).result()
    stack.wait_until_settled()


def _plant(walk: Walk) -> None:
    """A number that no test used yet, in each place."""
    stack, text = walk.stack, f"paid with {PLANTED}"
    stack.aws("dynamodb").put_item(
        TableName=physical("accounts"), Item={"tenant_id": {"S": "planted"}, "note": {"S": text}}
    )
    body = zstd.compress(text.encode())
    stack.aws("s3").put_object(Bucket=physical("staging"), Key="quarantine/planted", Body=body)
    url = queue_url(f"{topology.QUEUES[0].name}-dead", stack.aws_endpoint)
    stack.aws("sqs").send_message(QueueUrl=url, MessageBody=text)
    simple = {"Subject": {"Data": "planted"}, "Body": {"Text": {"Data": text}}}
    stack.aws("sesv2").send_email(
        FromEmailAddress=topology.MAIL_FROM,
        Destination={"ToAddresses": ["planted@example.org"]},
        Content={"Simple": simple},
    )
    (stack.logs / "planted.log").write_text(f"{text}\n")
    assert walk.subscriber.sends_a_log(text) == 202
    stack.wait_until_settled()


def _names(tree: ast.AST) -> Iterator[str]:
    """Every name in the code, and every string that could be one: a key, an attribute, a path."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Constant(value=str(text)) if re.fullmatch(r"[\w.:/{}#-]{1,80}", text):
                yield text


def _of_a_card(name: str) -> bool:
    spread = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return bool(WORDS & set(re.findall(r"[a-z]+", spread)) or PHRASES.search(spread))


def _attributes(value: Any) -> Iterator[str]:
    """Names at any depth of an item."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield name
            yield from _attributes(inside)
    if isinstance(value, list):
        for inside in value:
            yield from _attributes(inside)
