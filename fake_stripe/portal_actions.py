"""Billing portal: data for the page of a session's customer, and actions of its buttons.

As in Stripe, only the plan of a subscription with one licensed item can be switched there; the setting
`portal_changes_any_plan` lifts that. Cancelling sets `cancel_at_period_end` in the classic billing mode and
only `cancel_at` in the flexible one, which new subscriptions have.
"""

from fake_stripe import changes
from fake_stripe.cancellation import cancel_now
from fake_stripe.cards import Card
from fake_stripe.collect import collect
from fake_stripe.errors import ApiError
from fake_stripe.payment_methods import give, new_method
from fake_stripe.prices import is_metered
from fake_stripe.subscriptions import ENDED
from fake_stripe.world import StripeObject, World, change

SESSION_SECONDS = 3600


def session_of(world: World, secret: str) -> StripeObject:
    """The session of a page's URL."""
    session = world.find("billing_portal.session", world.notes.get(f"portal {secret}"))
    if session is None or world.now() > session["created"] + SESSION_SECONDS:
        raise ApiError(404, "This page has expired.")
    return session


def subscriptions_of(world: World, session: StripeObject) -> list[StripeObject]:
    theirs = [each for each in world.all("subscription") if each["customer"] == session["customer"]]
    return [each for each in theirs if each["status"] not in ENDED]


def cards_of(world: World, session: StripeObject) -> list[StripeObject]:
    """The cards that are charged: each subscription's own, or else the customer's."""
    customer = world.get("customer", session["customer"])
    ids = [each["default_payment_method"] for each in subscriptions_of(world, session)]
    ids.append(customer["invoice_settings"]["default_payment_method"])
    found = [world.find("payment_method", which) for which in dict.fromkeys(ids)]
    return [each for each in found if each and each["customer"] == customer["id"]]


def invoices_of(world: World, session: StripeObject) -> list[StripeObject]:
    """Invoices, newest first, without drafts."""
    theirs = [each for each in world.all("invoice") if each["customer"] == session["customer"]]
    return [each for each in theirs if each["status"] != "draft"][::-1]


def features_of(world: World, session: StripeObject) -> StripeObject:
    """The features that this session's configuration enables."""
    features: StripeObject = world.get("billing_portal.configuration", session["configuration"])["features"]
    return features


def choices(world: World, session: StripeObject, subscription: StripeObject) -> list[StripeObject]:
    """The products it may be switched to; none if the portal does not permit switching."""
    update = features_of(world, session)["subscription_update"]
    items = subscription["items"]["data"]
    simple = len(items) == 1 and not is_metered(items[0]["price"])
    if not update["enabled"] or not (simple or world.settings.portal_changes_any_plan):
        return []
    allowed = [each["product"] for each in update.get("products") or []]
    has = {item["price"]["product"] for item in items}
    found = [each for each in world.all("product") if each["active"] and each["id"] not in has]
    return [each for each in found if (each["id"] in allowed or not allowed) and _prices(world, each["id"])]


def cancel(world: World, session: StripeObject, form: StripeObject) -> None:
    """Cancel at once if the configuration says so, else at the period's end."""
    subscription = _theirs(world, session, form)
    if features_of(world, session)["subscription_cancel"]["mode"] == "immediately":
        cancel_now(world, subscription, "cancellation_requested")
        return
    flexible = subscription["billing_mode"]["type"] == "flexible"
    how = {"cancel_at": "min_period_end"} if flexible else {"cancel_at_period_end": "true"}
    changes.apply(world, subscription, how)


def resume(world: World, session: StripeObject, form: StripeObject) -> None:
    given = {"cancel_at_period_end": "false"}
    changes.apply(world, _theirs(world, session, form), given)


def switch(world: World, session: StripeObject, form: StripeObject) -> None:
    """Replace the items by the prices of the selected product."""
    subscription = _theirs(world, session, form)
    if form.get("product") not in [each["id"] for each in choices(world, session, subscription)]:
        raise ApiError(400, "This plan cannot be chosen here.")
    wanted: list[StripeObject] = []
    olds = list(subscription["items"]["data"])
    for price in _prices(world, form["product"]):
        alike = next((each for each in olds if is_metered(each["price"]) == is_metered(price)), None)
        if alike:
            olds.remove(alike)
        wanted.append({"price": price["id"], **({"id": alike["id"]} if alike else {})})
    wanted += [{"id": old["id"], "deleted": "true"} for old in olds]
    behaviour = features_of(world, session)["subscription_update"]["proration_behavior"]
    changes.apply(world, subscription, {"items": wanted, "proration_behavior": behaviour})


def update_payment_method(world: World, session: StripeObject, card: Card, expires: tuple[int, int]) -> None:
    """Attach a new card as default of the customer and of all their subscriptions."""
    customer = world.get("customer", session["customer"])
    method = give(world, new_method(world, card, expires), customer)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    change(world, "customer.updated", customer, invoice_settings=settings)
    for subscription in subscriptions_of(world, session):
        changes.apply(world, subscription, {"default_payment_method": method["id"]})


def pay(world: World, session: StripeObject, form: StripeObject) -> None:
    invoice = world.find("invoice", form.get("invoice"))
    if invoice is None or invoice["customer"] != session["customer"]:
        raise ApiError(404, "There is no such invoice.")
    refusal = collect(world, invoice, scheduled=False)
    if refusal:
        raise refusal


def _theirs(world: World, session: StripeObject, form: StripeObject) -> StripeObject:
    for subscription in subscriptions_of(world, session):
        if subscription["id"] == form.get("subscription"):
            return subscription
    raise ApiError(404, "There is no such subscription.")


def _prices(world: World, product: str) -> list[StripeObject]:
    return [
        each
        for each in world.all("price")
        if each["product"] == product and each["active"] and each["recurring"]
    ]
