"""Where the services are that functions call."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """URLs of this machine, without a slash at the end.

    `services`: that of each `service:<name>` in the topology's settings.
    """

    aws: str
    services: Mapping[str, str]
