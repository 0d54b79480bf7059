"""One payment attempt: a payment intent, a charge per attempt, and the intent's link to its invoice."""

from fake_stripe.call import Route, listed, retrieve
from fake_stripe.cards import Card
from fake_stripe.errors import ApiError, declined
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, nulls


def charge(world: World, invoice: StripeObject, method: StripeObject) -> ApiError | None:
    """Charge the amount due of the invoice to a card; returns the error if it is declined."""
    intent = _intent(world, invoice, method)
    card: Card = world.notes[f"card {method['id']}"]
    tried = world.put(_shape(world, intent, method, card.fails))
    intent["latest_charge"] = tried["id"]
    if card.fails is None:
        intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
        _paid(world, invoice, intent)
        world.emit("charge.succeeded", tried)
        world.emit("payment_intent.succeeded", intent)
        return None
    refusal = declined(*card.fails, charge=tried["id"])
    intent.update(status="requires_payment_method", last_payment_error=dict(refusal.fields))
    world.emit("charge.failed", tried)
    world.emit("payment_intent.payment_failed", intent)
    return refusal


def link_of(world: World, invoice: StripeObject) -> StripeObject | None:
    return next((each for each in world.all("invoice_payment") if each["invoice"] == invoice["id"]), None)


def _paid(world: World, invoice: StripeObject, intent: StripeObject) -> None:
    link = link_of(world, invoice)
    if link:
        link.update(status="paid", amount_paid=intent["amount"])
        link["status_transitions"]["paid_at"] = world.now()
        world.emit("invoice_payment.paid", link)


def _intent(world: World, invoice: StripeObject, method: StripeObject) -> StripeObject:
    """The invoice's payment intent: one for all attempts."""
    link = link_of(world, invoice)
    if link:
        intent = world.get("payment_intent", link["payment"]["payment_intent"])
        intent["payment_method"] = method["id"]
        return intent
    intent = world.put(_intent_shape(world, invoice, method))
    world.put(_link(world, invoice, intent))
    world.emit("payment_intent.created", intent)
    return intent


def _link(world: World, invoice: StripeObject, intent: StripeObject) -> StripeObject:
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": world.now(),
        "currency": intent["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "open",
        "status_transitions": nulls("canceled_at paid_at"),
    }


def _intent_shape(world: World, invoice: StripeObject, method: StripeObject) -> StripeObject:
    which = new_id("pi")
    return {
        "id": which,
        "object": "payment_intent",
        "amount": invoice["amount_due"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        **nulls("application application_fee_amount automatic_payment_methods canceled_at"),
        **nulls("cancellation_reason customer_account excluded_payment_method_types last_payment_error"),
        **nulls("latest_charge managed_payments next_action on_behalf_of processing receipt_email review"),
        **nulls("payment_method_configuration_details setup_future_usage shipping source"),
        **nulls("statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
        "capture_method": "automatic",
        "client_secret": f"{which}_secret_{new_id('', 24)[1:]}",
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription",
        "livemode": False,
        "metadata": {},
        "payment_method": method["id"],
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def _shape(
    world: World, intent: StripeObject, method: StripeObject, failure: tuple[str, str] | None
) -> StripeObject:
    which = new_id("ch")
    code, message = ("card_declined", failure[1]) if failure else (None, None)
    return {
        "id": which,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if failure else intent["amount"],
        "amount_refunded": 0,
        **nulls("application application_fee application_fee_amount balance_transaction description"),
        **nulls("calculated_statement_descriptor failure_balance_transaction on_behalf_of receipt_email"),
        **nulls("receipt_number receipt_url review shipping source source_transfer statement_descriptor"),
        **nulls("statement_descriptor_suffix transfer_data transfer_group"),
        "billing_details": method["billing_details"],
        "captured": failure is None,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "disputed": False,
        "failure_code": code,
        "failure_message": message,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": _outcome(failure),
        "paid": failure is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _details(method["card"], intent["amount"]), "type": "card"},
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False, "url": f"/v1/charges/{which}/refunds"},
        "status": "failed" if failure else "succeeded",
    }


def _outcome(failure: tuple[str, str] | None) -> StripeObject:
    return {
        **nulls("advice_code network_advice_code network_decline_code"),
        "network_status": "declined_by_network" if failure else "approved_by_network",
        "reason": failure[0] if failure else None,
        "seller_message": failure[1] if failure else "Payment complete.",
        "type": "issuer_declined" if failure else "authorized",
    }


def _details(card: StripeObject, amount: int) -> StripeObject:
    same = "brand checks country exp_month exp_year fingerprint funding last4"
    return {
        **{name: card[name] for name in same.split()},
        **nulls("authorization_code installments mandate network_transaction_id regulated_status"),
        **nulls("three_d_secure transaction_link_id wallet"),
        "amount_authorized": amount,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
    }


ROUTES: list[Route] = [
    ("GET", "/v1/charges", listed("charge", "customer payment_intent")),
    ("GET", "/v1/charges/{id}", retrieve("charge")),
    ("GET", "/v1/payment_intents", listed("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/{id}", retrieve("payment_intent")),
]
