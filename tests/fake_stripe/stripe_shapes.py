"""Stripe's published fixtures, reduced to key names and JSON types: tests/fake_stripe/stripe_shapes.json.

`python -m tests.fake_stripe.stripe_shapes <fixtures3.json>` writes the extract anew. A type is "string",
"number", "boolean", a mapping of keys, a list of the types of its elements, or "any" where the fixture has
null and so says nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any

EXTRACT = Path(__file__).with_name("stripe_shapes.json")
FIXTURES = Path(__file__).parents[3] / "shared/data/stripe/fixtures3.json"
KINDS = [
    "billing.meter",
    "billing.meter_event",
    "billing.meter_event_adjustment",
    "billing.meter_event_summary",
    "billing_portal.configuration",
    "billing_portal.session",
    "charge",
    "checkout.session",
    "customer",
    "deleted_customer",
    "deleted_product",
    "deleted_webhook_endpoint",
    "dispute",
    "event",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "item",
    "line_item",
    "payment_intent",
    "payment_method",
    "plan",
    "price",
    "product",
    "refund",
    "subscription",
    "subscription_item",
    "webhook_endpoint",
]
FREE = ("metadata", "payload")
"""Mappings whose keys are the user's own."""


def shape(value: Any, key: str = "") -> Any:
    match value:
        case None:
            return "any"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return [shape(each) for each in value[:1]]
    if key in FREE:
        return {}
    if key == "object" or (key == "data" and "object" in value):
        return {}
    return {name: shape(each, name) for name, each in sorted(value.items())}


def extract(fixtures: Path) -> dict[str, Any]:
    resources = json.loads(fixtures.read_text())["resources"]
    return {kind: shape(resources[kind]) for kind in KINDS}


def text(shapes: dict[str, Any]) -> str:
    return json.dumps(shapes, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    EXTRACT.write_text(text(extract(Path(sys.argv[1]))))
