"""The plan catalogue: what each plan allows, includes and costs.

This data is the only place of these figures: Stripe's products, prices and meter are created from it
(functions/billing/catalogue.py), and sign-up and billing write its limits to accounts.
"""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
GIGABYTE = 1_000_000_000
"""The unit of prices: decimal, of rows as NDJSON before compression."""

CURRENCY = "usd"

TRIAL = "trial"
"""The plan of a new account; the first log needs no card."""

TRIAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan. `bytes_per_second` counts decoded bodies.

    `monthly_cents` includes `included_gb` per billing period; each gigabyte beyond costs `cents_a_gb`,
    prorated by the byte. A plan without a price is not sold.
    """

    name: str
    title: str
    retention_days: int
    bytes_per_second: int
    included_gb: int
    monthly_cents: int = 0
    cents_a_gb: int = 0

    @property
    def sold(self) -> bool:
        return self.monthly_cents > 0


PLANS = {
    plan.name: plan
    for plan in (
        Plan(TRIAL, "Trial", retention_days=15, bytes_per_second=4 * MEBIBYTE, included_gb=50),
        Plan(
            "managed_15",
            "Managed, 15 days",
            retention_days=15,
            bytes_per_second=16 * MEBIBYTE,
            included_gb=100,
            monthly_cents=2900,
            cents_a_gb=20,
        ),
        Plan(
            "managed_30",
            "Managed, 30 days",
            retention_days=30,
            bytes_per_second=16 * MEBIBYTE,
            included_gb=100,
            monthly_cents=3900,
            cents_a_gb=28,
        ),
        Plan(
            "byoc",
            "Bring your own cloud",
            # The customer's own ClickHouse decides; we never delete rows there.
            retention_days=3650,
            bytes_per_second=32 * MEBIBYTE,
            included_gb=500,
            monthly_cents=9900,
            cents_a_gb=8,
        ),
    )
}
