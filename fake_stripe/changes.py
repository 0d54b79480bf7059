"""Changes of an active subscription: up- and downgrade with proration, cancel at period end, and undo that.

A change credits the unused part of the old price and charges the rest of the period at the new one:
`create_prorations` puts both on the next invoice, `always_invoice` on one now, `none` does neither. Usage of
a metered item before a change of its price is billed at the old price. With `error_if_incomplete` a change
whose invoice cannot be paid at once is rejected and nothing changes.
"""

from copy import deepcopy
from typing import Any

from fake_stripe import invoices, lines, params
from fake_stripe.call import Call, Route
from fake_stripe.cancellation import usage_until
from fake_stripe.collect import open_and_collect
from fake_stripe.errors import ApiError, invalid, not_imitated
from fake_stripe.lines import Usage
from fake_stripe.periods import next_boundary
from fake_stripe.prices import is_metered
from fake_stripe.subscription_shape import interval_of, new_item, period_of, set_price, usable_price
from fake_stripe.subscriptions import ENDED, advance
from fake_stripe.world import StripeObject, World

_UPDATE = (
    "items metadata default_payment_method cancel_at_period_end cancel_at cancellation_details trial_end "
    "proration_behavior proration_date description trial_settings payment_behavior"
)
_BEHAVIOURS = "create_prorations always_invoice none"


def update(world: World, call: Call) -> StripeObject:
    thing = world.get("subscription", call.path["id"], in_path=True)
    given = call.only(_UPDATE)
    wanted = params.one_of(
        given, "payment_behavior", "allow_incomplete error_if_incomplete", "allow_incomplete"
    )
    apply(world, thing, given, must_be_paid=wanted == "error_if_incomplete")
    return thing


def apply(world: World, thing: StripeObject, given: StripeObject, *, must_be_paid: bool = False) -> None:
    """Apply the given changes, all or none, and emit one event."""
    copy = world.rehearsal()
    refused = _apply(copy, copy.get("subscription", thing["id"]), given)
    if refused and must_be_paid:
        raise refused
    _apply(world, thing, given)


def _apply(world: World, thing: StripeObject, given: StripeObject) -> ApiError | None:
    """Apply the changes; returns the payment's error, if one was tried and failed."""
    if thing["status"] in ENDED:
        raise invalid("A canceled subscription can only update its metadata and cancellation_details.")
    before = deepcopy(thing)
    behaviour = params.one_of(given, "proration_behavior", _BEHAVIOURS, "create_prorations")
    _set_simple(world, thing, given)
    _set_end(world, thing, given)
    if "items" in given:
        _change_items(world, thing, given, behaviour)
    if given.get("trial_end"):
        _set_trial_end(world, thing, given)
    previous = {name: before[name] for name in before if before[name] != thing[name]}
    if previous:
        world.emit("customer.subscription.updated", thing, previous)
    if "items" in given and behaviour == "always_invoice":
        invoice = invoices.draft(world, thing, "subscription_update", [], period_of(thing))
        return open_and_collect(world, invoice)
    return None


def preview(world: World, call: Call) -> StripeObject:
    """`POST /v1/invoices/create_preview`: apply the change to a copy; returns its invoice."""
    given = call.only("customer subscription subscription_details")
    details = params.mapping(given, "subscription_details")
    world = world.rehearsal()
    thing = world.get("subscription", params.needed(given, "subscription"), "subscription")
    if given.get("customer", thing["customer"]) != thing["customer"]:
        raise invalid("The subscription belongs to another customer.", "customer")
    params.only(details, "items proration_behavior proration_date cancel_at_period_end trial_end")
    behaviour = details.get("proration_behavior")
    later = (
        {**details, "proration_behavior": "create_prorations"} if behaviour == "always_invoice" else details
    )
    if details:
        _apply(world, thing, later)
    if behaviour == "always_invoice":
        return invoices.draft(world, thing, "upcoming", [], period_of(thing))
    start, boundary = period_of(thing)
    used = usage_until(world, thing, boundary)
    for item in thing["items"]["data"]:
        following = next_boundary(thing["billing_cycle_anchor"], *interval_of([item]), boundary)
        item.update(current_period_start=boundary, current_period_end=following)
    found = [] if thing["cancel_at"] == boundary else advance(world, thing)
    return invoices.draft(world, thing, "upcoming", found, (start, boundary), used)


def _set_simple(world: World, thing: StripeObject, given: StripeObject) -> None:
    if "metadata" in given:
        thing["metadata"] = params.metadata(given, thing["metadata"])
    if "description" in given:
        thing["description"] = params.text(given, "description")
    if "default_payment_method" in given:
        method = params.text(given, "default_payment_method")
        owner = method and world.get("payment_method", method, "default_payment_method")["customer"]
        if method and owner != thing["customer"]:
            raise invalid("The payment method belongs to another customer.", "default_payment_method")
        thing["default_payment_method"] = method
    if "trial_settings" in given:
        thing["trial_settings"] = params.mapping(given, "trial_settings")


