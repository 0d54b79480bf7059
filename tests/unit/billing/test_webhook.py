"""A webhook is believed when Stripe signed it a moment ago, and then only as far as whom to look at."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fake_stripe.signing import FORGERIES, forged, signature
from functions.billing.stripe_contract import StripeUnavailableError
from functions.billing.subscriptions.billing_service import BillingService, NoUsage
from functions.billing.subscriptions.webhook import HANDLED_TYPES, WebhookProcessor
from functions.billing.webhook_handler import answer_to
from functions.shared.http import MAX_BODY_BYTES, Answer, answering
from functions.shared.secret_text import SecretText
from infra.build import ROOT
from tests.unit.billing.shop import webhook_event
from tests.unit.billing.things import (
    CUSTOMER,
    NOON,
    MemoryBillingStore,
    MemoryEvents,
    MemoryLog,
    Playback,
    State,
    subscription,
)

SECRET = "whsec_the-right-one"
CANARY = "canary-4242"


@dataclass
class Door:
    """The webhook's function at NOON around memory, and a count of what was looked at."""

    looks: int = 0
    now: float = NOON
    fails: bool = False
    records: MemoryBillingStore = field(default_factory=MemoryBillingStore)
    events: MemoryEvents = field(default_factory=MemoryEvents)

    def __post_init__(self) -> None:
        bought = [subscription(customer=CUSTOMER)]
        theirs = [subscription("sub_2", "byoc", customer="cus_globex")]
        self.stripe = Playback([State({CUSTOMER: bought, "cus_globex": theirs})], asked=self._look)
        self.acme = self.records.open("acme", CUSTOMER)
        self.globex = self.records.open("globex", "cus_globex")
        service = BillingService(
            self.records,
            self.stripe,  # type: ignore[arg-type]
            NoUsage(),
            MemoryLog(),  # type: ignore[arg-type]
            MemoryLog(),
            lambda: self.now,
        )
        self.intake = WebhookProcessor(
            service, self.records, self.events, lambda: SecretText(SECRET), lambda: self.now
        )

    def _look(self) -> None:
        if self.fails:
            raise StripeUnavailableError("Stripe: api_connection_error")
        self.looks += 1

    def send(self, body: bytes, header: str | None) -> Answer:
        answer = answering(lambda each: answer_to(each, self.intake))
        return answer(webhook_event(body, header), None)

    def sign(self, body: bytes, at: float = NOON) -> str:
        return signature(body, SECRET, int(at))

    def untouched(self) -> bool:
        versions = [self.records.of(each).version for each in (self.acme, self.globex)]
        return (versions, self.looks, self.events.marked) == ([1, 1], 0, set())


@pytest.fixture
def door() -> Iterator[Door]:
    return Door()  # type: ignore[return-value]


def body_of(kind: str = "customer.subscription.updated", which: str = "evt_1", **thing: Any) -> bytes:
    thing = {"id": "sub_1", "object": "subscription", "customer": CUSTOMER, "note": CANARY, **thing}
    event = {"id": which, "object": "event", "type": kind, "livemode": False, "data": {"object": thing}}
    return json.dumps(event, separators=(",", ":")).encode()


def hostile(door: Door, seed: random.Random, number: int) -> tuple[bytes, str | None]:
    """One of many kinds of webhooks that are not to be believed; each names an account that exists."""
    body = body_of(which=f"evt_{number}", pad="x" * seed.randrange(400))
    kind = seed.randrange(13)
    if kind < len(FORGERIES):
        return forged(body, SECRET, NOON, FORGERIES[kind])
    right = door.sign(body)
    flipped = seed.randrange(len(body))
    wrong: list[tuple[bytes, str | None]] = [
        # Genuine once, replayed later than five minutes; and dated ahead.
        (body, door.sign(body, NOON - 301 - seed.randrange(10**6))),
        (body, door.sign(body, NOON + 301 + seed.randrange(10**9))),
        # Genuine, and something of it is not.
        (body[:flipped] + bytes([body[flipped] ^ 1]) + body[flipped + 1 :], right),
        (body, right[: seed.randrange(3, len(right))]),
        # Two times, of which the signed one is the first, the fresh one the second; and the other way round.
        (body, f"{door.sign(body, NOON - 5000)},t={NOON}"),
    ]
    return wrong[kind - len(FORGERIES)]


