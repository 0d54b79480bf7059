"""Settings of functions that reach BYOC destinations; light, for functions that rarely do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByocSettings:
    """`allow_loopback_destinations`: only where customers' servers run on this machine, too."""

    destinations_table: str
    shards_table: str
    credentials_key: str
    allow_loopback_destinations: bool
