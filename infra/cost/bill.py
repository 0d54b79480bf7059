"""A bill: lines of a quantity and a price, from one file of dated prices."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

PRICES = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for `per` units; `source`: second-hand or memory."""

    usd: float
    per: int
    unit: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by name, of one region on one day."""

    day: date
    region: str
    prices: Mapping[str, Price]

    def line(self, item: str, quantity: float, name: str) -> "Line":
        """`quantity` units of the price `name`; raises KeyError if the list lacks it."""
        return Line(item, quantity, name, self.prices[name])


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill, for a month of 30 days."""

    item: str
    quantity: float
    price_name: str
    price: Price

    @property
    def usd(self) -> float:
        return self.quantity * self.price.usd / self.price.per


def price_list(path: Path = PRICES) -> PriceList:
    """Read the prices."""
    found = tomllib.loads(path.read_text())
    prices = {name: Price(**price) for name, price in found["prices"].items()}
    return PriceList(found["date"], found["region"], prices)


def total(lines: Iterable[Line]) -> float:
    """Dollars a month."""
    return sum(line.usd for line in lines)


def as_text(title: str, lines: Iterable[Line]) -> list[str]:
    """Lines of a Markdown table with the sum."""
    every = list(lines)
    rows = [
        f"| {line.item} | {line.quantity:,.{0 if line.quantity >= 1 else 2}f} | "
        f"{line.price.usd:g} for {line.price.per:,} | {line.usd:,.2f} |"
        for line in every
    ]
    return [
        f"| {title} | quantity a month | $ | $ a month |",
        "|---|---:|---:|---:|",
        *rows,
        f"| **total** | | | **{total(every):,.2f}** |",
    ]


def notes(lines: Iterable[Line]) -> list[str]:
    """What the prices of `lines` do not include, one list item each."""
    noted = {line.item: line.price.note for line in lines if line.price.note}
    return [f"- {item}: {note}" for item, note in noted.items()]


def as_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Each line with its price and the price's source."""
    return [
        {
            "item": line.item,
            "quantity": line.quantity,
            "price": line.price_name,
            "usd_per_unit": line.price.usd / line.price.per,
            "source": line.price.source,
            "usd_a_month": line.usd,
        }
        for line in lines
    ]
