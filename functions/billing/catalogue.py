"""Create Stripe's products, prices, meter and portal from the catalogue; idempotent.

A product has its plan's name in its id; a price is found by its lookup key. The amount of a Stripe price
never changes: a new amount is a new price, which takes over the lookup key, and the old price is archived.
Existing subscriptions continue to use the old price. Each step can fail: the next run does the remaining
steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from functions.billing.stripe_contract import Fields, Kind, StripeApi, StripeObject
from functions.billing.subscriptions.subscription import product_of
from functions.shared.errors import PermanentError
from functions.shared.plans import CURRENCY, GIGABYTE, PLANS, Plan

METER_EVENT = "astralog_bytes"
CUSTOMER_KEY, VALUE_KEY = "stripe_customer_id", "value"

PORTAL_MARK = {"astralog": "portal"}

PORTAL_FEATURES = {
    "customer_update": {"enabled": False},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end", "proration_behavior": "none"},
    # Stripe's portal does not change plans that are billed by usage: POST /v1/billing/plan does.
    "subscription_update": {"enabled": False},
}


class CatalogueError(PermanentError):
    """Stripe lacks an object of the catalogue: `python -m operate sync-catalogue` creates it."""


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """One change at Stripe: of the object `which`, or a new one if it is empty; `says` describes it for
    people."""

    kind: Kind
    which: str
    fields: Fields
    says: str


def flat_key(plan: str) -> str:
    """Lookup key of a plan's monthly price."""
    return f"astralog_{plan}_month"


def usage_key(plan: str) -> str:
    """Lookup key of a plan's usage price."""
    return f"astralog_{plan}_bytes"


def sync(
    stripe: StripeApi, *, dry_run: bool = False, plans: Sequence[Plan] | None = None
) -> list[CatalogueChange]:
    """Make Stripe's catalogue equal to ours; returns the changes made, or to make in a dry run."""
    sold = [plan for plan in (plans or PLANS.values()) if plan.sold]
    done: list[CatalogueChange] = []
    for steps in (_meter_and_products, _prices, _left_over, _portal):
        # Evaluated step by step: a price needs the id of a meter that was created just before.
        for step in list(steps(stripe, sold)):
            if not dry_run:
                _take(stripe, step)
            done.append(step)
    return done


def prices_of(stripe: StripeApi, plan: str) -> tuple[str, str]:
    """The ids of a plan's monthly price and of its usage price.

    Raises
    ------
    CatalogueError: Stripe does not have them.
    """
    keys = [flat_key(plan), usage_key(plan)]
    found = {each["lookup_key"]: each["id"] for each in stripe.listed("price", lookup_keys=keys, active=True)}
    if set(found) != set(keys):
        raise CatalogueError(f"Stripe has no prices of {plan}")
    return found[keys[0]], found[keys[1]]


def portal_of(stripe: StripeApi) -> str:
    """The id of the portal's configuration; raises CatalogueError."""
    for each in stripe.listed("portal", active=True):
        if _marked(each):
            return str(each["id"])
    raise CatalogueError("Stripe has no configuration of our portal")


def meter_of(stripe: StripeApi) -> str:
    """The id of the meter of stored bytes; raises CatalogueError."""
    meter = _meter(stripe)
    if meter is None:
        raise CatalogueError("Stripe has no meter of stored bytes")
    return str(meter["id"])


def _take(stripe: StripeApi, step: CatalogueChange) -> None:
    if step.which:
        stripe.update(step.kind, step.which, step.fields)
    else:
        stripe.create(step.kind, step.fields)


def _meter_and_products(stripe: StripeApi, plans: Sequence[Plan]) -> Iterator[CatalogueChange]:
    if _meter(stripe) is None:
        fields = {
            "display_name": "Stored bytes",
            "event_name": METER_EVENT,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": CUSTOMER_KEY},
            "value_settings": {"event_payload_key": VALUE_KEY},
        }
        yield CatalogueChange("meter", "", fields, f"make the meter {METER_EVENT}")
    ids = [product_of(each.name) for each in plans]
    there = {each["id"]: each for each in stripe.listed("product", ids=ids)}
    for plan in plans:
        which = product_of(plan.name)
        wanted = {"name": f"AstraLog {plan.title}", "active": True}
        if which not in there:
            yield CatalogueChange("product", "", {"id": which, **wanted}, f"make the product {which}")
        elif any(there[which][name] != value for name, value in wanted.items()):
            yield CatalogueChange("product", which, wanted, f"change the product {which}")


