"""Invoices: draft, open, then paid, uncollectible or void. fake_stripe.collect does the payment."""

from copy import deepcopy

from fake_stripe import lines, params
from fake_stripe.call import Call, Route, page, retrieve, whole_list
from fake_stripe.errors import invalid
from fake_stripe.ids import new_id
from fake_stripe.lines import Usage
from fake_stripe.world import StripeObject, World, change, nulls

_NULLS = (
    "account_name account_tax_ids application automatically_finalizes_at confirmation_secret custom_fields "
    "customer_account customer_phone customer_shipping default_payment_method default_source description "
    "due_date effective_at ending_balance footer from_invoice invoice_pdf last_finalization_error "
    "latest_revision next_payment_attempt number on_behalf_of receipt_number rendering shipping_cost "
    "shipping_details statement_descriptor test_clock threshold_reason webhooks_delivered_at"
)


def draft(
    world: World,
    subscription: StripeObject,
    reason: str,
    found: list[StripeObject],
    span: tuple[int, int],
    used: list[Usage] | None = None,
) -> StripeObject:
    """A draft of the lines `found`, of `used` as counted so far, and of the subscription's pending items."""
    invoice = _shape(world, subscription, reason, span)
    world.put(invoice)
    world.notes[f"fixed {invoice['id']}"] = found + lines.taken(world, subscription)
    world.notes[f"usage {invoice['id']}"] = used or []
    _add_up(world, invoice, subscription)
    for item in world.all("invoiceitem"):
        if item["invoice"] == "taken":
            item["invoice"] = invoice["id"]
    if reason != "upcoming":
        world.emit("invoice.created", invoice)
        subscription["latest_invoice"] = invoice["id"]
    return invoice


def finalize(world: World, invoice: StripeObject) -> StripeObject:
    """Count usage a last time, number the invoice and open it; a negative total goes to the balance."""
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized.", code="invoice_not_editable")
    _add_up(world, invoice, subscription_of(world, invoice))
    customer = world.get("customer", invoice["customer"])
    customer["balance"] = invoice["ending_balance"] = min(0, invoice["total"] + customer["balance"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    customer["next_invoice_sequence"] += 1
    invoice.update(status="open", number=number, effective_at=world.now(), automatically_finalizes_at=None)
    invoice["status_transitions"]["finalized_at"] = world.now()
    invoice["hosted_invoice_url"] = f"{world.notes.get('origin', '')}/invoice/{invoice['id']}"
    world.emit("invoice.finalized", invoice)
    return invoice


def close(world: World, invoice: StripeObject, status: str, kind: str, transition: str) -> StripeObject:
    """Set the final status of an open invoice."""
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"Only open invoices can become {status}.", code="invoice_not_editable")
    invoice.update(status=status, next_payment_attempt=None)
    invoice["status_transitions"][transition] = world.now()
    world.emit(kind, invoice)
    return invoice


def subscription_id(invoice: StripeObject) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def subscription_of(world: World, invoice: StripeObject) -> StripeObject:
    return world.get("subscription", subscription_id(invoice))


def retrieve_lines(world: World, call: Call) -> StripeObject:
    call.only("limit starting_after ending_before")
    return page(call, world.get("invoice", call.path["id"], in_path=True)["lines"]["data"][::-1])


def list_invoices(world: World, call: Call) -> StripeObject:
    given = call.only("limit starting_after ending_before customer subscription status collection_method")
    found = [
        each
        for each in world.all("invoice")
        if given.get("customer", each["customer"]) == each["customer"]
        and given.get("status", each["status"]) == each["status"]
        and given.get("subscription", subscription_id(each)) == subscription_id(each)
    ]
    return page(call, found)


def list_payments(world: World, call: Call) -> StripeObject:
    given = call.only("limit starting_after ending_before invoice status")
    found = [
        each
        for each in world.all("invoice_payment")
        if given.get("invoice", each["invoice"]) == each["invoice"]
        and given.get("status", each["status"]) == each["status"]
    ]
    return page(call, found)


def update(world: World, call: Call) -> StripeObject:
    invoice = world.get("invoice", call.path["id"], in_path=True)
    given = call.only("metadata auto_advance description")
    new: StripeObject = {}
    if "metadata" in given:
        new["metadata"] = params.metadata(given, invoice["metadata"])
    if "auto_advance" in given:
        new["auto_advance"] = params.flag(given, "auto_advance")
    if "description" in given:
        new["description"] = params.text(given, "description")
    change(world, "invoice.updated", invoice, **new)
    return invoice


def _add_up(world: World, invoice: StripeObject, subscription: StripeObject) -> None:
    which = invoice["id"]
    found = [*deepcopy(world.notes[f"fixed {which}"])]
    for used in world.notes[f"usage {which}"]:
        found += lines.in_arrears(world, subscription, used)
    for line in found:
        line["invoice"] = which
    total = sum(line["amount"] for line in found)
    balance = world.get("customer", invoice["customer"])["balance"]
    due = max(0, total + balance)
    invoice.update(
        dict.fromkeys(["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"], total)
    )
    invoice.update(amount_due=due, amount_remaining=due, starting_balance=balance)
    invoice["lines"] = whole_list(found, f"/v1/invoices/{which}/lines")


def _shape(world: World, subscription: StripeObject, reason: str, span: tuple[int, int]) -> StripeObject:
    customer = world.get("customer", subscription["customer"])
    which = new_id("upcoming_in" if reason == "upcoming" else "in")
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    zeros = (
        "amount_overpaid amount_paid amount_shipping attempt_count "
        "post_payment_credit_notes_amount pre_payment_credit_notes_amount"
    )
    return {
        **nulls(_NULLS),
        **dict.fromkeys(zeros.split(), 0),
        "id": which,
        "object": "invoice",
        "account_country": "US",
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": False, **nulls("disabled_reason liability provider status")},
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "created": world.now(),
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "hosted_invoice_url": None,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
        "period_end": span[1],
        "period_start": span[0],
        "status": "draft",
        "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
        # Stripe's fixture has this key, this API version and the SDK do not: code must not rely on it.
        "subscription": None,
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


ROUTES: list[Route] = [
    ("GET", "/v1/invoices", list_invoices),
    ("GET", "/v1/invoices/{id}", retrieve("invoice")),
    ("POST", "/v1/invoices/{id}", update),
    ("GET", "/v1/invoices/{id}/lines", retrieve_lines),
    ("GET", "/v1/invoice_payments", list_payments),
    ("GET", "/v1/invoice_payments/{id}", retrieve("invoice_payment")),
]
