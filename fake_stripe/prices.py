"""Prices: licensed or metered by a billing meter, per unit or in tiers. Amounts are immutable."""

import re
from decimal import Decimal
from itertools import pairwise

from fake_stripe import params, products
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.errors import invalid, required
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, change

_PARAMETERS = (
    "product product_data currency unit_amount unit_amount_decimal recurring tiers tiers_mode billing_scheme "
    "lookup_key transfer_lookup_key nickname metadata tax_behavior active transform_quantity"
)


def create(world: World, call: Call) -> StripeObject:
    given = call.only(_PARAMETERS)
    scheme = params.one_of(given, "billing_scheme", "per_unit tiered", "per_unit")
    tiers = [_tier(each) for each in params.listing(given, "tiers")]
    recurring = _recurring(world, given)
    tiers_mode = _tiers_mode(given, scheme, tiers)
    amount = _decimal(given, "unit_amount") if scheme == "per_unit" else None
    if scheme == "per_unit" and amount is None:
        raise required("unit_amount")
    _take_lookup_key(world, given)
    thing = {
        "id": new_id("price"),
        "object": "price",
        "active": params.flag(given, "active", default=True),
        "billing_scheme": scheme,
        "created": world.now(),
        "currency": params.needed(given, "currency").lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.text(given, "lookup_key"),
        "metadata": params.metadata(given),
        "nickname": params.text(given, "nickname"),
        "product": _product(world, given)["id"],
        "recurring": recurring,
        "tax_behavior": params.text(given, "tax_behavior", "unspecified"),
        "tiers_mode": tiers_mode,
        "transform_quantity": _transform(given),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": _whole_or_none(amount),
        "unit_amount_decimal": _plain(amount),
    }
    world.notes[f"tiers {thing['id']}"] = tiers
    world.put(thing)
    world.emit("price.created", thing)
    return thing


def update(world: World, call: Call) -> StripeObject:
    thing = world.get("price", call.path["id"], in_path=True)
    given = call.only("active lookup_key transfer_lookup_key nickname metadata tax_behavior")
    new: StripeObject = {
        name: params.text(given, name) for name in ("nickname", "tax_behavior") if name in given
    }
    if "lookup_key" in given and given["lookup_key"] != thing["lookup_key"]:
        _take_lookup_key(world, given)
        new["lookup_key"] = params.text(given, "lookup_key")
    if "active" in given:
        new["active"] = params.flag(given, "active")
    if "metadata" in given:
        new["metadata"] = params.metadata(given, thing["metadata"])
    change(world, "price.updated", thing, **new)
    return thing


def list_prices(world: World, call: Call) -> StripeObject:
    renamed = {{"lookup_keys": "lookup_key"}.get(name, name): value for name, value in call.params.items()}
    call = Call(renamed, call.path, call.origin, call.address)
    return listed("price", "product active currency type lookup_key")(world, call)


def tiers_of(world: World, price: StripeObject) -> list[StripeObject]:
    tiers: list[StripeObject] = world.notes.get(f"tiers {price['id']}", [])
    return tiers


def is_metered(price: StripeObject) -> bool:
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def _product(world: World, given: StripeObject) -> StripeObject:
    if "product_data" in given:
        return products.make(world, params.mapping(given, "product_data"))
    return world.get("product", params.needed(given, "product"), "product")


def _recurring(world: World, given: StripeObject) -> StripeObject | None:
    if "recurring" not in given:
        return None
    recurring = params.mapping(given, "recurring")
    params.only(recurring, "interval interval_count meter usage_type")
    usage_type = params.one_of(recurring, "usage_type", "licensed metered", "licensed")
    meter = params.text(recurring, "meter")
    if usage_type == "metered" and not meter:
        raise invalid("Metered prices must be backed by meters.", "recurring[meter]")
    params.needed(recurring, "interval")
    return {
        "interval": params.one_of(recurring, "interval", "day week month year", "month"),
        "interval_count": params.whole(recurring, "interval_count", 1),
        "meter": world.get("billing.meter", meter, "recurring[meter]")["id"] if meter else None,
        "usage_type": usage_type,
        "trial_period_days": None,
    }


def _tiers_mode(given: StripeObject, scheme: str, tiers: list[StripeObject]) -> str | None:
    if scheme == "per_unit":
        return None
    bounds = [tier["up_to"] for tier in tiers]
    rising = all(a is not None and (b is None or a < b) for a, b in pairwise(bounds))
    if not tiers or bounds[-1] is not None or not rising:
        raise invalid("Tiers must rise, and the last must have up_to=inf.", "tiers")
    if "tiers_mode" not in given:
        raise required("tiers_mode")
    return params.one_of(given, "tiers_mode", "graduated volume", "graduated")


def _tier(given: StripeObject) -> StripeObject:
    params.only(given, "up_to unit_amount unit_amount_decimal flat_amount flat_amount_decimal")
    unit, flat = _decimal(given, "unit_amount"), _decimal(given, "flat_amount")
    if unit is None and flat is None:
        raise invalid("A tier needs a unit_amount or a flat_amount.", "tiers")
    return {
        "flat_amount": _whole_or_none(flat),
        "flat_amount_decimal": _plain(flat),
        "unit_amount": _whole_or_none(unit),
        "unit_amount_decimal": _plain(unit),
        "up_to": None if params.needed(given, "up_to") == "inf" else params.whole(given, "up_to"),
    }


def _transform(given: StripeObject) -> StripeObject | None:
    if "transform_quantity" not in given:
        return None
    transform = params.mapping(given, "transform_quantity")
    by = params.whole(transform, "divide_by") or 0
    if by < 1:
        raise invalid("Invalid divide_by: must be at least 1", "transform_quantity[divide_by]")
    return {"divide_by": by, "round": params.one_of(transform, "round", "up down", "down")}


def _decimal(given: StripeObject, name: str) -> Decimal | None:
    text = params.text(given, f"{name}_decimal")
    if text is None:
        number = params.whole(given, name)
        return None if number is None else Decimal(number)
    if not re.fullmatch(r"\d{1,15}(\.\d{1,12})?", text):
        raise invalid(f"Invalid decimal: {text}", f"{name}_decimal")
    return Decimal(text)


def _whole_or_none(amount: Decimal | None) -> int | None:
    return int(amount) if amount is not None and amount == int(amount) else None


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _take_lookup_key(world: World, given: StripeObject) -> None:
    """A lookup key names one price; it moves to another only with `transfer_lookup_key`."""
    key = params.text(given, "lookup_key")
    holder = next((price for price in world.all("price") if key and price["lookup_key"] == key), None)
    if holder is None:
        return
    if not params.flag(given, "transfer_lookup_key"):
        raise invalid(f"A price (`{holder['id']}`) already uses that lookup key.", "lookup_key")
    change(world, "price.updated", holder, lookup_key=None)


ROUTES: list[Route] = [
    ("POST", "/v1/prices", create),
    ("GET", "/v1/prices", list_prices),
    ("GET", "/v1/prices/{id}", retrieve("price")),
    ("POST", "/v1/prices/{id}", update),
]
