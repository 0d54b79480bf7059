"""Cost of a quantity at a price, and proration. Amounts are whole cents."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Tier = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a charge: `units` at `unit_amount` (cents, with decimals); `tier` if there are any."""

    units: int
    unit_amount: Decimal
    amount: int
    tier: int | None = None


def parts(price: dict[str, Any], tiers: list[Tier], quantity: int) -> list[Part]:
    """The lines of `quantity`: one, or one for each tier that graduated pricing reaches."""
    if price["billing_scheme"] == "tiered":
        graduated = price["tiers_mode"] == "graduated"
        return _graduated(tiers, quantity) if graduated else [_volume(tiers, quantity)]
    unit = Decimal(price["unit_amount_decimal"])
    units = _transformed(price.get("transform_quantity"), quantity)
    return [Part(quantity, unit, cents(unit * units))]


def total(price: dict[str, Any], tiers: list[Tier], quantity: int) -> int:
    return sum(part.amount for part in parts(price, tiers, quantity))


def share(amount: int, start: int, end: int, at: int) -> int:
    """The part of `amount` for the rest of start..end after `at`."""
    remaining = end - min(max(at, start), end)
    return cents(Decimal(amount) * remaining / (end - start))


def cents(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _graduated(tiers: list[Tier], quantity: int) -> list[Part]:
    found, below = [], 0
    for number, tier in enumerate(tiers, start=1):
        bound = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if number == 1 or bound > below:
            found.append(_part(tier, max(0, bound - below), number))
        below = max(below, bound)
    return found


def _volume(tiers: list[Tier], quantity: int) -> Part:
    number, tier = next(
        (n, each) for n, each in enumerate(tiers, 1) if each["up_to"] is None or quantity <= each["up_to"]
    )
    return _part(tier, quantity, number)


def _part(tier: Tier, units: int, number: int) -> Part:
    unit = Decimal(tier["unit_amount_decimal"] or 0)
    flat = Decimal(tier["flat_amount_decimal"] or 0)
    return Part(units, unit, cents(unit * units + flat), number)


def _transformed(transform: dict[str, Any] | None, quantity: int) -> int:
    if transform is None:
        return quantity
    by: int = transform["divide_by"]
    divided, rest = divmod(quantity, by)
    return divided + (1 if rest and transform["round"] == "up" else 0)
