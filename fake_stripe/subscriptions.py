"""Subscriptions: begin, end, resume. Changes are in fake_stripe.changes, timed events in .cycle."""

from dataclasses import dataclass, field

from fake_stripe import invoices, lines, params
from fake_stripe.call import Call, Route, page, retrieve
from fake_stripe.cancellation import cancel_now
from fake_stripe.collect import collect, open_and_collect
from fake_stripe.errors import invalid, required
from fake_stripe.periods import days, next_boundary
from fake_stripe.prices import is_metered
from fake_stripe.subscription_shape import (
    interval_of,
    new_item,
    period_of,
    set_period,
    subscription_shape,
    usable_price,
)
from fake_stripe.world import StripeObject, World, change

ENDED = ("canceled", "incomplete_expired")
_CREATE = (
    "customer items metadata default_payment_method trial_period_days trial_end trial_settings "
    "payment_behavior cancel_at_period_end description collection_method billing_mode"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings of a new subscription besides its items. `trial_end`: seconds since the epoch."""

    trial_end: int | None = None
    missing_payment_method: str = "create_invoice"
    default_payment_method: str | None = None
    metadata: StripeObject = field(default_factory=dict)
    description: str | None = None
    billing_mode: str = "flexible"


def begin(world: World, customer: StripeObject, items: list[StripeObject], terms: Terms) -> StripeObject:
    """Begin a subscription: with a trial, or with an invoice that is collected at once."""
    if not items:
        raise required("items")
    price = usable_price(world, params.needed(items[0], "price"), None)
    thing = subscription_shape(world, customer, price["currency"])
    now = world.now()
    trial = terms.trial_end if terms.trial_end and terms.trial_end > now else None
    thing["items"]["data"] = [new_item(world, thing, each, (now, now)) for each in items]
    end_at = trial or next_boundary(now, *interval_of(thing["items"]["data"]), now)
    set_period(thing, now, end_at)
    thing.update(
        metadata=terms.metadata,
        default_payment_method=terms.default_payment_method,
        description=terms.description,
        trial_settings={"end_behavior": {"missing_payment_method": terms.missing_payment_method}},
    )
    if terms.billing_mode == "classic":
        thing["billing_mode"] = {"type": "classic", "flexible": None}
    if trial:
        thing.update(trial_start=now, trial_end=trial, billing_cycle_anchor=trial, status="trialing")
    customer["currency"] = thing["currency"]
    _first_invoice(world, world.put(thing))
    return thing


def create(world: World, call: Call) -> StripeObject:
    given = call.only(_CREATE)
    customer = world.get("customer", params.needed(given, "customer"), "customer")
    behaviour = params.one_of(
        given,
        "payment_behavior",
        "allow_incomplete default_incomplete error_if_incomplete",
        "allow_incomplete",
    )
    if given.get("collection_method", "charge_automatically") != "charge_automatically":
        raise invalid("The fake Stripe does not imitate invoices that are sent.", "collection_method")
    thing = begin(world, customer, params.listing(given, "items"), terms_of(world, given, customer))
    invoice = world.get("invoice", thing["latest_invoice"])
    if invoice["status"] == "open" and behaviour != "default_incomplete":
        refusal = collect(world, invoice, scheduled=False)
        if refusal and behaviour == "error_if_incomplete":
            del world.tables["subscription"][thing["id"]]
            raise refusal
    if params.flag(given, "cancel_at_period_end"):
        thing.update(cancel_at_period_end=True, cancel_at=period_of(thing)[1], canceled_at=world.now())
    return thing


def terms_of(world: World, given: StripeObject, customer: StripeObject) -> Terms:
    """Terms from the parameters of a subscription or of a checkout's `subscription_data`."""
    trial_days, trial_end = params.whole(given, "trial_period_days"), params.whole(given, "trial_end")
    behaviour = params.mapping(params.mapping(given, "trial_settings"), "end_behavior")
    method = params.text(given, "default_payment_method")
    if method and world.get("payment_method", method, "default_payment_method")["customer"] != customer["id"]:
        raise invalid("The payment method belongs to another customer.", "default_payment_method")
    return Terms(
        trial_end=trial_end or (world.now() + days(trial_days) if trial_days else None),
        missing_payment_method=params.one_of(
            behaviour, "missing_payment_method", "cancel create_invoice pause", "create_invoice"
        ),
        default_payment_method=method,
        metadata=params.metadata(given),
        description=params.text(given, "description"),
        billing_mode=params.one_of(
            params.mapping(given, "billing_mode"), "type", "classic flexible", "flexible"
        ),
    )


def cancel(world: World, call: Call) -> StripeObject:
    """`DELETE /v1/subscriptions/{id}`: at once; `prorate` credits the rest of the period."""
    given = call.only("invoice_now prorate cancellation_details")
    thing = world.get("subscription", call.path["id"], in_path=True)
    if thing["status"] in ENDED:
        raise invalid(f"No such subscription: '{thing['id']}'", "id", "resource_missing")
    if params.flag(given, "prorate") and thing["status"] != "trialing":
        for item in thing["items"]["data"]:
            if not is_metered(item["price"]):
                back = lines.prorated(world, thing, item, world.now(), credit=True)
                lines.waiting(world, thing, back, proration=True)
    thing["cancellation_details"].update(params.mapping(given, "cancellation_details"))
    return cancel_now(world, thing, "cancellation_requested", invoice_now=params.flag(given, "invoice_now"))


def resume(world: World, call: Call) -> StripeObject:
    """`POST /v1/subscriptions/{id}/resume`: end the pause after a trial without a card."""
    call.only("billing_cycle_anchor proration_behavior")
    thing = world.get("subscription", call.path["id"], in_path=True)
    if thing["status"] != "paused":
        raise invalid("Only paused subscriptions can be resumed.", code="subscription_not_paused")
    now = world.now()
    set_period(thing, now, next_boundary(now, *interval_of(thing["items"]["data"]), now))
    for item in thing["items"]["data"]:
        world.notes[f"counts from {item['id']}"] = now
    change(world, "customer.subscription.resumed", thing, status="active", billing_cycle_anchor=now)
    open_and_collect(
        world, invoices.draft(world, thing, "subscription_cycle", advance(world, thing), period_of(thing))
    )
    return thing


def list_subscriptions(world: World, call: Call) -> StripeObject:
    """Subscriptions; without `status`, only those not ended; `status=all`, `status=ended` as in Stripe."""
    given = call.only("limit starting_after ending_before customer price status")
    found = [
        each
        for each in world.all("subscription")
        if given.get("customer", each["customer"]) == each["customer"]
        and _shown(each["status"], given.get("status"))
        and given.get("price") in (None, *(item["price"]["id"] for item in each["items"]["data"]))
    ]
    return page(call, found)


def _shown(is_now: str, wanted: str | None) -> bool:
    if wanted in (None, "ended"):
        return (is_now in ENDED) == (wanted == "ended")
    return wanted in ("all", is_now)


def advance(world: World, thing: StripeObject) -> list[StripeObject]:
    """Lines of the licensed items' current period."""
    licensed = [each for each in thing["items"]["data"] if not is_metered(each["price"])]
    span = period_of(thing)
    return [line for item in licensed for line in lines.in_advance(world, thing, item, *span)]


def _first_invoice(world: World, thing: StripeObject) -> None:
    """The first invoice: zero during a trial. Above zero, the subscription waits for its payment."""
    span = period_of(thing)
    trial = thing["status"] == "trialing"
    found = (
        [lines.on_trial(world, thing, item) for item in thing["items"]["data"]]
        if trial
        else advance(world, thing)
    )
    invoice = invoices.draft(world, thing, "subscription_create", found, span)
    if not invoice["amount_due"] and not trial:
        thing["status"] = "active"
    world.emit("customer.subscription.created", thing)
    invoices.finalize(world, invoice)
    if not invoice["amount_due"]:
        collect(world, invoice, scheduled=False)


ROUTES: list[Route] = [
    ("POST", "/v1/subscriptions", create),
    ("GET", "/v1/subscriptions", list_subscriptions),
    ("GET", "/v1/subscriptions/{id}", retrieve("subscription")),
    ("DELETE", "/v1/subscriptions/{id}", cancel),
    ("POST", "/v1/subscriptions/{id}/resume", resume),
]
