"""Billing meters, their events, and the sums of these.

An event counts once: its identifier is rejected for the next 24 hours and accepted again after that, as in
Stripe, so a sender that retries later must itself know what it has sent. The response is an error, not a
second 200: so answers the real one. Stripe checks customer and value later, in a report; here it is at once.
"""

from decimal import Decimal, InvalidOperation

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, page, retrieve
from fake_stripe.errors import ApiError, invalid
from fake_stripe.ids import new_id
from fake_stripe.periods import DAY_SECONDS
from fake_stripe.world import StripeObject, World, change

MAX_AGE_SECONDS = 35 * DAY_SECONDS
MAX_AHEAD_SECONDS = 300
UNIQUE_SECONDS = DAY_SECONDS
_WINDOWS = {"hour": 3600, "day": DAY_SECONDS}


def create(world: World, call: Call) -> StripeObject:
    given = call.only("display_name event_name default_aggregation customer_mapping value_settings")
    name = params.needed(given, "event_name")
    if any(each["event_name"] == name and each["status"] == "active" for each in world.all("billing.meter")):
        raise invalid(f"An active meter with event name {name} already exists.", "event_name")
    formula = params.one_of(params.mapping(given, "default_aggregation"), "formula", "sum count last", "sum")
    customer = params.mapping(given, "customer_mapping").get("event_payload_key", "stripe_customer_id")
    thing = {
        "id": new_id("mtr"),
        "object": "billing.meter",
        "created": world.now(),
        "customer_mapping": {"event_payload_key": customer, "type": "by_id"},
        "default_aggregation": {"formula": formula},
        "display_name": params.needed(given, "display_name"),
        "event_name": name,
        "event_time_window": None,
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": world.now(),
        "value_settings": {
            "event_payload_key": params.mapping(given, "value_settings").get("event_payload_key", "value")
        },
    }
    world.emit("billing.meter.created", world.put(thing))
    return thing


def update(world: World, call: Call) -> StripeObject:
    thing = world.get("billing.meter", call.path["id"], in_path=True)
    new = {"display_name": params.needed(call.only("display_name"), "display_name")}
    change(world, "billing.meter.updated", thing, **new, updated=world.now())
    return thing


def deactivate(world: World, call: Call) -> StripeObject:
    return _turn(world, call, "inactive", "billing.meter.deactivated", world.now())


def reactivate(world: World, call: Call) -> StripeObject:
    return _turn(world, call, "active", "billing.meter.reactivated", None)


