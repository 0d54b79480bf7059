"""Checkout sessions of mode `subscription`: created by the API, completed on the page /pay/<id>."""

from fake_stripe import params
from fake_stripe.billing_cycle import expire_session
from fake_stripe.call import Call, Route, listed, retrieve, whole_list
from fake_stripe.cards import Card
from fake_stripe.collect import collect
from fake_stripe.customers import new_customer
from fake_stripe.errors import ApiError, invalid, not_imitated, required
from fake_stripe.ids import new_id
from fake_stripe.money import total
from fake_stripe.payment_methods import give, new_method
from fake_stripe.periods import DAY_SECONDS
from fake_stripe.prices import is_metered, tiers_of
from fake_stripe.subscription_shape import usable_price
from fake_stripe.subscriptions import begin, terms_of
from fake_stripe.world import StripeObject, World, change, nulls

_PARAMETERS = (
    "mode customer customer_email client_reference_id line_items success_url cancel_url metadata "
    "subscription_data locale expires_at payment_method_collection payment_method_types "
    "allow_promotion_codes billing_address_collection"
)
_NULLS = (
    "after_expiration allow_promotion_codes billing_address_collection client_reference_id client_secret "
    "collected_information consent consent_collection currency_conversion customer_account customer_creation "
    "customer_details customer_email discounts integration_identifier invoice invoice_creation locale "
    "origin_context payment_intent payment_link payment_method_collection "
    "payment_method_configuration_details permissions recovered_from "
    "saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type "
    "subscription wallet_options"
)


def create(world: World, call: Call) -> StripeObject:
    given = call.only(_PARAMETERS)
    if params.needed(given, "mode") != "subscription":
        raise not_imitated("other modes of checkout than subscription")
    customer = params.text(given, "customer")
    if customer:
        world.get("customer", customer, "customer")
    if customer and given.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")
    lines = [_line(world, each) for each in params.listing(given, "line_items")]
    if not lines:
        raise required("line_items")
    terms_of(world, _subscription_data(given), {"id": customer})
    session = world.put(_shape(world, given, lines, call.origin))
    world.notes[f"lines {session['id']}"] = lines
    world.notes[f"data {session['id']}"] = _subscription_data(given)
    return session


def expire(world: World, call: Call) -> StripeObject:
    call.only("")
    session = world.get("checkout.session", call.path["id"], in_path=True)
    if session["status"] != "open":
        raise invalid(
            f"Only Checkout Sessions with a status of open can be expired, not {session['status']}."
        )
    expire_session(world, session)
    return session


def line_items(world: World, call: Call) -> StripeObject:
    call.only("limit starting_after ending_before")
    world.get("checkout.session", call.path["id"], in_path=True)
    return whole_list(world.notes[f"lines {call.path['id']}"], call.address)


def complete(
    world: World,
    session: StripeObject,
    card: Card,
    expires: tuple[int, int],
    email: str | None,
    name: str | None,
) -> None:
    """Complete the payment: create customer and subscription, or raise the card's error."""
    if session["status"] != "open":
        raise ApiError(400, "This page has been used or has expired.")
    if card.refuses or (card.fails and session["amount_total"] and not trial_end_of(world, session)):
        code, message = card.refuses or card.fails or ("", "")
        raise ApiError(402, message, type="card_error", code="card_declined", decline_code=code)
    customer = _customer(world, session, email, name)
    method = give(world, new_method(world, card, expires), customer)
    subscription = _subscription(world, session, customer, method)
    session.update(
        status="complete",
        customer=customer["id"],
        subscription=subscription["id"],
        invoice=subscription["latest_invoice"],
        payment_status="paid" if not subscription["trial_end"] else "no_payment_required",
        url=None,
        customer_details=_details(customer),
    )
    world.emit("checkout.session.completed", session)


def success_url(session: StripeObject) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def trial_end_of(world: World, session: StripeObject) -> int | None:
    """When charges begin; None if immediately."""
    return terms_of(world, world.notes[f"data {session['id']}"], {"id": session["customer"]}).trial_end


def _subscription(
    world: World, session: StripeObject, customer: StripeObject, method: StripeObject
) -> StripeObject:
    data = {**world.notes[f"data {session['id']}"], "default_payment_method": method["id"]}
    items = []
    for line in world.notes[f"lines {session['id']}"]:
        counted = {} if is_metered(line["price"]) else {"quantity": str(line["quantity"])}
        items.append({"price": line["price"]["id"], **counted})
    subscription = begin(world, customer, items, terms_of(world, data, customer))
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        collect(world, invoice, scheduled=False)
    return subscription


def _customer(world: World, session: StripeObject, email: str | None, name: str | None) -> StripeObject:
    if session["customer"]:
        customer = world.get("customer", session["customer"], "customer")
        if not customer["email"] and email:
            change(world, "customer.updated", customer, email=email)
        return customer
    customer = new_customer(world, session["customer_email"] or email, name)
    world.emit("customer.created", customer)
    return customer


def _subscription_data(given: StripeObject) -> StripeObject:
    data = params.mapping(given, "subscription_data")
    params.only(data, "metadata trial_period_days trial_end trial_settings description billing_mode")
    return data


def _line(world: World, given: StripeObject) -> StripeObject:
    params.only(given, "price quantity")
    price = usable_price(world, params.needed(given, "price"), None)
    quantity = params.whole(given, "quantity")
    if is_metered(price) and quantity is not None:
        raise invalid(
            "Quantity should not be specified where usage_type is metered.", "line_items[0][quantity]"
        )
    if not is_metered(price) and quantity is None:
        raise required("line_items[0][quantity]")
    amount = total(price, tiers_of(world, price), quantity or 0) if quantity else 0
    product = world.get("product", price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        **dict.fromkeys(["amount_discount", "amount_tax"], 0),
        **dict.fromkeys(["amount_subtotal", "amount_total"], amount),
        "adjustable_quantity": None,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def _shape(world: World, given: StripeObject, lines: list[StripeObject], origin: str) -> StripeObject:
    which = new_id("cs_test", 58)
    amount = sum(line["amount_total"] for line in lines)
    passed = "client_reference_id customer_email locale payment_method_collection billing_address_collection"
    return {
        **nulls(_NULLS),
        **{name: params.text(given, name) for name in passed.split() if name in given},
        "id": which,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, **nulls("liability provider status")},
        "cancel_url": params.text(given, "cancel_url"),
        "created": world.now(),
        "currency": lines[0]["price"]["currency"],
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer": params.text(given, "customer"),
        "expires_at": params.whole(given, "expires_at", world.now() + DAY_SECONDS),
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": params.metadata(given),
        "mode": "subscription",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": params.needed(given, "success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{origin}/pay/{which}",
    }


def _details(customer: StripeObject) -> StripeObject:
    return {
        **nulls("address business_name individual_name phone"),
        "email": customer["email"],
        "name": customer["name"],
        "tax_exempt": customer["tax_exempt"],
        "tax_ids": [],
    }


ROUTES: list[Route] = [
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions", listed("checkout.session", "customer subscription status")),
    ("GET", "/v1/checkout/sessions/{id}", retrieve("checkout.session")),
    ("GET", "/v1/checkout/sessions/{id}/line_items", line_items),
    ("POST", "/v1/checkout/sessions/{id}/expire", expire),
]