def _set_end(world: World, thing: StripeObject, given: StripeObject) -> None:
    """`cancel_at` holds the time, whichever parameter sets it; null clears both."""
    boundary = period_of(thing)[1]
    at: int | None = thing["cancel_at"]
    if "cancel_at_period_end" in given:
        thing["cancel_at_period_end"] = params.flag(given, "cancel_at_period_end")
        at = boundary if thing["cancel_at_period_end"] else None
    if "cancel_at" in given:
        named = given["cancel_at"] in ("min_period_end", "max_period_end")
        at = boundary if named else params.whole(given, "cancel_at")
        thing["cancel_at_period_end"] = False
        if at is not None and at <= world.now():
            raise invalid("cancel_at must be in the future.", "cancel_at")
    comments = {**params.mapping(given, "cancellation_details")}
    params.only(comments, "comment feedback")
    reason = "cancellation_requested" if at else None
    if at != thing["cancel_at"]:
        thing.update(cancel_at=at, canceled_at=world.now() if at else None)
        thing["cancellation_details"] = {"comment": None, "feedback": None, "reason": reason}
    thing["cancellation_details"] = {**thing["cancellation_details"], **comments}


def _set_trial_end(world: World, thing: StripeObject, given: StripeObject) -> None:
    if thing["status"] != "trialing":
        raise not_imitated("a trial for a subscription that has none")
    at = world.now() if given["trial_end"] == "now" else params.whole(given, "trial_end") or 0
    thing.update(trial_end=max(at, world.now()), billing_cycle_anchor=max(at, world.now()))
    for item in thing["items"]["data"]:
        item["current_period_end"] = thing["trial_end"]


def _change_items(world: World, thing: StripeObject, given: StripeObject, behaviour: str) -> None:
    at = params.whole(given, "proration_date", world.now()) or 0
    start, boundary = span = period_of(thing)
    if not start <= at <= boundary:
        raise invalid("proration_date must be within the current period.", "proration_date")
    prorates = behaviour != "none" and thing["status"] != "trialing"
    for wanted in params.listing(given, "items"):
        params.only(wanted, "id price quantity deleted metadata clear_usage")
        _change_item(world, thing, wanted, at if prorates else None, span)
    if not thing["items"]["data"]:
        raise invalid("A subscription must have at least one item.", "items")
    interval_of(thing["items"]["data"])


def _change_item(
    world: World, thing: StripeObject, wanted: StripeObject, at: int | None, span: tuple[int, int]
) -> None:
    items: list[StripeObject] = thing["items"]["data"]
    if "id" not in wanted:
        bare: StripeObject = {
            name: wanted[name] for name in ("price", "quantity", "metadata") if name in wanted
        }
        item = new_item(world, thing, bare, span)
        items.append(item)
        _prorate(world, thing, item, at, credit=False)
        return
    old = next((each for each in items if each["id"] == wanted["id"]), None)
    if old is None:
        raise invalid(f"No such subscription item: '{wanted['id']}'", "items[0][id]", "resource_missing")
    _bill_usage(world, thing, old, wanted)
    _prorate(world, thing, old, at, credit=True)
    if params.flag(wanted, "deleted"):
        items.remove(old)
        return
    which = params.text(wanted, "price", old["price"]["id"]) or ""
    price = usable_price(world, which, thing["currency"]) if which != old["price"]["id"] else old["price"]
    if interval_of([old]) != interval_of([{"price": price}]):
        raise not_imitated("changes of the billing interval")
    quantity = None if is_metered(price) else params.whole(wanted, "quantity", old.get("quantity"))
    counted: Any = world.notes.get(f"counts from {old['id']}")
    unchanged = price["id"] == old["price"]["id"]
    set_price(world, old, price, quantity)
    if unchanged and counted is not None:
        world.notes[f"counts from {old['id']}"] = counted
    _prorate(world, thing, old, at, credit=False)


def _prorate(world: World, thing: StripeObject, item: StripeObject, at: int | None, *, credit: bool) -> None:
    if at is not None and not is_metered(item["price"]):
        line = lines.prorated(world, thing, item, at, credit=credit)
        lines.waiting(world, thing, line, proration=True)


def _bill_usage(world: World, thing: StripeObject, item: StripeObject, wanted: StripeObject) -> None:
    """Put the usage so far on the next invoice when a metered item changes its price or is removed."""
    leaves = params.flag(wanted, "deleted") or wanted.get("price", item["price"]["id"]) != item["price"]["id"]
    if not is_metered(item["price"]) or not leaves or params.flag(wanted, "clear_usage"):
        return
    since = world.notes[f"counts from {item['id']}"]
    for line in lines.in_arrears(world, thing, Usage(item["id"], item["price"], since, world.now())):
        lines.waiting(world, thing, line, proration=False)


ROUTES: list[Route] = [
    ("POST", "/v1/invoices/create_preview", preview),
    ("POST", "/v1/subscriptions/{id}", update),
]
