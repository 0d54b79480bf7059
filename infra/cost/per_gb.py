"""Dollars for a GB of raw logs, line by line, for requests of several sizes."""

from infra.cost.bill import PriceList
from infra.cost.usage import Traffic, usage_lines

SIZES = (10, 100, 500, 1_000, 5_000)
"""Events in a request."""


def per_gb(gb_day: float, event_bytes: int, prices: PriceList) -> list[str]:
    """Lines of a Markdown table with a column for each of SIZES, and the sum."""
    traffic = [Traffic(gb_day, size, event_bytes) for size in SIZES]
    bills = [[line.usd / each.gb_month for line in usage_lines(each, prices)] for each in traffic]
    items = [line.item for line in usage_lines(traffic[0], prices)]
    rows = [_row(item, dollars) for item, *dollars in zip(items, *bills, strict=True)]
    sizes = " | ".join(f"{size:,}" for size in SIZES)
    return [
        f"| $ a GB, by events a request | {sizes} |",
        "|---" + "|---:" * len(SIZES) + "|",
        *rows,
        _row("**total**", [sum(bill) for bill in bills]),
    ]


def _row(item: str, dollars: list[float]) -> str:
    return f"| {item} | {' | '.join(f'{each:.4f}' for each in dollars)} |"
