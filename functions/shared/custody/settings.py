"""What a function is told so that it can reach customers' own clouds; light, for those that rarely do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CustodySettings:
    """`allow_loopback_destinations`: only where customers' clouds are on this machine too."""

    destinations_table: str
    shards_table: str
    credentials_key: str
    allow_loopback_destinations: bool
