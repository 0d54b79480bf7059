"""Collecting an invoice: the payment attempt, the retries, and their effect on the subscription."""

from fake_stripe import invoices
from fake_stripe.call import Call, Route
from fake_stripe.cancellation import cancel_now
from fake_stripe.cards import no_card
from fake_stripe.charges import charge
from fake_stripe.errors import ApiError, invalid
from fake_stripe.periods import days
from fake_stripe.world import StripeObject, World, change

OWED = ("past_due", "unpaid", "incomplete")


def open_and_collect(world: World, invoice: StripeObject) -> ApiError | None:
    invoices.finalize(world, invoice)
    return collect(world, invoice, scheduled=True)


def collect(
    world: World, invoice: StripeObject, *, scheduled: bool, method: StripeObject | None = None
) -> ApiError | None:
    """Try to collect the amount due; returns the error if it fails. Only scheduled tries use up retries."""
    if invoice["status"] not in ("open", "uncollectible"):
        code = "invoice_already_paid" if invoice["status"] == "paid" else "invoice_not_open"
        raise invalid(f"Invoice is {invoice['status']}, so it cannot be paid.", code=code)
    refusal = None
    if invoice["amount_remaining"]:
        method = method or _method_of(world, invoice)
        refusal = charge(world, invoice, method) if method else no_card()
        if scheduled or not invoice["attempt_count"]:
            invoice["attempt_count"] += 1
        invoice["attempted"] = True
    if refusal is None:
        _paid(world, invoice)
    else:
        _failed(world, invoice, scheduled=scheduled)
    return refusal


def pay(world: World, call: Call) -> StripeObject:
    """`POST /v1/invoices/{id}/pay`"""
    given = call.only("payment_method off_session")
    invoice = world.get("invoice", call.path["id"], in_path=True)
    method = None
    if given.get("payment_method"):
        method = world.get("payment_method", given["payment_method"], "payment_method")
        if method["customer"] != invoice["customer"]:
            raise invalid("The payment method belongs to another customer.", "payment_method")
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
    refusal = collect(world, invoice, scheduled=False, method=method)
    if refusal:
        raise refusal
    return invoice


def finalize(world: World, call: Call) -> StripeObject:
    call.only("auto_advance")
    return invoices.finalize(world, world.get("invoice", call.path["id"], in_path=True))


def mark_uncollectible(world: World, call: Call) -> StripeObject:
    call.only("")
    invoice = world.get("invoice", call.path["id"], in_path=True)
    return _uncollectible(world, invoice)


def void(world: World, call: Call) -> StripeObject:
    call.only("")
    invoice = world.get("invoice", call.path["id"], in_path=True)
    return invoices.close(world, invoice, "void", "invoice.voided", "voided_at")


def _paid(world: World, invoice: StripeObject) -> None:
    invoice.update(amount_paid=invoice["amount_due"], amount_remaining=0, attempted=True, auto_advance=False)
    invoices.close(world, invoice, "paid", "invoice.paid", "paid_at")
    world.emit("invoice.payment_succeeded", invoice)
    customer = world.get("customer", invoice["customer"])
    change(world, "customer.updated", customer, delinquent=False)
    subscription = invoices.subscription_of(world, invoice)
    if subscription["status"] in OWED and subscription["latest_invoice"] == invoice["id"]:
        change(world, "customer.subscription.updated", subscription, status="active")


def _failed(world: World, invoice: StripeObject, *, scheduled: bool) -> None:
    subscription = invoices.subscription_of(world, invoice)
    if subscription["status"] == "incomplete":
        world.emit("invoice.payment_failed", invoice)
        return
    change(world, "customer.updated", world.get("customer", invoice["customer"]), delinquent=True)
    if scheduled:
        invoice["next_payment_attempt"] = _next_try(world, invoice)
    world.emit("invoice.payment_failed", invoice)
    if subscription["status"] in ("active", "trialing"):
        change(world, "customer.subscription.updated", subscription, status="past_due")
    if scheduled and invoice["next_payment_attempt"] is None and not subscription["ended_at"]:
        _after_retries(world, invoice, subscription)


def _next_try(world: World, invoice: StripeObject) -> int | None:
    """Time of the next retry; retry days count from the first failure."""
    first: int = world.notes.setdefault(f"first failure {invoice['id']}", world.now())
    tried = invoice["attempt_count"]
    plan = world.settings.retry_days
    return first + days(plan[tried - 1]) if 0 < tried <= len(plan) else None


def _after_retries(world: World, invoice: StripeObject, subscription: StripeObject) -> None:
    if world.settings.uncollectible_after_retries:
        _uncollectible(world, invoice)
    if world.settings.after_retries == "cancel":
        cancel_now(world, subscription, "payment_failed")
    elif world.settings.after_retries == "unpaid":
        change(world, "customer.subscription.updated", subscription, status="unpaid")


def _uncollectible(world: World, invoice: StripeObject) -> StripeObject:
    return invoices.close(
        world, invoice, "uncollectible", "invoice.marked_uncollectible", "marked_uncollectible_at"
    )


def _method_of(world: World, invoice: StripeObject) -> StripeObject | None:
    subscription = invoices.subscription_of(world, invoice)
    customer = world.get("customer", invoice["customer"])
    of_customer = customer["invoice_settings"]["default_payment_method"]
    return world.find("payment_method", subscription["default_payment_method"] or of_customer)


ROUTES: list[Route] = [
    ("POST", "/v1/invoices/{id}/pay", pay),
    ("POST", "/v1/invoices/{id}/finalize", finalize),
    ("POST", "/v1/invoices/{id}/mark_uncollectible", mark_uncollectible),
    ("POST", "/v1/invoices/{id}/void", void),
]
