"""A subscription and its items as objects, with all constant fields in one place."""

from copy import deepcopy

from fake_stripe import params
from fake_stripe.call import whole_list
from fake_stripe.errors import invalid, not_imitated
from fake_stripe.ids import new_id
from fake_stripe.prices import is_metered
from fake_stripe.world import StripeObject, World, nulls

_NULLS = (
    "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at "
    "canceled_at customer_account days_until_due default_payment_method default_source description ended_at "
    "latest_invoice next_pending_invoice_item_invoice on_behalf_of pause_collection "
    "pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock transfer_data "
    "trial_end trial_start"
)


def subscription_shape(world: World, customer: StripeObject, currency: str) -> StripeObject:
    which = new_id("sub")
    return {
        **nulls(_NULLS),
        "id": which,
        "object": "subscription",
        "automatic_tax": {"enabled": False, **nulls("disabled_reason liability")},
        "billing_cycle_anchor": world.now(),
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": nulls("comment feedback reason"),
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": currency,
        "customer": customer["id"],
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            **nulls("account_tax_ids custom_fields description footer"),
            "issuer": {"type": "self"},
        },
        "items": whole_list([], f"/v1/subscription_items?subscription={which}"),
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "payment_settings": {
            **nulls("payment_method_options payment_method_types"),
            "save_default_payment_method": "off",
        },
        "start_date": world.now(),
        "status": "incomplete",
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


def new_item(
    world: World, subscription: StripeObject, given: StripeObject, span: tuple[int, int]
) -> StripeObject:
    """An item of `price` and, if licensed, `quantity`, for the period."""
    params.only(given, "price quantity metadata")
    price = usable_price(world, params.needed(given, "price"), subscription["currency"])
    thing = {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": span[1],
        "current_period_start": span[0],
        "discounts": [],
        "metadata": params.metadata(given),
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    set_price(world, thing, price, params.whole(given, "quantity"))
    return thing


def set_price(world: World, item: StripeObject, price: StripeObject, quantity: int | None) -> None:
    item.update(price=deepcopy(price), plan=_plan(price))
    item.pop("quantity", None)
    if is_metered(price):
        if quantity is not None:
            raise invalid("Quantity should not be specified where usage_type is metered.", "quantity")
        world.notes[f"counts from {item['id']}"] = max(world.now(), item["current_period_start"])
    else:
        item["quantity"] = 1 if quantity is None else quantity


def usable_price(world: World, which: str, currency: str | None) -> StripeObject:
    price = world.get("price", which, "items[0][price]")
    if not price["active"]:
        raise invalid(f"The price specified is inactive: {which}.", "items[0][price]")
    if not price["recurring"]:
        raise invalid(f"The price specified is set to `type=one_time`: {which}.", "items[0][price]")
    if currency and price["currency"] != currency:
        raise invalid("All prices on a subscription must have the same currency.", "items")
    return price


def interval_of(items: list[StripeObject]) -> tuple[str, int]:
    """The common billing interval of all items."""
    found = {
        (each["price"]["recurring"]["interval"], each["price"]["recurring"]["interval_count"])
        for each in items
    }
    if len(found) > 1:
        raise not_imitated("subscriptions whose items have different intervals")
    return found.pop()


def period_of(subscription: StripeObject) -> tuple[int, int]:
    first = subscription["items"]["data"][0]
    return first["current_period_start"], first["current_period_end"]


def set_period(subscription: StripeObject, start: int, end: int) -> None:
    for item in subscription["items"]["data"]:
        item.update(current_period_start=start, current_period_end=end)


def _plan(price: StripeObject) -> StripeObject:
    """The legacy `plan` of a price, still part of an item."""
    recurring = price["recurring"]
    same = "active billing_scheme created currency id livemode metadata nickname product tiers_mode"
    return {
        **{name: deepcopy(price[name]) for name in same.split()},
        **{name: recurring[name] for name in ("interval", "interval_count", "meter", "usage_type")},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "transform_usage": price["transform_quantity"],
        "trial_period_days": None,
    }
