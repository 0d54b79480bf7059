"""Webhooks are signed and sent until they are accepted; forgeries are those that the SDK rejects."""

import time

import stripe

from fake_stripe import API_VERSION
from fake_stripe.signing import FORGERIES
from tests.fake_stripe.server import SECRET, Stripe


def test_webhooks_are_signed_and_retried_until_they_are_taken(here: Stripe) -> None:
    here.receiver.answers[:] = [500, 500, 302]
    made = here.api.customers.create({"email": "a@example.com"})
    here.receiver.wait_for(4)
    here.settle()
    assert [each[2] for each in here.receiver.received] == [500, 500, 302, 200]
    (event,) = here.receiver.events()
    assert (event.type, event.data.object.id) == ("customer.created", made.id)
    assert event.api_version == API_VERSION
    assert here.api.events.retrieve(event.id).data.object.id == made.id


def test_webhooks_come_twice_late_reversed_or_never_when_ordered(here: Stripe) -> None:
    here.order("/_webhooks", copies=2)
    here.api.customers.create({"name": "twice"})
    here.settle()
    ids = [event.id for event in here.receiver.events()]
    assert (len(ids), len(set(ids))) == (2, 1)
    here.order("/_webhooks", hold=True)
    made = [here.api.customers.create({"name": str(n)}).id for n in range(3)]
    assert here.http.get("/_webhooks").json()["held"] == 3
    here.order("/_webhooks/release", how="reversed")
    here.settle()
    assert [event.data.object.id for event in here.receiver.events()[2:]] == made[::-1]
    here.order("/_webhooks", drop=1)
    lost, kept = (here.api.customers.create({"name": name}).id for name in ("lost", "kept"))
    here.settle()
    assert [event.data.object.id for event in here.receiver.events()[5:]] == [kept]
    assert here.api.events.list({"limit": 2}).data[1].data.object.id == lost
    here.order("/_webhooks", delay_seconds=0.2)
    before = time.monotonic()
    here.api.customers.create({"name": "late"})
    here.settle()
    assert time.monotonic() - before > 0.15


def test_every_forgery_but_the_future_is_refused_by_the_sdk(here: Stripe) -> None:
    here.api.customers.create({})
    here.settle()
    event = here.receiver.events()[0].id
    here.receiver.received.clear()
    for how in FORGERIES:
        assert here.order("/_webhooks/forge", event=event, how=how) == {"statuses": [200]}
    accepted = []
    for how, (body, header, _) in zip(FORGERIES, here.receiver.received, strict=True):
        try:
            stripe.Webhook.construct_event(body, header, SECRET)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        accepted.append(how)
    # The SDK's own check has no bound ahead; the product's must.
    assert accepted == ["future"]