def test_a_thousand_that_stripe_did_not_sign_now_are_refused_and_leave_nothing(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.Random(5)
    accepted, reasons = 0, set()
    for number in range(1000):
        answer = door.send(*hostile(door, seed, number))
        accepted += answer["statusCode"] != 400
        assert json.loads(answer["body"])["code"] == "invalid_signature"
        assert CANARY not in answer["body"]
        output = capsys.readouterr().out
        # One short line that says why, and nothing of what was sent: not its id, its customer, its text.
        line = json.loads(output)
        reasons.add(line["reason"])
        assert len(output) < 300
        assert not [each for each in (CANARY, "evt_", CUSTOMER, "v1=") if each in output]
    assert accepted == 0
    assert door.untouched()
    assert reasons == {"malformed", "wrong_signature", "stale", "future"}


@pytest.mark.parametrize(
    "header",
    [
        "t=abc,v1=00",
        "t=,v1=00",
        "v1=00",
        f"t={NOON}",
        f"t={NOON},v1=",
        f"t={NOON},v1=ä",
        f" t={NOON},v1=00",
        f"t={NOON},v1=00,",
        f"t=-{NOON},v1=00",
        f"t={NOON}_0,v1=00",
        "t=" + "9" * 400 + ",v1=00",
        "v1=00," * 4000,
        "\x00",
    ],
)
def test_a_header_that_is_none_is_refused(door: Door, header: str) -> None:
    assert door.send(body_of(), header)["statusCode"] == 400
    assert door.untouched()


@pytest.mark.parametrize("age", [-300, -1, 0, 299, 300])
def test_a_genuine_one_is_taken_within_five_minutes_before_and_after(door: Door, age: int) -> None:
    body = body_of()
    assert door.send(body, door.sign(body, NOON - age))["statusCode"] == 200
    assert (door.looks, door.records.of(door.acme).version) == (1, 2)


def test_while_secrets_roll_one_of_two_signatures_is_enough(door: Door) -> None:
    body = body_of()
    header = f"{door.sign(body)},v1={'0' * 64},v0=abc"
    assert door.send(body, header)["statusCode"] == 200


def test_the_same_again_within_five_minutes_is_taken_and_changes_nothing(door: Door) -> None:
    body = body_of()
    header = door.sign(body)
    assert door.send(body, header)["statusCode"] == 200
    before = (door.records.of(door.acme), door.looks, len(door.records.written))
    door.now += 200
    assert door.send(body, header)["statusCode"] == 200
    assert (door.records.of(door.acme), door.looks, len(door.records.written)) == before
    door.now += 200
    assert door.send(body, header)["statusCode"] == 400


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"id":1}', b'{"id":"e","type":"t"}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_signed_and_no_event_is_refused(door: Door, body: bytes) -> None:
    header = door.sign(body) if body.isascii() else f"t={NOON},v1=00"
    assert door.send(body, header)["statusCode"] == 400
    assert door.untouched()


def test_one_that_is_too_large_is_not_even_looked_at(door: Door) -> None:
    body = body_of(pad="x" * MAX_BODY_BYTES)
    assert door.send(body, door.sign(body))["statusCode"] == 413
    assert door.untouched()


def test_an_event_of_one_customer_that_names_another_account_changes_nothing_of_it(door: Door) -> None:
    """Metadata, client_reference_id and customer details are text that a person typed."""
    lies = {"tenant": "acme", "tenant_id": "acme", "customer": CUSTOMER}
    body = body_of(
        "checkout.session.completed",
        object="checkout.session",
        id="cs_1",
        customer="cus_globex",
        client_reference_id="acme",
        metadata=lies,
        customer_details={"email": "owner@acme.example"},
        subscription="sub_1",
    )
    assert door.send(body, door.sign(body))["statusCode"] == 200
    assert door.records.of(door.acme).version == 1
    globex = door.records.of(door.globex)
    # And globex has what Stripe has of globex, not the subscription that the event names.
    assert globex.subscription
    assert (globex.subscription.subscription_id, globex.subscription.plan) == ("sub_2", "byoc")


def test_a_subscription_that_is_another_customer_s_is_not_believed_of_stripe_either(door: Door) -> None:
    door.stripe.states[0].subscriptions[CUSTOMER] = [subscription("sub_9", "byoc", customer="cus_other")]
    body = body_of()
    door.send(body, door.sign(body))
    assert door.records.of(door.acme).subscription is None


@pytest.mark.parametrize("customer", ["cus_stranger", None, 5, {"id": CUSTOMER}, ""])
def test_an_event_of_an_unknown_customer_is_accepted_counted_and_not_stored(
    door: Door, customer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    body = body_of(customer=customer)
    assert door.send(body, door.sign(body))["statusCode"] == 200
    assert json.loads(capsys.readouterr().out)["UnknownCustomers"] == 1
    assert door.untouched()


@pytest.mark.parametrize("kind", ["customer.created", "charge.succeeded", "invoice.created", "nonsense"])
def test_what_nothing_follows_from_asks_stripe_nothing(door: Door, kind: str) -> None:
    body = body_of(kind)
    assert door.send(body, door.sign(body))["statusCode"] == 200
    assert door.untouched()


def test_while_stripe_does_not_answer_it_is_to_be_sent_again(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    body = body_of()
    door.fails = True
    answer = door.send(body, door.sign(body))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "try_again")
    assert CANARY not in capsys.readouterr().out
    assert door.untouched()
    door.fails = False
    assert door.send(body, door.sign(body))["statusCode"] == 200
    assert door.records.of(door.acme).subscription


def test_one_whose_account_is_gone_is_taken_so_that_stripe_ceases_to_send_it(door: Door) -> None:
    del door.records.statuses[door.acme]
    body = body_of()
    assert door.send(body, door.sign(body))["statusCode"] == 200


def test_a_customer_s_own_event_is_looked_into(door: Door) -> None:
    body = body_of("customer.deleted", object="customer", id=CUSTOMER, customer=None)
    assert door.send(body, door.sign(body))["statusCode"] == 200
    assert door.looks == 1


def test_the_page_for_operators_lists_what_is_looked_into() -> None:
    page = (ROOT / "docs" / "billing.md").read_text()
    assert [kind for kind in sorted(HANDLED_TYPES) if f"`{kind}`" not in page] == []
