"""The billing portal: what may be done there, sessions, and what their page's buttons do.

As with Stripe, the plan can be switched there only for a subscription of one licensed item; the setting
`portal_changes_any_plan` lifts that. Cancelling sets `cancel_at_period_end` in the classic billing mode and
`cancel_at` alone in the flexible one, which is what new subscriptions have.
"""

from typing import Any

from local.stripe import changes, params
from local.stripe.call import Call, Route, listed, retrieve
from local.stripe.cards import Card
from local.stripe.collect import collect
from local.stripe.errors import RefusedError, invalid
from local.stripe.ids import new_id
from local.stripe.payment_methods import give, new_method
from local.stripe.prices import is_metered
from local.stripe.subscriptions import ENDED
from local.stripe.world import Thing, World, change, nulls

SESSION_SECONDS = 3600


def create(world: World, call: Call) -> Thing:
    given = call.only("customer return_url configuration locale")
    customer = world.get("customer", params.needed(given, "customer"), "customer")
    which = params.text(given, "configuration") or default_configuration(world)["id"]
    configuration = world.get("billing_portal.configuration", which, "configuration")
    secret = new_id("test", 40)
    session = {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": world.now(),
        "customer": customer["id"],
        **nulls("customer_account flow locale on_behalf_of"),
        "livemode": False,
        "return_url": params.text(given, "return_url") or configuration["default_return_url"],
        "url": f"{call.origin}/portal/{secret}",
    }
    world.put(session)
    world.notes[f"portal {secret}"] = session["id"]
    return session


def configure(world: World, call: Call) -> Thing:
    """Make a configuration, or change one when the address names it."""
    given = call.only("features business_profile default_return_url metadata active name")
    old = call.path.get("id")
    thing = world.get("billing_portal.configuration", old, in_path=True) if old else _configuration(world)
    for name in ("features", "business_profile"):
        thing[name] = _merged(thing[name], params.mapping(given, name))
    for name in ("default_return_url", "name"):
        if name in given:
            thing[name] = params.text(given, name)
    thing.update(metadata=params.metadata(given, thing["metadata"]), updated=world.now())
    thing["active"] = params.flag(given, "active", default=thing["active"])
    kind = "billing_portal.configuration.updated" if old else "billing_portal.configuration.created"
    world.emit(kind, world.put(thing))
    return thing


def default_configuration(world: World) -> Thing:
    for thing in world.all("billing_portal.configuration"):
        if thing["is_default"]:
            return thing
    return world.put({**_configuration(world), "is_default": True})


def session_of(world: World, secret: str) -> Thing:
    """The session a page's address names."""
    session = world.find("billing_portal.session", world.notes.get(f"portal {secret}"))
    if session is None or world.now() > session["created"] + SESSION_SECONDS:
        raise RefusedError(404, "This page has expired.")
    return session


def subscriptions_of(world: World, session: Thing) -> list[Thing]:
    theirs = [each for each in world.all("subscription") if each["customer"] == session["customer"]]
    return [each for each in theirs if each["status"] not in ENDED]


def choices(world: World, session: Thing, subscription: Thing) -> list[Thing]:
    """The products it may be switched to; none when the portal does not switch it."""
    features = world.get("billing_portal.configuration", session["configuration"])["features"]
    update = features["subscription_update"]
    items = subscription["items"]["data"]
    simple = len(items) == 1 and not is_metered(items[0]["price"])
    if not update["enabled"] or not (simple or world.settings.portal_changes_any_plan):
        return []
    allowed = [each["product"] for each in update.get("products") or []]
    has = {item["price"]["product"] for item in items}
    found = [each for each in world.all("product") if each["active"] and each["id"] not in has]
    return [each for each in found if (each["id"] in allowed or not allowed) and _prices(world, each["id"])]


def cancel(world: World, session: Thing, form: Thing) -> None:
    subscription = _theirs(world, session, form)
    flexible = subscription["billing_mode"]["type"] == "flexible"
    how = {"cancel_at": "min_period_end"} if flexible else {"cancel_at_period_end": "true"}
    changes.apply(world, subscription, how)


def resume(world: World, session: Thing, form: Thing) -> None:
    given = {"cancel_at_period_end": "false"}
    changes.apply(world, _theirs(world, session, form), given)


def switch(world: World, session: Thing, form: Thing) -> None:
    """Replace the items by the prices of the product that was chosen."""
    subscription = _theirs(world, session, form)
    if form.get("product") not in [each["id"] for each in choices(world, session, subscription)]:
        raise RefusedError(400, "This plan cannot be chosen here.")
    wanted: list[Thing] = []
    olds = list(subscription["items"]["data"])
    for price in _prices(world, form["product"]):
        alike = next((each for each in olds if is_metered(each["price"]) == is_metered(price)), None)
        if alike:
            olds.remove(alike)
        wanted.append({"price": price["id"], **({"id": alike["id"]} if alike else {})})
    wanted += [{"id": old["id"], "deleted": "true"} for old in olds]
    features = world.get("billing_portal.configuration", session["configuration"])["features"]
    behaviour = features["subscription_update"]["proration_behavior"]
    changes.apply(world, subscription, {"items": wanted, "proration_behavior": behaviour})


def fix_card(world: World, session: Thing, card: Card, expires: tuple[int, int]) -> None:
    """Put a new card on file, for the customer and for all their subscriptions."""
    customer = world.get("customer", session["customer"])
    method = give(world, new_method(world, card, expires), customer)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    change(world, "customer.updated", customer, invoice_settings=settings)
    for subscription in subscriptions_of(world, session):
        changes.apply(world, subscription, {"default_payment_method": method["id"]})


def pay(world: World, session: Thing, form: Thing) -> None:
    invoice = world.find("invoice", form.get("invoice"))
    if invoice is None or invoice["customer"] != session["customer"]:
        raise RefusedError(404, "There is no such invoice.")
    refusal = collect(world, invoice, scheduled=False)
    if refusal:
        raise refusal


def _theirs(world: World, session: Thing, form: Thing) -> Thing:
    for subscription in subscriptions_of(world, session):
        if subscription["id"] == form.get("subscription"):
            return subscription
    raise RefusedError(404, "There is no such subscription.")


def _prices(world: World, product: str) -> list[Thing]:
    return [
        each
        for each in world.all("price")
        if each["product"] == product and each["active"] and each["recurring"]
    ]


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    if isinstance(old, bool):
        if new not in ("true", "false"):
            raise invalid(f"Invalid boolean: {new}", "features")
        return new == "true"
    return new or None


def _configuration(world: World) -> Thing:
    return {
        "id": new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        **nulls("application default_return_url name"),
        "business_profile": nulls("headline privacy_policy_url terms_of_service_url"),
        "created": world.now(),
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": False},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": []},
                "enabled": True,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_pause": {
                "duration": {"interval_options": [], "type": "indefinite"},
                "enabled": False,
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": ["price"],
                "enabled": True,
                "products": [],
                "proration_behavior": "create_prorations",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "updated": world.now(),
    }


ROUTES: list[Route] = [
    ("POST", "/v1/billing_portal/sessions", create),
    ("POST", "/v1/billing_portal/configurations", configure),
    ("GET", "/v1/billing_portal/configurations", listed("billing_portal.configuration", "active is_default")),
    ("GET", "/v1/billing_portal/configurations/{id}", retrieve("billing_portal.configuration")),
    ("POST", "/v1/billing_portal/configurations/{id}", configure),
]
