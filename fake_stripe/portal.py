"""Billing portal sessions, and configurations, which list the permitted actions.

The page's content and its buttons' actions are in `fake_stripe.portal_actions`.
"""

from typing import Any

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.errors import invalid
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, nulls


def create(world: World, call: Call) -> StripeObject:
    given = call.only("customer return_url configuration locale")
    customer = world.get("customer", params.needed(given, "customer"), "customer")
    which = params.text(given, "configuration") or default_configuration(world)["id"]
    configuration = world.get("billing_portal.configuration", which, "configuration")
    secret = new_id("test", 40)
    session = {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": world.now(),
        "customer": customer["id"],
        **nulls("customer_account flow locale on_behalf_of"),
        "livemode": False,
        "return_url": params.text(given, "return_url") or configuration["default_return_url"],
        "url": f"{call.origin}/portal/{secret}",
    }
    world.put(session)
    world.notes[f"portal {secret}"] = session["id"]
    return session


def configure(world: World, call: Call) -> StripeObject:
    """Create a configuration, or change the one in the path."""
    given = call.only("features business_profile default_return_url metadata active name")
    old = call.path.get("id")
    thing = world.get("billing_portal.configuration", old, in_path=True) if old else _configuration(world)
    for name in ("features", "business_profile"):
        thing[name] = _merged(thing[name], params.mapping(given, name))
    for name in ("default_return_url", "name"):
        if name in given:
            thing[name] = params.text(given, name)
    thing.update(metadata=params.metadata(given, thing["metadata"]), updated=world.now())
    thing["active"] = params.flag(given, "active", default=thing["active"])
    kind = "billing_portal.configuration.updated" if old else "billing_portal.configuration.created"
    world.emit(kind, world.put(thing))
    return thing


def default_configuration(world: World) -> StripeObject:
    for thing in world.all("billing_portal.configuration"):
        if thing["is_default"]:
            return thing
    if not world.settings.portal_is_set_up:
        raise invalid(
            "No configuration provided and your test mode default configuration has not been created. "
            "Provide a configuration or create your default by saving your customer portal settings."
        )
    return world.put({**_configuration(world), "is_default": True})


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    if isinstance(old, bool):
        if new not in ("true", "false"):
            raise invalid(f"Invalid boolean: {new}", "features")
        return new == "true"
    return new or None


def _configuration(world: World) -> StripeObject:
    return {
        "id": new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        **nulls("application default_return_url name"),
        "business_profile": nulls("headline privacy_policy_url terms_of_service_url"),
        "created": world.now(),
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": False},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": []},
                "enabled": True,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_pause": {
                "duration": {"interval_options": [], "type": "indefinite"},
                "enabled": False,
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": ["price"],
                "enabled": True,
                "products": [],
                "proration_behavior": "create_prorations",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "updated": world.now(),
    }


ROUTES: list[Route] = [
    ("POST", "/v1/billing_portal/sessions", create),
    ("POST", "/v1/billing_portal/configurations", configure),
    ("GET", "/v1/billing_portal/configurations", listed("billing_portal.configuration", "active is_default")),
    ("GET", "/v1/billing_portal/configurations/{id}", retrieve("billing_portal.configuration")),
    ("POST", "/v1/billing_portal/configurations/{id}", configure),
]
