"""What the demo sends: events and their origin."""

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
"""One event as POST /v1/drain accepts it."""


@dataclass(frozen=True, slots=True)
class Source:
    """`origin` in plain words: a file's path, or the generator of the lines."""

    origin: str
    events: list[Event] = field(repr=False)
