"""Events of time: trials end, periods end, drafts are finalized, payments are retried, sessions expire.

Events happen one at a time in order, each with the clock at its own time, however far the clock is advanced
at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.stripe import invoices
from local.stripe.collect import collect, open_and_collect
from local.stripe.ending import end, usage_until
from local.stripe.periods import days, next_boundary
from local.stripe.subscription_shape import interval_of, period_of, set_period
from local.stripe.subscriptions import advance
from local.stripe.world import Thing, World, change

WARN_SECONDS = days(3)
INCOMPLETE_SECONDS = 23 * 3600
RUNNING = ("active", "past_due", "unpaid")


@dataclass(frozen=True, slots=True)
class Due:
    """An event of `thing` at a certain time."""

    at: int
    happens: Callable[[World, Thing], object]
    thing: Thing


def move(world: World, seconds: int) -> int:
    """Advance the clock by `seconds` and run all events in between; returns their number."""
    target = world.now() + seconds
    count = 0
    try:
        while (due := _next(world)) and due.at <= target:
            world.clock.stand_at(due.at)
            due.happens(world, due.thing)
            count += 1
        world.clock.stand_at(target)
    finally:
        world.clock.go_on()
    return count


def _next(world: World) -> Due | None:
    return min(_dues(world), key=lambda due: due.at, default=None)


def _dues(world: World) -> Iterator[Due]:
    for thing in world.all("subscription"):
        yield from _of_subscription(world, thing)
    for thing in world.all("invoice"):
        yield from _of_invoice(thing)
    for thing in world.all("checkout.session"):
        if thing["status"] == "open":
            yield Due(thing["expires_at"], expire_session, thing)


def _of_subscription(world: World, thing: Thing) -> Iterator[Due]:
    status, boundary = thing["status"], period_of(thing)[1]
    if status == "incomplete":
        yield Due(thing["created"] + INCOMPLETE_SECONDS, _expire, thing)
    if status in (*RUNNING, "trialing"):
        if thing["cancel_at"] is not None and thing["cancel_at"] <= boundary:
            yield Due(thing["cancel_at"], _end, thing)
        elif status in RUNNING:
            yield Due(boundary, _renew, thing)
        else:
            yield Due(thing["trial_end"], _end_trial, thing)
    if status == "trialing" and f"warned {thing['id']} {thing['trial_end']}" not in world.notes:
        yield Due(thing["trial_end"] - WARN_SECONDS, _warn, thing)


def _of_invoice(thing: Thing) -> Iterator[Due]:
    if not thing["auto_advance"]:
        return
    if thing["status"] == "draft" and thing["automatically_finalizes_at"]:
        yield Due(thing["automatically_finalizes_at"], open_and_collect, thing)
    if thing["status"] == "open" and thing["next_payment_attempt"]:
        yield Due(thing["next_payment_attempt"], _retry, thing)


def _renew(world: World, thing: Thing) -> None:
    """Begin the next period, with a draft invoice for it and for the usage of the last.

    A trial's usage is free. The invoices of an unpaid subscription stay drafts.
    """
    before, boundary = period_of(thing)
    previous: Thing = {"items": {"data": [dict(item) for item in thing["items"]["data"]]}}
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


def _end_trial(world: World, thing: Thing) -> None:
    behaviour = thing["trial_settings"]["end_behavior"]["missing_payment_method"]
    customer = world.get("customer", thing["customer"])
    has_card = thing["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if not has_card and behaviour == "cancel":
        end(world, thing, "cancellation_requested")
    elif not has_card and behaviour == "pause":
        change(world, "customer.subscription.paused", thing, status="paused")
    else:
        _renew(world, thing)


def _warn(world: World, thing: Thing) -> None:
    world.notes[f"warned {thing['id']} {thing['trial_end']}"] = True
    world.emit("customer.subscription.trial_will_end", thing)


def _end(world: World, thing: Thing) -> None:
    end(world, thing, "cancellation_requested", invoice_now=thing["status"] != "trialing")


def _expire(world: World, thing: Thing) -> None:
    invoice = world.get("invoice", thing["latest_invoice"])
    if invoice["status"] == "open":
        invoices.close(world, invoice, "void", "invoice.voided", "voided_at")
    thing["ended_at"] = world.now()
    change(world, "customer.subscription.updated", thing, status="incomplete_expired")


def _retry(world: World, invoice: Thing) -> None:
    invoice["next_payment_attempt"] = None
    collect(world, invoice, scheduled=True)


def expire_session(world: World, session: Thing) -> None:
    session.update(status="expired", url=None)
    world.emit("checkout.session.expired", session)
