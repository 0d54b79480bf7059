"""Events of time: trials end, periods end, drafts are finalized, payments are retried, sessions expire.

Events happen one at a time in order, each with the clock at its own time, however far the clock is advanced
at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fake_stripe import invoices
from fake_stripe.cancellation import cancel_now, usage_until
from fake_stripe.collect import collect, open_and_collect
from fake_stripe.periods import days, next_boundary
from fake_stripe.subscription_shape import interval_of, period_of, set_period
from fake_stripe.subscriptions import advance
from fake_stripe.world import StripeObject, World, change

WARN_SECONDS = days(3)
INCOMPLETE_SECONDS = 23 * 3600
RUNNING = ("active", "past_due", "unpaid")


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event of `thing` at a certain time."""

    at: int
    happens: Callable[[World, StripeObject], object]
    thing: StripeObject


def advance_clock(world: World, seconds: int) -> int:
    """Advance the clock by `seconds` and run all events in between; returns their number."""
    target = world.now() + seconds
    count = 0
    try:
        while (due := _next(world)) and due.at <= target:
            world.clock.freeze_at(due.at)
            due.happens(world, due.thing)
            count += 1
        world.clock.freeze_at(target)
    finally:
        world.clock.unfreeze()
    return count


def _next(world: World) -> TimedEvent | None:
    return min(_dues(world), key=lambda due: due.at, default=None)


def _dues(world: World) -> Iterator[TimedEvent]:
    for thing in world.all("subscription"):
        yield from _of_subscription(world, thing)
    for thing in world.all("invoice"):
        yield from _of_invoice(thing)
    for thing in world.all("checkout.session"):
        if thing["status"] == "open":
            yield TimedEvent(thing["expires_at"], expire_session, thing)


def _of_subscription(world: World, thing: StripeObject) -> Iterator[TimedEvent]:
    status, boundary = thing["status"], period_of(thing)[1]
    if status == "incomplete":
        yield TimedEvent(thing["created"] + INCOMPLETE_SECONDS, _expire, thing)
    if status in (*RUNNING, "trialing"):
        if thing["cancel_at"] is not None and thing["cancel_at"] <= boundary:
            yield TimedEvent(thing["cancel_at"], _end, thing)
        elif status in RUNNING:
            yield TimedEvent(boundary, _renew, thing)
        else:
            yield TimedEvent(thing["trial_end"], _end_trial, thing)
    if status == "trialing" and f"warned {thing['id']} {thing['trial_end']}" not in world.notes:
        yield TimedEvent(thing["trial_end"] - WARN_SECONDS, _warn, thing)


def _of_invoice(thing: StripeObject) -> Iterator[TimedEvent]:
    if not thing["auto_advance"]:
        return
    if thing["status"] == "draft" and thing["automatically_finalizes_at"]:
        yield TimedEvent(thing["automatically_finalizes_at"], open_and_collect, thing)
    if thing["status"] == "open" and thing["next_payment_attempt"]:
        yield TimedEvent(thing["next_payment_attempt"], _retry, thing)


def _renew(world: World, thing: StripeObject) -> None:
    """Begin the next period, with a draft invoice for it and for the usage of the last.

    A trial's usage is free. The invoices of an unpaid subscription stay drafts.
    """
    before, boundary = period_of(thing)
    previous: StripeObject = {"items": {"data": [dict(item) for item in thing["items"]["data"]]}}
    if thing["status"] == "trialing":
        previous["status"] = "trialing"
        thing["status"] = "active"
        usage_until(world, thing, boundary)
    used = usage_until(world, thing, boundary)
    following = next_boundary(thing["billing_cycle_anchor"], *interval_of(thing["items"]["data"]), boundary)
    set_period(thing, boundary, following)
    found = advance(world, thing)
    invoice = invoices.draft(world, thing, "subscription_cycle", found, (before, boundary), used)
    invoice["automatically_finalizes_at"] = boundary + world.settings.draft_seconds
    invoice["auto_advance"] = thing["status"] != "unpaid"
    world.emit("customer.subscription.updated", thing, previous)


def _end_trial(world: World, thing: StripeObject) -> None:
    behaviour = thing["trial_settings"]["end_behavior"]["missing_payment_method"]
    customer = world.get("customer", thing["customer"])
    has_card = thing["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if not has_card and behaviour == "cancel":
        cancel_now(world, thing, "cancellation_requested")
    elif not has_card and behaviour == "pause":
        change(world, "customer.subscription.paused", thing, status="paused")
    else:
        _renew(world, thing)


def _warn(world: World, thing: StripeObject) -> None:
    world.notes[f"warned {thing['id']} {thing['trial_end']}"] = True
    world.emit("customer.subscription.trial_will_end", thing)


def _end(world: World, thing: StripeObject) -> None:
    cancel_now(world, thing, "cancellation_requested", invoice_now=thing["status"] != "trialing")


def _expire(world: World, thing: StripeObject) -> None:
    invoice = world.get("invoice", thing["latest_invoice"])
    if invoice["status"] == "open":
        invoices.close(world, invoice, "void", "invoice.voided", "voided_at")
    thing["ended_at"] = world.now()
    change(world, "customer.subscription.updated", thing, status="incomplete_expired")


def _retry(world: World, invoice: StripeObject) -> None:
    invoice["next_payment_attempt"] = None
    collect(world, invoice, scheduled=True)


def expire_session(world: World, session: StripeObject) -> None:
    session.update(status="expired", url=None)
    world.emit("checkout.session.expired", session)
