"""The account whose events the views of a search show."""

import time
from dataclasses import dataclass

TRACE = "716bc6d521f31dc3a1331812f3d220dd"
ORDERS = 240
LONG = "x" * 1_000_000
HOSTILE = "<img src=x onerror='window.broken = 1'> \x1b[31mred\x1b[0m\x1b[2J \u202eevil\u200b"


@dataclass(frozen=True)
class Owner:
    """An account with events; `key` sends more of them."""

    email: str
    key: str


def events() -> list[dict[str, object]]:
    now = time.time()
    special: list[dict[str, object]] = [
        {"message": HOSTILE, "service": "hostile", "level": "warn", "timestamp": now - 2},
        {"message": LONG, "service": "long", "level": "warn", "timestamp": now - 3},
    ]
    traced: list[dict[str, object]] = [
        {
            "message": message,
            "service": service,
            "level": level,
            "timestamp": now - 60 + at,
            "trace_id": TRACE,
            "span_id": span,
            "metadata": {"order": 567831, "duration_ms": 40},
        }
        for at, (service, span, level, message) in enumerate(
            (
                ("web", "a1", "info", "POST /pay began"),
                ("payment", "b2", "info", "asking the bank"),
                ("payment", "b2", "error", "payment 567831 declined by the bank"),
                ("web", "a1", "info", "POST /pay answered 402"),
            )
        )
    ]
    orders: list[dict[str, object]] = [
        {
            "message": f"order {number} shipped",
            "service": ("checkout", "web")[number % 2],
            "level": ("info", "debug")[number % 3 == 0],
            "timestamp": now - 70 - number * 10,
            "metadata": {"region": ("eu", "us")[number % 4 == 0], "took": number},
        }
        for number in range(ORDERS)
    ]
    return [*special, *traced, *orders]
