"""What a rehearsal changes in the synthesized templates, and why. Everything else is deployed as it is.

Each is an address outside of AWS or of this machine; none is a policy, a permission or a trigger.
"""

from collections.abc import Callable
from typing import Any

from rehearsal.site import Site

Template = dict[str, Any]


STRIPE_URL = "StripeUrl"
"""The output by which the operator's commands find Stripe."""


def substitute(template: Template, site: Site) -> list[str]:
    """Change `template` in place; returns the changed settings, each once."""
    changed: set[str] = set()
    for function in functions_of(template).values():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        for name, value_for in _REPLACED.items():
            if name in variables:
                variables[name] = value_for(variables[name], site)
                changed.add(name)
    if output := template.get("Outputs", {}).get(STRIPE_URL):
        output["Value"] = site.stripe
        changed.add(f"the output {STRIPE_URL}")
    return sorted(changed)


def functions_of(template: Template) -> dict[str, Any]:
    """Logical id -> resource, of our own functions: those whose handler is in `functions`."""
    return {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
        and str(resource["Properties"].get("Handler", "")).startswith("functions.")
    }


def _stripe(_value: Any, site: Site) -> Any:
    """The real address is Stripe's own; the fake Stripe is here."""
    return site.stripe


def _loopback(_value: Any, _site: Site) -> Any:
    """The customer's bucket and ClickHouse are on this machine; deployed, the egress filter rejects that."""
    return "true"


def _keys_url(value: Any, site: Site) -> Any:
    """Cognito's keys are at an https address of AWS; the emulator serves them at its own."""
    _separator, parts = value["Fn::Join"]
    pool = [part for part in parts if isinstance(part, dict) and not _pseudo_parameter(part)]
    return {"Fn::Join": ["", [f"{site.aws}/", *pool, "/.well-known/jwks.json"]]}


def _pseudo_parameter(part: dict[str, Any]) -> bool:
    return str(part.get("Ref", "")).startswith("AWS::")


_REPLACED: dict[str, Callable[[Any, Site], Any]] = {
    "ASTRALOG_STRIPE_ADDRESS": _stripe,
    "ASTRALOG_ALLOW_LOOPBACK_DESTINATIONS": _loopback,
    "ASTRALOG_IDENTITY_KEYS_URL": _keys_url,
}
