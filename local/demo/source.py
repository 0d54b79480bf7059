"""What the demo sends: events, and where they come from."""

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
"""One event as POST /v1/drain takes it."""


@dataclass(frozen=True, slots=True)
class Source:
    """`origin` in words a person understands: a file's path, or what made the lines up."""

    origin: str
    events: list[Event] = field(repr=False)
