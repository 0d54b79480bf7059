"""Refunds by the API, and disputes by order of a test (`POST /_dispute`)."""

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.errors import ApiError, invalid, required
from fake_stripe.ids import new_id
from fake_stripe.periods import days
from fake_stripe.world import StripeObject, World, change, nulls

_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure "
    "cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip "
    "customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id "
    "product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation "
    "service_date service_documentation shipping_address shipping_carrier shipping_date "
    "shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
)


def refund(world: World, call: Call) -> StripeObject:
    given = call.only("charge payment_intent amount reason metadata")
    charge = _charge_of(world, given)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.whole(given, "amount", left) or 0
    if not 0 < amount <= left:
        code = "charge_already_refunded" if not left else None
        raise invalid(f"Refund amount must be between 1 and {left}.", "amount", code)
    thing = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        **nulls(
            "balance_transaction customer_account receipt_number source_transfer_reversal transfer_reversal"
        ),
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": params.metadata(given),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.text(given, "reason"),
        "status": "succeeded",
    }
    world.emit("refund.created", world.put(thing))
    refunded = charge["amount_refunded"] + amount
    change(
        world,
        "charge.refunded",
        charge,
        amount_refunded=refunded,
        refunded=refunded == charge["amount_captured"],
    )
    return thing


def open_dispute(world: World, which: str, reason: str) -> StripeObject:
    """Open a cardholder's dispute of a charge."""
    charge = world.get("charge", which, "charge")
    if not charge["paid"] or charge["disputed"]:
        raise ApiError(400, "This charge cannot be disputed.")
    brand = charge["payment_method_details"]["card"]["brand"]
    details = {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4"}
    thing = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**nulls(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now() + days(9),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": details, "type": "card"},
        "reason": reason,
        "status": "needs_response",
    }
    charge["disputed"] = True
    world.emit("charge.dispute.created", world.put(thing))
    return thing


def close_dispute(world: World, which: str, status: str) -> StripeObject:
    """Close a dispute with the bank's decision: won or lost."""
    thing = world.get("dispute", which, "dispute")
    if status not in ("won", "lost") or thing["status"] in ("won", "lost"):
        raise ApiError(400, "A dispute is closed once, as won or lost.")
    change(world, "charge.dispute.closed", thing, status=status)
    return thing


def accept(world: World, call: Call) -> StripeObject:
    """`POST /v1/disputes/{id}/close`: accept the dispute as lost."""
    call.only("")
    world.get("dispute", call.path["id"], in_path=True)
    return close_dispute(world, call.path["id"], "lost")


def _charge_of(world: World, given: StripeObject) -> StripeObject:
    if "charge" in given:
        charge = world.get("charge", params.needed(given, "charge"), "charge")
    elif "payment_intent" in given:
        intent = world.get("payment_intent", params.needed(given, "payment_intent"), "payment_intent")
        charge = world.get("charge", intent["latest_charge"], "payment_intent")
    else:
        raise required("charge")
    if not charge["paid"]:
        raise invalid("This charge has not been paid.", "charge")
    return charge


ROUTES: list[Route] = [
    ("POST", "/v1/refunds", refund),
    ("GET", "/v1/refunds", listed("refund", "charge payment_intent")),
    ("GET", "/v1/refunds/{id}", retrieve("refund")),
    ("GET", "/v1/disputes", listed("dispute", "charge payment_intent")),
    ("GET", "/v1/disputes/{id}", retrieve("dispute")),
    ("POST", "/v1/disputes/{id}/close", accept),
]
