"""Invoice lines: the next period in advance, usage in arrears, pending prorations."""

from dataclasses import dataclass
from decimal import Decimal

from fake_stripe import money
from fake_stripe.ids import new_id
from fake_stripe.meters import usage
from fake_stripe.periods import day_name
from fake_stripe.prices import tiers_of
from fake_stripe.world import StripeObject, World, nulls


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage that a draft counts again when it is finalized; `price` is the price at the time."""

    item: str
    price: StripeObject
    start: int
    end: int


def in_advance(
    world: World, subscription: StripeObject, item: StripeObject, start: int, end: int
) -> list[StripeObject]:
    """Lines of a licensed item's next period."""
    quantity = item["quantity"]
    found = money.parts(item["price"], tiers_of(world, item["price"]), quantity)
    return [_line(world, subscription, item["id"], item["price"], part, (start, end)) for part in found]


def on_trial(world: World, subscription: StripeObject, item: StripeObject) -> StripeObject:
    free = money.Part(item.get("quantity") or 0, Decimal(0), 0)
    span = (item["current_period_start"], item["current_period_end"])
    return {
        **_line(world, subscription, item["id"], item["price"], free, span),
        "description": f"Trial period for {_name(world, item['price'])}",
    }


def in_arrears(world: World, subscription: StripeObject, used: Usage) -> list[StripeObject]:
    """Lines of a metered item's usage, one for each tier it reached."""
    meter = world.get("billing.meter", used.price["recurring"]["meter"])
    total = usage(world, meter, subscription["customer"], used.start, used.end)
    found = money.parts(used.price, tiers_of(world, used.price), max(0, int(total)))
    span = (used.start, used.end)
    return [_line(world, subscription, used.item, used.price, part, span) for part in found]


def waiting(world: World, subscription: StripeObject, line: StripeObject, *, proration: bool) -> StripeObject:
    """An invoice item for the subscription's next invoice."""
    thing = {
        "id": new_id("ii"),
        "object": "invoiceitem",
        "amount": line["amount"],
        "currency": line["currency"],
        "customer": subscription["customer"],
        **nulls("customer_account invoice test_clock"),
        "date": world.now(),
        "description": line["description"],
        "discountable": False,
        "discounts": [],
        "livemode": False,
        "metadata": {},
        "net_amount": line["amount"],
        "parent": {
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": line["parent"]["subscription_item_details"]["subscription_item"],
            },
            "type": "subscription_details",
        },
        "period": line["period"],
        "pricing": line["pricing"],
        "proration": proration,
        "quantity": line["quantity"],
        "quantity_decimal": line["quantity_decimal"],
        "tax_rates": [],
    }
    world.emit("invoiceitem.created", world.put(thing))
    return thing


def prorated(
    world: World, subscription: StripeObject, item: StripeObject, at: int, *, credit: bool
) -> StripeObject:
    """A line for the rest of the item's period after `at`: a credit, or a charge."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole = money.total(item["price"], tiers_of(world, item["price"]), item["quantity"])
    amount = money.share(whole, start, end, at) * (-1 if credit else 1)
    unit = Decimal(item["price"]["unit_amount_decimal"] or 0)
    part = money.Part(item["quantity"], unit, amount)
    line = _line(world, subscription, item["id"], item["price"], part, (at, end))
    what = "Unused time on" if credit else "Remaining time on"
    return {**line, "description": f"{what} {_name(world, item['price'])} after {day_name(at)}"}


def any_waiting(world: World, subscription: StripeObject) -> bool:
    """Whether the subscription's next invoice already has lines."""
    return any(
        item["invoice"] is None
        and item["parent"]["subscription_details"]["subscription"] == subscription["id"]
        for item in world.all("invoiceitem")
    )


def taken(world: World, subscription: StripeObject) -> list[StripeObject]:
    """Remove and return the lines of the subscription's pending invoice items."""
    found = []
    for item in world.all("invoiceitem"):
        details = item["parent"]["subscription_details"]
        if item["invoice"] is None and details["subscription"] == subscription["id"]:
            item["invoice"] = "taken"
            found.append(_line_of_item(item, details))
    return found


def _line_of_item(item: StripeObject, details: StripeObject) -> StripeObject:
    line = _bare(item["amount"], item["currency"], item["description"], item["quantity"], item["pricing"])
    parent = {
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "proration_details": {"credited_items": None},
            "subscription": details["subscription"],
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    return {**line, "period": item["period"], "subscription": details["subscription"], "parent": parent}


def _line(
    world: World,
    subscription: StripeObject,
    item: str,
    price: StripeObject,
    part: money.Part,
    span: tuple[int, int],
) -> StripeObject:
    tier = f" (Tier {part.tier})" if part.tier else ""
    pricing = {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": f"{part.unit_amount:f}",
    }
    text = f"{part.units} × {_name(world, price)}{tier}"
    line = _bare(part.amount, subscription["currency"], text, part.units, pricing)
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    }
    period = {"start": span[0], "end": span[1]}
    return {**line, "period": period, "subscription": subscription["id"], "parent": parent}


def _bare(amount: int, currency: str, description: str, quantity: int, pricing: StripeObject) -> StripeObject:
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "pricing": pricing,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
    }


def _name(world: World, price: StripeObject) -> str:
    product = world.find("product", price["product"])
    return str(product["name"] if product else price["product"])
