"""Addresses of the services that functions call."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """URLs on this machine, without a trailing slash.

    `services`: the URL of each `service:<name>` in the topology's settings.
    """

    aws: str
    services: Mapping[str, str]
