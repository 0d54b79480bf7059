"""The end of a subscription, and its usage until then."""

from fake_stripe import invoices, lines
from fake_stripe.lines import Usage
from fake_stripe.prices import is_metered
from fake_stripe.subscription_shape import period_of
from fake_stripe.world import StripeObject, World


def cancel_now(world: World, thing: StripeObject, reason: str, *, invoice_now: bool = False) -> StripeObject:
    """End it now; drafts and open invoices are no longer collected automatically."""
    last = usage_until(world, thing, world.now()) if invoice_now else []
    for invoice in world.all("invoice"):
        if invoices.subscription_id(invoice) == thing["id"] and invoice["status"] in ("draft", "open"):
            invoice.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
    details = {**thing["cancellation_details"], "reason": thing["cancellation_details"]["reason"] or reason}
    thing.update(
        status="canceled",
        ended_at=world.now(),
        canceled_at=thing["canceled_at"] or world.now(),
        cancellation_details=details,
    )
    world.emit("customer.subscription.deleted", thing)
    if last or (invoice_now and lines.any_waiting(world, thing)):
        span = (period_of(thing)[0], world.now())
        invoice = invoices.draft(world, thing, "subscription_cycle", [], span, last)
        invoice["automatically_finalizes_at"] = world.now() + world.settings.draft_seconds
    return thing


def usage_until(world: World, thing: StripeObject, until: int) -> list[Usage]:
    """The usage of metered items to bill up to `until`, each from where its last count stopped."""
    found = []
    for item in thing["items"]["data"]:
        if is_metered(item["price"]):
            since = world.notes[f"counts from {item['id']}"]
            found.append(Usage(item["id"], item["price"], since, until))
            world.notes[f"counts from {item['id']}"] = until
    return found
