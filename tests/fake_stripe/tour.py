"""Every route of the fake Stripe, each asked at least once, by the official SDK as far as it can."""

from typing import Any

from tests.fake_stripe.server import CARD, DAY, Stripe
from tests.fake_stripe.shop import Plan, buy, checkout, meter, plan, portal, use

FAILS_LATER = {**CARD, "number": "4000 0000 0000 0341"}


def tour(here: Stripe) -> None:
    """One shop, three customers, and all that can happen to them."""
    the_meter = meter(here)
    small, large = plan(here, "small", 1000, the_meter.id), plan(here, "large", 3000, the_meter.id)
    people = [here.api.customers.create({"email": f"{name}@example.com"}).id for name in ("a", "b", "c")]
    subscriptions = [buy(here, customer, small) for customer in people[:2]]
    _catalogue(here, small)
    _meters(here, the_meter.id, people[0])
    _changes(here, subscriptions[0], large)
    _cards(here, people[2])
    _sessions(here, people[2], small)
    _portal(here, people[0])
    _money(here, people[:2])
    _invoices(here, people[1], subscriptions[1])
    _ends(here, people[2], small, subscriptions[0])
    _endpoints(here)
    here.api.customers.list({"email": "a@example.com"})
    here.api.customers.retrieve(people[1], {"expand": ["subscriptions"]})
    here.api.customers.update(people[1], {"name": "Zoë", "address": {"country": "DE"}})
    here.api.customers.delete(people[1])
    here.api.customers.retrieve(people[1])


def _catalogue(here: Stripe, small: Plan) -> None:
    here.api.products.list()
    here.api.products.retrieve(small.product)
    here.api.products.update(small.product, {"description": "Fifteen days"})
    here.api.products.delete(here.api.products.create({"name": "spare"}).id)
    here.api.prices.list({"lookup_keys": ["small"]})
    here.api.prices.retrieve(small.metered, {"expand": ["tiers", "product"]})
    here.api.prices.update(small.flat, {"nickname": "flat"})


def _meters(here: Stripe, which: str, customer: str) -> None:
    meters = here.api.billing.meters
    meters.list()
    meters.retrieve(which)
    meters.update(which, {"display_name": "Stored bytes"})
    meters.deactivate(which)
    meters.reactivate(which)
    use(here, customer, 70, "counted")
    use(here, customer, 1, "taken back")
    cancel = {"event_name": "stored_gb", "type": "cancel", "cancel": {"identifier": "taken back"}}
    here.api.billing.meter_event_adjustments.create(cancel)  # type: ignore[arg-type]
    span = {"start_time": 0, "end_time": (here.now() // 60 + 1) * 60}
    meters.event_summaries.list(which, {"customer": customer, **span})


def _changes(here: Stripe, subscription: Any, large: Plan) -> None:
    items = [{"id": subscription.items.data[0].id, "price": large.flat}]
    details = {"items": items, "proration_behavior": "create_prorations"}
    parameters: Any = {"subscription": subscription.id, "subscription_details": details}
    here.api.invoices.create_preview(parameters)
    change: Any = {"items": items, "proration_behavior": "always_invoice"}
    here.api.subscriptions.update(subscription.id, change)
    here.api.subscriptions.list({"status": "all", "expand": ["data.latest_invoice"]})
    here.api.subscriptions.retrieve(subscription.id, {"expand": ["customer", "default_payment_method"]})


def _cards(here: Stripe, customer: str) -> None:
    method = here.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    here.api.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})
    here.api.payment_methods.list({"customer": customer})
    here.api.payment_methods.retrieve(method.id)
    spare = here.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    here.api.payment_methods.detach(spare.id)


def _sessions(here: Stripe, customer: str, small: Plan) -> None:
    sessions = here.api.checkout.sessions
    session = checkout(here, customer, small)
    sessions.list()
    sessions.retrieve(session.id, {"expand": ["line_items"]})
    sessions.line_items.list(session.id)
    sessions.expire(session.id)