def record(world: World, call: Call) -> StripeObject:
    """Record one meter event."""
    given = call.only("event_name payload identifier timestamp")
    meter = _meter_of(world, params.needed(given, "event_name"))
    payload = params.mapping(given, "payload")
    at = _timestamp(world, given)
    customer = payload.get(meter["customer_mapping"]["event_payload_key"])
    if customer is None:
        raise invalid("The payload names no customer.", "payload", "meter_event_no_customer_defined")
    world.get("customer", customer, "payload")
    _value(payload, meter)
    identifier = params.text(given, "identifier") or new_id("", 24)[1:]
    _once(world, identifier)
    thing = {
        "object": "billing.meter_event",
        "created": world.now(),
        "event_name": meter["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": payload,
        "timestamp": at,
    }
    world.tables.setdefault("billing.meter_event", {})[new_id("mevt")] = thing
    return thing


def adjust(world: World, call: Call) -> StripeObject:
    """Cancel an event by its identifier, within 24 hours."""
    given = call.only("event_name type cancel")
    identifier = params.needed(params.mapping(given, "cancel"), "identifier")
    events = world.tables.get("billing.meter_event", {})
    since = world.now() - UNIQUE_SECONDS
    for key, event in events.items():
        if (event["identifier"], event["event_name"]) == (identifier, given.get("event_name")):
            if event["created"] <= since:
                break
            world.notes[f"seen {identifier}"] = event["created"]
            del events[key]
            return {
                "object": "billing.meter_event_adjustment",
                "cancel": {"identifier": identifier},
                "event_name": event["event_name"],
                "livemode": False,
                "status": "complete",
                "type": "cancel",
            }
    raise invalid("No such event within the last 24 hours.", "cancel[identifier]", "resource_missing")


def summaries(world: World, call: Call) -> StripeObject:
    """One sum for the time span, or one per window, newest first; windows without events are omitted."""
    given = call.only("customer start_time end_time value_grouping_window limit starting_after ending_before")
    meter = world.get("billing.meter", call.path["id"], in_path=True)
    customer = world.get("customer", params.needed(given, "customer"), "customer")["id"]
    start, end = (params.whole(given, name) or 0 for name in ("start_time", "end_time"))
    window = params.text(given, "value_grouping_window")
    size = _WINDOWS[window] if window in _WINDOWS else end - start
    if start >= end or start % 60 or end % 60 or (window and (start % size or end % size)):
        raise invalid("start_time and end_time must be in order and at the windows' bounds.", "start_time")
    found = [
        _summary(world, meter, customer, (begin, begin + size))
        for begin in range(start, end, size)
        if events_of(world, meter, customer, begin, begin + size)
    ]
    return page(call, found)


def events_of(world: World, meter: StripeObject, customer: str, start: int, end: int) -> list[StripeObject]:
    """A customer's events of a meter with start <= timestamp < end, in order of arrival."""
    key = meter["customer_mapping"]["event_payload_key"]
    return [
        event
        for event in world.all("billing.meter_event")
        if event["event_name"] == meter["event_name"]
        and event["payload"][key] == customer
        and start <= event["timestamp"] < end
    ]


def usage(world: World, meter: StripeObject, customer: str, start: int, end: int) -> Decimal:
    events = events_of(world, meter, customer, start, end)
    values = [_value(event["payload"], meter) for event in events]
    match meter["default_aggregation"]["formula"]:
        case "count":
            return Decimal(len(values))
        case "last":
            newest = sorted(zip((each["timestamp"] for each in events), values, strict=True))[-1:]
            return newest[0][1] if newest else Decimal(0)
    return sum(values, Decimal(0))


def _summary(world: World, meter: StripeObject, customer: str, span: tuple[int, int]) -> StripeObject:
    value = usage(world, meter, customer, *span)
    return {
        "id": f"mtrusg_{meter['id'][4:16]}{customer[4:12]}{span[0]}",
        "object": "billing.meter_event_summary",
        "aggregated_value": int(value) if value == int(value) else float(value),
        "end_time": span[1],
        "livemode": False,
        "meter": meter["id"],
        "start_time": span[0],
    }


def _turn(world: World, call: Call, status: str, kind: str, at: int | None) -> StripeObject:
    call.only("")
    thing = world.get("billing.meter", call.path["id"], in_path=True)
    change(world, kind, thing, status=status, status_transitions={"deactivated_at": at})
    return thing


def _meter_of(world: World, name: str) -> StripeObject:
    named = [each for each in world.all("billing.meter") if each["event_name"] == name]
    for each in named:
        if each["status"] == "active":
            return each
    code = "archived_meter" if named else "no_meter"
    raise invalid(f"No active meter found for event name {name}.", "event_name", code)


def _timestamp(world: World, given: StripeObject) -> int:
    at = params.whole(given, "timestamp", world.now()) or 0
    if at < world.now() - MAX_AGE_SECONDS:
        raise invalid(
            "The timestamp must be within the past 35 calendar days.",
            "timestamp",
            "timestamp_too_far_in_past",
        )
    if at > world.now() + MAX_AHEAD_SECONDS:
        raise invalid(
            "The timestamp must be at most 5 minutes in the future.", "timestamp", "timestamp_in_future"
        )
    return at


def _value(payload: StripeObject, meter: StripeObject) -> Decimal:
    if meter["default_aggregation"]["formula"] == "count":
        return Decimal(1)
    text = payload.get(meter["value_settings"]["event_payload_key"])
    if text is None:
        raise invalid("The payload holds no value.", "payload", "meter_event_value_not_found")
    try:
        value = Decimal(text)
    except (InvalidOperation, TypeError):
        raise invalid(
            "The payload's value is not a number.", "payload", "meter_event_invalid_value"
        ) from None
    if not value.is_finite() or value != int(value):
        raise invalid("The payload's value is not a whole number.", "payload", "meter_event_invalid_value")
    return value


def _once(world: World, identifier: str) -> None:
    seen: int | None = world.notes.get(f"seen {identifier}")
    if seen is not None and world.now() < seen + UNIQUE_SECONDS:
        raise ApiError(
            400, f"An event already exists with identifier {identifier}.", code="duplicate_meter_event"
        )
    world.notes[f"seen {identifier}"] = world.now()


ROUTES: list[Route] = [
    ("POST", "/v1/billing/meters", create),
    ("GET", "/v1/billing/meters", listed("billing.meter", "status")),
    ("GET", "/v1/billing/meters/{id}", retrieve("billing.meter")),
    ("POST", "/v1/billing/meters/{id}", update),
    ("POST", "/v1/billing/meters/{id}/deactivate", deactivate),
    ("POST", "/v1/billing/meters/{id}/reactivate", reactivate),
    ("GET", "/v1/billing/meters/{id}/event_summaries", summaries),
    ("POST", "/v1/billing/meter_events", record),
    ("POST", "/v1/billing/meter_event_adjustments", adjust),
]
