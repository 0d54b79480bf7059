"""Every route, object, event, list and refusal of the fake Stripe, against Stripe's fixtures and its SDK."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import stripe
from stripe._object_classes import get_object_class

import fake_stripe
from fake_stripe.routes import ROUTES
from tests.fake_stripe import conformity, stripe_shapes
from tests.fake_stripe.server import API_KEY, Stripe, fake_stripe_server
from tests.fake_stripe.shop import checkout, meter, plan
from tests.fake_stripe.tour import tour


@pytest.fixture(scope="module")
def toured() -> Iterator[Stripe]:
    with fake_stripe_server() as here:
        tour(here)
        here.settle()
        yield here


def successful_bodies(toured: Stripe) -> list[dict[str, Any]]:
    """Every answer of 200."""
    return [answer.body for answer in toured.answers if answer.status == 200]


def test_the_tour_asks_every_route(toured: Stripe) -> None:
    assert {answer.route for answer in toured.answers} == {f"{method} {path}" for method, path, _ in ROUTES}
    assert {answer.status for answer in toured.answers} == {200}


def test_every_object_has_the_keys_and_types_of_the_fixtures_and_of_the_sdk(toured: Stripe) -> None:
    found = [problem for answer in successful_bodies(toured) for problem in conformity.problems_in(answer)]
    assert not found, "\n".join(sorted(set(found)))


def test_every_kind_of_object_that_has_a_fixture_here_was_answered(toured: Stripe) -> None:
    kinds = {
        f"deleted_{each['object']}" if each.get("deleted") else each["object"]
        for answer in successful_bodies(toured)
        for each in conformity.objects_in(answer)
    }
    assert kinds == {*stripe_shapes.KINDS, "list"}


def test_every_event_that_can_happen_did_and_holds_an_object_as_the_fixtures_have_it(toured: Stripe) -> None:
    assert {event.type for event in toured.receiver.events()} == _kinds_in_the_source()
    sent = [json.loads(body) for body, _, _ in toured.receiver.received]
    found = [problem for event in sent for problem in conformity.problems_in(event)]
    assert not found, "\n".join(sorted(set(found)))


def test_the_sdk_makes_its_own_classes_of_every_answer(toured: Stripe) -> None:
    for answer in successful_bodies(toured):
        parsed = stripe.StripeObject.construct_from({"of": answer}, API_KEY)["of"]
        assert type(parsed) is get_object_class("V1", answer["object"])
        for each in conformity.objects_in(parsed.to_dict()):
            assert each["object"]


CARDS = "/v1/payment_methods"
REFUSED = [
    ("POST", "/v1/customers", {"nonsense": "1"}, 400, "parameter_unknown"),
    ("POST", "/v1/customers", {"email": "nobody"}, 400, "email_invalid"),
    ("GET", "/v1/customers/cus_none", {}, 404, "resource_missing"),
    ("POST", "/v1/subscriptions", {"customer": "cus_none"}, 400, "resource_missing"),
    ("POST", "/v1/subscriptions", {}, 400, "parameter_missing"),
    ("GET", "/v1/prices", {"limit": "many"}, 400, "parameter_invalid_integer"),
    ("POST", f"{CARDS}/pm_card_chargeDeclined/attach", {"customer": "{customer}"}, 402, "card_declined"),
    ("POST", "/v1/billing/meter_events", {"event_name": "none"}, 400, "no_meter"),
    ("GET", "/v1/nothing", {}, 404, None),
    ("GET", "/v1/products", {}, 401, None),
]


@pytest.mark.parametrize(("method", "path", "given", "status", "code"), REFUSED)
def test_a_refusal_is_an_error_object_that_the_sdk_knows(
    toured: Stripe, method: str, path: str, given: dict[str, str], status: int, code: str | None
) -> None:
    customer = toured.api.customers.list().data[0].id
    filled = {name: value.format(customer=customer) for name, value in given.items()}
    key = API_KEY if status != 401 else "sk_test_other"
    answer = httpx.request(
        method,
        f"{toured.url}{path}",
        headers={"Authorization": f"Bearer {key}"},
        **({"params": filled} if method == "GET" else {"data": filled}),  # type: ignore[arg-type]
    )
    assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)
    assert answer.headers["Request-Id"].startswith("req_")
    assert conformity.problems_of_refusal(answer.json()) == []


def test_what_a_checkout_sells_is_listed_with_it() -> None:
    with fake_stripe_server() as here:
        small = plan(here, "small", 1000, meter(here).id)
        session = checkout(here, here.api.customers.create({}).id, small)
        listed = here.api.checkout.sessions.line_items.list(session.id)
        assert [each.price.id for each in listed.data] == [small.flat, small.metered]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (lambda body: body.pop("status"), "subscription.status is missing"),
        (lambda body: body.update(status="gone"), "subscription.status"),
        (lambda body: body.update(created="now"), "subscription.created: string for number"),
        (lambda body: body.update(plan_name="x"), "subscription.plan_name is no key of Stripe's"),
        (lambda body: body["cancellation_details"].update(why="x"), "subscription.cancellation_details.why"),
        (lambda body: body["items"].pop("url"), "list: "),
        (lambda body: body["items"]["data"][0].pop("price"), "subscription_item.price is missing"),
    ],
)
def test_what_is_wrong_is_found(toured: Stripe, break_it: Any, problem: str) -> None:
    body = toured.raw("/v1/subscriptions?status=all")["data"][0]
    assert conformity.problems_in(body) == []
    break_it(body)
    assert any(each.startswith(problem) for each in conformity.problems_in(body))


@pytest.mark.skipif(not stripe_shapes.FIXTURES.exists(), reason="Stripe's fixtures are not on this machine")
def test_the_extract_is_that_of_the_fixtures() -> None:
    """Skipped where the fixtures are not: they are Stripe's and no part of this project.

    Every other test here goes by the extract, which is committed; this one only says that it is still theirs.
    """
    assert stripe_shapes.EXTRACT.read_text() == stripe_shapes.text(
        stripe_shapes.extract(stripe_shapes.FIXTURES)
    )


def _kinds_in_the_source() -> set[str]:
    """Names of Stripe's events in the fake Stripe's code."""
    known = set(get_args(stripe.Event.__annotations__["type"]))
    code = "".join(each.read_text() for each in Path(fake_stripe.__file__).parent.glob("*.py"))
    return known & set(re.findall(r'"([a-z_.]+)"', code))