def _portal(here: Stripe, customer: str) -> None:
    configurations = here.api.billing_portal.configurations
    wanted: Any = {"features": {"subscription_cancel": {"enabled": True, "mode": "at_period_end"}}}
    made = configurations.create(wanted)
    configurations.list()
    configurations.retrieve(made.id)
    configurations.update(made.id, {"active": False})
    here.post_form(portal(here, customer), "Cancel plan")


def _money(here: Stripe, people: list[str]) -> None:
    charges = [here.api.charges.list({"customer": customer}).data[0] for customer in people]
    for charge in charges:
        here.api.charges.retrieve(charge.id)
    here.api.payment_intents.list({"customer": people[0]})
    here.api.payment_intents.retrieve(str(charges[0].payment_intent))
    refund = here.api.refunds.create({"charge": charges[0].id, "amount": 10})
    here.api.refunds.retrieve(refund.id)
    here.api.refunds.list()
    for charge in charges:
        here.order("/_dispute", charge=charge.id)
    here.api.disputes.retrieve(here.api.disputes.list().data[0].id)
    here.api.disputes.close(here.api.disputes.list({"charge": charges[1].id}).data[0].id)


def _invoices(here: Stripe, customer: str, subscription: Any) -> None:
    """One whose payment fails; three finalized by hand, then paid, marked uncollectible, and voided."""
    invoices = here.api.invoices
    here.post_form(portal(here, customer), "Save card", **FAILS_LATER)
    invoices.retrieve(subscription.latest_invoice, {"expand": ["payments", "customer"]})
    invoices.line_items.list(subscription.latest_invoice)
    payment = here.api.invoice_payments.list().data[0]
    here.api.invoice_payments.retrieve(payment.id)
    here.order("/_settings", after_retries="past_due")
    _to_the_next_period(here, subscription, seconds_into_it=7200)
    failed = []
    for _ in range(3):
        _to_the_next_period(here, subscription, seconds_into_it=60)
        draft = invoices.list({"customer": customer, "status": "draft"}).data[0]
        invoices.update(draft.id, {"description": "by hand", "auto_advance": False})
        failed.append(invoices.finalize_invoice(draft.id).id)
    good = here.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    invoices.pay(failed[0], {"payment_method": good.id})
    invoices.mark_uncollectible(failed[1])
    invoices.void_invoice(failed[2])


def _to_the_next_period(here: Stripe, subscription: Any, seconds_into_it: int) -> None:
    boundary = here.api.subscriptions.retrieve(subscription.id).items.data[0].current_period_end
    here.advance((boundary - here.now() + seconds_into_it) / DAY)


def _ends(here: Stripe, customer: str, small: Plan, cancelled: Any) -> None:
    trial: Any = {
        "customer": here.api.customers.create({}).id,
        "items": [{"price": small.flat}],
        "trial_period_days": 4,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    }
    paused = here.api.subscriptions.create(trial)
    here.advance(5)
    resumed = here.api.subscriptions.resume(paused.id, {"billing_cycle_anchor": "now"})
    begun = here.api.subscriptions.create({"customer": customer, "items": [{"price": small.flat}]})
    here.api.subscriptions.cancel(begun.id, {"invoice_now": True})
    assert here.api.subscriptions.retrieve(cancelled.id).status == "canceled"
    assert here.api.subscriptions.retrieve(resumed.id).status == "past_due"
    with_no_card: Any = {"customer": here.api.customers.create({}).id, "items": [{"price": small.flat}]}
    here.api.subscriptions.create(with_no_card)


def _endpoints(here: Stripe) -> None:
    endpoints = here.api.webhook_endpoints
    made = endpoints.create({"url": here.receiver.url, "enabled_events": ["price.created"]})
    endpoints.list()
    endpoints.retrieve(made.id)
    endpoints.update(made.id, {"disabled": True})
    endpoints.delete(made.id)
    events = here.api.events.list({"types": ["customer.created", "invoiceitem.created"], "limit": 100})
    here.api.events.retrieve(events.data[0].id)
