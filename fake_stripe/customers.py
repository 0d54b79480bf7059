"""Customers, and the stub that remains after deletion."""

from fake_stripe import params
from fake_stripe.call import Call, Route, listed
from fake_stripe.cancellation import cancel_now
from fake_stripe.errors import invalid
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, change, nulls

_FIELDS = "name email phone description"
_PARAMETERS = f"{_FIELDS} metadata invoice_settings address tax_exempt"
_ADDRESS = "city country line1 line2 postal_code state"


def new_customer(world: World, email: str | None = None, name: str | None = None) -> StripeObject:
    """A stored customer; the caller emits the event."""
    thing = {
        **nulls("address business_name individual_name currency customer_account default_source description"),
        **nulls("discount phone shipping test_clock"),
        "id": new_id("cus", 14),
        "object": "customer",
        "balance": 0,
        "created": world.now(),
        "delinquent": False,
        "email": email,
        "invoice_prefix": new_id("", 8)[1:].upper(),
        "invoice_settings": {
            **nulls("custom_fields default_payment_method footer rendering_options"),
        },
        "livemode": False,
        "metadata": {},
        "name": name,
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }
    return world.put(thing)


def create(world: World, call: Call) -> StripeObject:
    given = call.only(_PARAMETERS)
    new = _new_values(world, given, {})
    thing = new_customer(world)
    thing.update(new)
    world.emit("customer.created", thing)
    return thing


def update(world: World, call: Call) -> StripeObject:
    thing = living(world, call.path["id"], in_path=True)
    new = _new_values(world, call.only(_PARAMETERS), thing)
    change(world, "customer.updated", thing, **new)
    return thing


def retrieve(world: World, call: Call) -> StripeObject:
    call.only("")
    which = call.path["id"]
    stub: StripeObject | None = world.notes.get(f"deleted {which}")
    return stub or living(world, which, in_path=True)


def delete(world: World, call: Call) -> StripeObject:
    """Cancel the subscriptions at once and leave the stub."""
    call.only("")
    thing = living(world, call.path["id"], in_path=True)
    for subscription in world.all("subscription"):
        if subscription["customer"] == thing["id"] and not subscription["ended_at"]:
            cancel_now(world, subscription, "cancellation_requested")
    del world.tables["customer"][thing["id"]]
    stub = {"id": thing["id"], "object": "customer", "deleted": True}
    world.notes[f"deleted {thing['id']}"] = stub
    world.emit("customer.deleted", thing)
    return stub


def living(
    world: World, which: str | None, param: str = "customer", *, in_path: bool = False
) -> StripeObject:
    return world.get("customer", which, "id" if in_path else param, in_path=in_path)


def _new_values(world: World, given: StripeObject, old: StripeObject) -> StripeObject:
    new: StripeObject = {name: params.text(given, name) for name in _FIELDS.split() if name in given}
    if "metadata" in given:
        new["metadata"] = params.metadata(given, old.get("metadata"))
    if "address" in given:
        new["address"] = {**nulls(_ADDRESS), **params.mapping(given, "address")}
    if "tax_exempt" in given:
        new["tax_exempt"] = params.one_of(given, "tax_exempt", "none exempt reverse", "none")
    if new.get("email") and "@" not in new["email"]:
        raise invalid(f"Invalid email address: {new['email']}", "email", "email_invalid")
    if "invoice_settings" in given:
        new["invoice_settings"] = _invoice_settings(world, given, old)
    return new


def _invoice_settings(world: World, given: StripeObject, old: StripeObject) -> StripeObject:
    settings = params.mapping(given, "invoice_settings")
    params.only(settings, "default_payment_method")
    method = params.text(settings, "default_payment_method")
    if method:
        found = world.get("payment_method", method, "invoice_settings[default_payment_method]")
        if found["customer"] != old.get("id"):
            raise invalid("The customer does not have a payment method with the ID " + method)
    empty = nulls("custom_fields default_payment_method footer rendering_options")
    return {**empty, **old.get("invoice_settings", {}), "default_payment_method": method}


ROUTES: list[Route] = [
    ("POST", "/v1/customers", create),
    ("GET", "/v1/customers", listed("customer", "email")),
    ("GET", "/v1/customers/{id}", retrieve),
    ("POST", "/v1/customers/{id}", update),
    ("DELETE", "/v1/customers/{id}", delete),
]
