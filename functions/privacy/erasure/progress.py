"""The progress of an erasure: pure values; functions.privacy.erasure.moves decides the next move.

An erasure of an account first *stops* what could bring more: each stop is done once. Then it *sweeps*: round
by round it goes through all places, in their order, and removes what it finds. It is verified by a round that
began after the last time at which anything could have arrived, and found nothing in any place.
An erasure of a person has no stops.

Every change of a Progress is stored before the next move is made. Steps that a run did but did not store
before it died are repeated, and find nothing. Each count is stored before the removal, so that data whose
removal was not recorded is counted nevertheless.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

COPIES = frozenset({"archives", "search_exports", "own_search_exports"})
"""Places that hold copies of data in the other places."""

UNCOUNTED = frozenset({"last_file", "traces"})
"""Places whose counts are not reported: they hold no row that could be read or written again."""


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """The names of stops and places, in their order.

    `quiet_at`: Unix seconds; from then on nothing new can arrive. None where stops ensure that: then it is
    `settle_seconds` after the last stop. Where there are no stops, it is as long after the last removal: a
    process that had read the removed data may still write it somewhere.
    """

    stops: tuple[str, ...]
    places: tuple[str, ...]
    quiet_at: float | None = None
    settle_seconds: float = 0

    def quiet_from(self, progress: "ErasureProgress") -> float:
        if self.quiet_at is not None:
            return max(self.quiet_at, (progress.removed_at or 0.0) + self.settle_seconds)
        return (progress.stopped_at or 0.0) + self.settle_seconds


@dataclass(frozen=True, slots=True)
class PeopleIds:
    """The people of an account, as ids and digests of addresses: unreadable once they are erased."""

    subjects: tuple[str, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasureProgress:
    """Times in Unix seconds.

    `stopped`: the stops that are done, all of them since `stopped_at`. For the round that began at
    `began_at`: `found`, the count of each place, which has been removed, and `left`, the places that could
    not be emptied, with the reason; `waits_for` is `left` of the round before. `pending`: what is being
    removed. `removed`: the total of all rounds. `marks`: what places returned. `removed_at`: when rows or the
    like were last removed; copies from before then may hold them. `idle`: rounds since something was removed.
    `resume_at`: the next move is not made before then. `subjects` and `digests`: ids of the account's people,
    and digests of their addresses, which cannot be read any more once the people are erased.
    """

    stopped: tuple[str, ...] = ()
    stopped_at: float | None = None
    began_at: float | None = None
    rounds: int = 0
    waits_for: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    removed_at: float | None = None
    subjects: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    idle: int = 0
    resume_at: float = 0.0

    def after_stop(self, stop: str, of: ErasurePlan, now: float) -> "ErasureProgress":
        stopped = (*self.stopped, stop)
        last = set(of.stops) <= set(stopped)
        return replace(self, stopped=stopped, stopped_at=now if last else None)

    def knowing(self, people: PeopleIds) -> "ErasureProgress":
        return replace(self, subjects=people.subjects, digests=people.digests)

    def after_round(self, now: float, resume_at: float) -> "ErasureProgress":
        """The next round begins; `idle` counts the rounds without a removal."""
        removed_some = any(self.found.values())
        return replace(
            self,
            found={},
            left={},
            waits_for=self.left,
            began_at=None,
            idle=0 if removed_some else self.idle + 1,
            resume_at=max(now, resume_at),
        )

    def beginning(self, now: float) -> "ErasureProgress":
        return replace(self, began_at=now, rounds=self.rounds + 1)

    def expecting(self, place: str, count: int) -> "ErasureProgress":
        """`count` are about to be removed, or were when a run died."""
        return replace(self, pending={**self.pending, place: max(count, self.pending.get(place, 0))})

    def swept(self, place: str, now: float, mark: str | None = None) -> "ErasureProgress":
        """The place is now empty; its pending count is removed."""
        gone = self.pending.get(place, 0)
        source = gone and place not in COPIES | UNCOUNTED
        return replace(
            self,
            found={**self.found, place: gone},
            pending={name: count for name, count in self.pending.items() if name != place},
            removed={**self.removed, place: self.removed.get(place, 0) + gone} if gone else self.removed,
            marks=self.marks if mark is None else {**self.marks, place: mark},
            removed_at=now if source else self.removed_at,
        )

    def leaving(self, place: str, reason: str) -> "ErasureProgress":
        return replace(self, left={**self.left, place: reason})

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ErasureProgress":
        fields = json.loads(text)
        named: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()
        }
        return cls(**named)