def _prices(stripe: StripeApi, plans: Sequence[Plan]) -> Iterator[CatalogueChange]:
    meter = _meter(stripe)
    there = {each["lookup_key"]: each for each in _all_prices(stripe, plans)}
    for plan in plans:
        for fields in (_flat(plan), _usage(plan, meter["id"] if meter else "")):
            key = fields["lookup_key"]
            if key not in there:
                yield CatalogueChange("price", "", fields, f"make the price {key}")
            elif not _same_price(there[key], fields):
                yield CatalogueChange(
                    "price", "", {**fields, "transfer_lookup_key": True}, f"make the price {key} anew"
                )


def _left_over(stripe: StripeApi, plans: Sequence[Plan]) -> Iterator[CatalogueChange]:
    """Active prices of our products without a current lookup key."""
    keys = {key for plan in plans for key in (flat_key(plan.name), usage_key(plan.name))}
    for each in _all_prices(stripe, plans):
        if each["active"] and each["lookup_key"] not in keys:
            yield CatalogueChange("price", each["id"], {"active": False}, f"archive the price {each['id']}")


def _portal(stripe: StripeApi, _plans: Sequence[Plan]) -> Iterator[CatalogueChange]:
    fields = {"features": PORTAL_FEATURES, "metadata": PORTAL_MARK}
    there = next((each for each in stripe.listed("portal", active=True) if _marked(each)), None)
    if there is None:
        yield CatalogueChange("portal", "", fields, "make the portal's configuration")
    elif not _holds(there["features"], PORTAL_FEATURES):
        yield CatalogueChange("portal", there["id"], fields, "change the portal's configuration")


def _flat(plan: Plan) -> dict[str, Any]:
    return {
        "lookup_key": flat_key(plan.name),
        "product": product_of(plan.name),
        "currency": CURRENCY,
        "unit_amount": plan.monthly_cents,
        "recurring": {"interval": "month", "usage_type": "licensed"},
    }


def _usage(plan: Plan, meter: str) -> dict[str, Any]:
    """The included volume is the first tier, at no charge; above it each byte costs a fraction of a cent."""
    a_byte = Decimal(plan.cents_a_gb) / GIGABYTE
    return {
        "lookup_key": usage_key(plan.name),
        "product": product_of(plan.name),
        "currency": CURRENCY,
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [
            {"up_to": plan.included_gb * GIGABYTE, "unit_amount_decimal": "0"},
            {"up_to": "inf", "unit_amount_decimal": f"{a_byte:f}"},
        ],
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
    }


def _same_price(there: StripeObject, wanted: Fields) -> bool:
    same = all(there[name] == wanted[name] for name in ("product", "currency"))
    # An archived price is found by its key, but cannot be sold.
    return (
        same
        and there["active"]
        and _holds(there["recurring"], wanted["recurring"])
        and (
            _tiers(there["tiers"]) == _tiers(wanted["tiers"])
            if "tiers" in wanted
            else there["unit_amount"] == wanted["unit_amount"]
        )
    )


def _tiers(tiers: Sequence[StripeObject]) -> list[tuple[int | None, Decimal]]:
    return [
        (None if each["up_to"] in (None, "inf") else int(each["up_to"]), Decimal(each["unit_amount_decimal"]))
        for each in tiers
    ]


def _all_prices(stripe: StripeApi, plans: Sequence[Plan]) -> list[StripeObject]:
    found = [stripe.listed("price", product=product_of(each.name), expand=["data.tiers"]) for each in plans]
    return [price for some in found for price in some]


def _meter(stripe: StripeApi) -> StripeObject | None:
    active = stripe.listed("meter", status="active")
    return next((each for each in active if each["event_name"] == METER_EVENT), None)


def _marked(portal: StripeObject) -> bool:
    return bool((portal["metadata"] or {}).items() >= PORTAL_MARK.items())


def _holds(there: Any, wanted: Any) -> bool:
    """Whether `wanted` is part of `there`."""
    if isinstance(wanted, dict):
        return all(_holds((there or {}).get(name), value) for name, value in wanted.items())
    return bool(there == wanted)
