"""Webhook endpoints: loopback URLs only, so that no event leaves this machine."""

from urllib.parse import urlsplit

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.errors import invalid, required
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, nulls

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add(world: World, url: str, secret: str, kinds: list[str]) -> StripeObject:
    if urlsplit(url).hostname not in _LOOPBACK:
        raise invalid("The fake Stripe sends to loopback addresses only.", "url", "url_invalid")
    thing = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        **nulls("api_version application description"),
        "created": world.now(),
        "enabled_events": kinds,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    world.notes[f"secret {thing['id']}"] = secret
    return world.put(thing)


def create(world: World, call: Call) -> StripeObject:
    """Create an endpoint; only this response holds its secret."""
    given = call.only("url enabled_events description metadata")
    kinds = params.listing(given, "enabled_events")
    if not kinds:
        raise required("enabled_events")
    secret = new_id("whsec", 32)
    thing = add(world, params.needed(given, "url"), secret, kinds)
    thing.update(description=params.text(given, "description"), metadata=params.metadata(given))
    return {**thing, "secret": secret}


def update(world: World, call: Call) -> StripeObject:
    thing = world.get("webhook_endpoint", call.path["id"], in_path=True)
    given = call.only("enabled_events disabled")
    thing["enabled_events"] = params.listing(given, "enabled_events") or thing["enabled_events"]
    thing["status"] = "disabled" if params.flag(given, "disabled") else "enabled"
    return thing


def delete(world: World, call: Call) -> StripeObject:
    call.only("")
    thing = world.get("webhook_endpoint", call.path["id"], in_path=True)
    del world.tables["webhook_endpoint"][thing["id"]]
    return {"id": thing["id"], "object": "webhook_endpoint", "deleted": True}


def wanting(world: World, event: StripeObject) -> list[StripeObject]:
    """The endpoints that subscribe to an event."""
    return [
        each
        for each in world.all("webhook_endpoint")
        if each["status"] == "enabled" and {"*", event["type"]} & set(each["enabled_events"])
    ]


def list_events(world: World, call: Call) -> StripeObject:
    renamed = {{"types": "type"}.get(name, name): value for name, value in call.params.items()}
    return listed("event", "type")(world, Call(renamed, call.path, call.origin, call.address))


ROUTES: list[Route] = [
    ("POST", "/v1/webhook_endpoints", create),
    ("GET", "/v1/webhook_endpoints", listed("webhook_endpoint")),
    ("GET", "/v1/webhook_endpoints/{id}", retrieve("webhook_endpoint")),
    ("POST", "/v1/webhook_endpoints/{id}", update),
    ("DELETE", "/v1/webhook_endpoints/{id}", delete),
    ("GET", "/v1/events", list_events),
    ("GET", "/v1/events/{id}", retrieve("event")),
]
