"""The whole state: objects by kind and id, the clock, the settings, and the listeners for events."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from fake_stripe import API_VERSION
from fake_stripe.clock import Clock
from fake_stripe.errors import missing
from fake_stripe.ids import new_id

StripeObject = dict[str, Any]


@dataclass(slots=True)
class Settings:
    """Settings of Stripe's own dashboard; `POST /_settings` changes them.

    `retry_days`: days after an invoice's first failed payment at which the payment is retried.
    `after_retries`: the subscription's status after that: "cancel", "unpaid" or "past_due".
    `uncollectible_after_retries`: whether the invoice becomes uncollectible as well.
    `draft_seconds`: how long a renewal's invoice stays a draft.
    `portal_is_set_up`: the portal's settings were saved in the dashboard, so sessions need no configuration.
    `portal_changes_any_plan`: let the portal change subscriptions that are metered or have several items,
    which Stripe's own portal does not.
    """

    retry_days: list[float] = field(default_factory=lambda: [1, 3, 5, 7])
    after_retries: str = "cancel"
    uncollectible_after_retries: bool = False
    draft_seconds: int = 3600
    portal_is_set_up: bool = False
    portal_changes_any_plan: bool = False


@dataclass(slots=True)
class Request:
    """The request that causes the current events; both fields are None for timed events."""

    id: str | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class World:
    """One account. Single-threaded: a request completes before the next begins.

    `notes` holds state that objects do not show: how a card answers, the tiers of a price, from when an item
    counts usage. `listeners` receive every event in order.
    """

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    tables: dict[str, dict[str, StripeObject]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    request: Request = field(default_factory=Request)
    listeners: list[Callable[[StripeObject], None]] = field(default_factory=list)

    def now(self) -> int:
        return self.clock.now()

    def put(self, thing: StripeObject) -> StripeObject:
        self.tables.setdefault(thing["object"], {})[thing["id"]] = thing
        return thing

    def all(self, kind: str) -> list[StripeObject]:
        """All objects of a kind, in order of creation."""
        return list(self.tables.get(kind, {}).values())

    def find(self, kind: str, which: str | None) -> StripeObject | None:
        return self.tables.get(kind, {}).get(which or "")

    def get(self, kind: str, which: str | None, param: str = "id", *, in_path: bool = False) -> StripeObject:
        thing = self.find(kind, which)
        if thing is None:
            raise missing(kind.replace("_", " "), str(which), param, in_path=in_path)
        return thing

    def anything(self, which: str) -> StripeObject | None:
        """An object of any kind by its id."""
        return next((table[which] for table in self.tables.values() if which in table), None)

    def emit(self, kind: str, thing: StripeObject, previous: StripeObject | None = None) -> None:
        """Store an event with the object as it is now, and call the listeners."""
        data = {"object": deepcopy(thing), **({"previous_attributes": previous} if previous else {})}
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(self.all("webhook_endpoint")),
            "request": {"id": self.request.id, "idempotency_key": self.request.idempotency_key},
            "type": kind,
        }
        self.put(event)
        for listener in self.listeners:
            listener(event)

    def rehearsal(self) -> "World":
        """A copy for trying changes; no listener is called."""
        copy = World(self.settings, self.clock)
        for kind, table in self.tables.items():
            # Meter events are immutable, and there are many.
            copy.tables[kind] = dict(table) if kind == "billing.meter_event" else deepcopy(table)
        copy.tables["event"] = {}
        copy.notes = deepcopy(self.notes)
        return copy


def nulls(names: str) -> StripeObject:
    """Keys that are always present and null here."""
    return dict.fromkeys(names.split())


def change(world: World, kind: str, thing: StripeObject, **new: Any) -> None:
    """Set fields that differ and emit one event; no event if none differs."""
    previous = {name: deepcopy(thing.get(name)) for name, value in new.items() if thing.get(name) != value}
    thing.update(new)
    if previous:
        world.emit(kind, thing, previous)
