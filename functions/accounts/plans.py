"""What each plan allows: how long logs live and how fast they may come in."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """`bytes_per_second` counts decoded bodies."""

    retention_days: int
    bytes_per_second: int


TRIAL = "trial"
"""What an account starts on; the first log needs no card."""

PLANS = {
    TRIAL: Plan(retention_days=15, bytes_per_second=4 * MEBIBYTE),
    "managed_15": Plan(retention_days=15, bytes_per_second=16 * MEBIBYTE),
    "managed_30": Plan(retention_days=30, bytes_per_second=16 * MEBIBYTE),
    # The customer's own ClickHouse decides; ours never deletes there.
    "byoc": Plan(retention_days=3650, bytes_per_second=32 * MEBIBYTE),
}
