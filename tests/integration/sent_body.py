"""A body and what it is sent with."""

from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A body and the headers it is sent with."""

    name: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
