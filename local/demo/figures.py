"""The demo's result: four counts that must be equal, and the speed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """`found` counts the lines that a search returned as they were sent.

    `ingest_seconds`: from the first request to the last answer. `sync_seconds`: from the first request until
    all lines are in ClickHouse. `searches`: name -> number of events found.
    """

    sources: Mapping[str, int]
    sent: int
    accepted: int
    rejected: int
    stored: int
    found: int
    requests: int
    retries: int
    wire_bytes: int
    ingest_seconds: float
    sync_seconds: float
    paging_seconds: float
    total_seconds: float
    searches: Mapping[str, int]

    @property
    def differences(self) -> list[str]:
        """One sentence for each wrong count; empty if all are right."""
        counts = {"accepted": self.accepted, "stored": self.stored, "found": self.found}
        differ = [
            f"{self.sent:,} lines were sent, but {count:,} {name}"
            for name, count in counts.items()
            if count != self.sent
        ]
        return differ + [f"the search '{name}' found nothing" for name, n in self.searches.items() if not n]

    @property
    def ingested_a_second(self) -> float:
        return self.accepted / self.ingest_seconds

    @property
    def synced_a_second(self) -> float:
        return self.stored / self.sync_seconds

    def as_json(self) -> dict[str, Any]:
        """Rounded figures and those derived from them."""
        rates = {
            "ingested_a_second": self.ingested_a_second,
            "synced_a_second": self.synced_a_second,
        }
        values = {**asdict(self), **rates}
        rounded = {name: round(each, 2) if isinstance(each, float) else each for name, each in values.items()}
        return {**rounded, "complete": not self.differences, "differences": self.differences}
