"""Where the services are that functions call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """URLs of this machine, without a slash at the end."""

    aws: str
    stripe: str
