"""Stored cards: brand and last four digits in the object, their test behavior in the world's notes."""

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.cards import Card, accept, ready_made
from fake_stripe.errors import invalid, missing
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, nulls

EXPIRES = (12, 2034)


def new_method(world: World, card: Card, expires: tuple[int, int] = EXPIRES) -> StripeObject:
    """A card without a customer."""
    thing = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": nulls("city country line1 line2 postal_code state"),
            **nulls("email name phone tax_id"),
        },
        "card": _face(card, expires),
        "created": world.now(),
        **nulls("customer customer_account"),
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    world.notes[f"card {thing['id']}"] = card
    return world.put(thing)


def give(world: World, method: StripeObject, customer: StripeObject) -> StripeObject:
    """Attach a card to a customer; raises if the card is declined."""
    accept(world.notes[f"card {method['id']}"])
    if method["customer"] not in (None, customer["id"]):
        raise invalid("The payment method you provided has already been attached to a customer.")
    method["customer"] = customer["id"]
    world.emit("payment_method.attached", method)
    return method


def attach(world: World, call: Call) -> StripeObject:
    """`id` may name a ready-made card of Stripe, `pm_card_visa`; a new card is created from it."""
    customer = world.get("customer", params.needed(call.only("customer"), "customer"), "customer")
    card = ready_made(call.path["id"])
    if card:
        accept(card)
    method = new_method(world, card) if card else world.find("payment_method", call.path["id"])
    if method is None:
        raise missing("PaymentMethod", call.path["id"], "payment_method", in_path=True)
    return give(world, method, customer)


def detach(world: World, call: Call) -> StripeObject:
    call.only("")
    method = world.get("payment_method", call.path["id"], in_path=True)
    owner = world.find("customer", method["customer"])
    method["customer"] = None
    if owner and owner["invoice_settings"]["default_payment_method"] == method["id"]:
        owner["invoice_settings"]["default_payment_method"] = None
    world.emit("payment_method.detached", method)
    return method


def _face(card: Card, expires: tuple[int, int]) -> StripeObject:
    return {
        "brand": card.brand,
        "checks": {**nulls("address_line1_check address_postal_code_check"), "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": expires[0],
        "exp_year": expires[1],
        "fingerprint": new_id("", 16)[1:],
        "funding": "credit",
        **nulls("generated_from wallet regulated_status"),
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
    }


ROUTES: list[Route] = [
    ("GET", "/v1/payment_methods", listed("payment_method", "customer type")),
    ("GET", "/v1/payment_methods/{id}", retrieve("payment_method")),
    ("POST", "/v1/payment_methods/{id}/attach", attach),
    ("POST", "/v1/payment_methods/{id}/detach", detach),
]
