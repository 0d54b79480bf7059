"""One run of one erasure: move by move, each stored before the next, until it is finished or waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from functions.privacy.erasure.moves import Begin, End, Finish, Move, Stop, SweepPlace, WaitUntil, next_move
from functions.privacy.erasure.place import TIME, ErasureClock, ErasurePlace, NotYetError
from functions.privacy.erasure.progress import UNCOUNTED, ErasurePlan, ErasureProgress, PeopleIds
from functions.privacy.erasure.record import Erasure
from functions.shared import journal
from functions.shared.errors import AstralogError

T = TypeVar("T")

RESERVE_SECONDS = 20.0
"""For storing what was done."""

Stopping = Callable[[], PeopleIds | None]
"""Performs a stop; the people it returns are to be stored."""


class _OutOfTimeError(Exception):
    """The rest of the turn is too short for the next place."""


class Saves(Protocol):
    """The part of functions.privacy.erasure.erasures.Erasures that is used here."""

    def save(self, erasure: Erasure) -> Erasure: ...


@dataclass(slots=True)
class ErasureRun:
    """An erasure, with its stops and places.

    `stops`: by name; one of them returns the account's people, who are to be stored. `places`: by name, in
    their order. `quiet_at`, `settle_seconds`: see Plan.
    """

    erasure: Erasure
    stops: Mapping[str, Stopping] = field(default_factory=dict)
    places: dict[str, ErasurePlace] = field(default_factory=dict)
    quiet_at: float | None = None
    settle_seconds: float = 0.0

    @property
    def plan(self) -> ErasurePlan:
        return ErasurePlan(tuple(self.stops), tuple(self.places), self.quiet_at, self.settle_seconds)

    def mark_of(self, place: str) -> str | None:
        """What the place returned when it was last emptied."""
        return self.erasure.progress.marks.get(place)

    def stopped_at(self) -> float:
        """Since when nothing new is accepted, in Unix seconds."""
        return self.erasure.progress.stopped_at or 0.0

    def removed_at(self) -> float:
        """When something was last removed: copies made until then may hold it."""
        return self.erasure.progress.removed_at or float(self.erasure.requested_at)

    @property
    def counts(self) -> dict[str, int]:
        """What was removed, by place."""
        removed = self.erasure.progress.removed
        return {name: count for name, count in sorted(removed.items()) if name not in UNCOUNTED}

    def advance(self, store: Saves, time: ErasureClock) -> bool:
        """Do what can be done now; whether nothing is left anywhere, nor can arrive.

        Raises
        ------
        ErasureChangedError: another run works on it. Errors when storing the erasure itself raise, too.
        """
        is_first = True
        while True:
            move = next_move(self.plan, self.erasure.progress, time.now())
            if isinstance(move, Finish):
                return True
            if isinstance(move, WaitUntil) or time.left() < RESERVE_SECONDS:
                return False
            try:
                self._make(move, store, time, is_first=is_first)
            except _OutOfTimeError:
                return False
            is_first = False

    def _make(self, move: Move, store: Saves, time: ErasureClock, *, is_first: bool) -> None:
        progress, now = self.erasure.progress, time.now()
        match move:
            case Stop(name):
                people = self.stops[name]()
                stopped = progress.after_stop(name, self.plan, now)
                self._save(store, stopped.knowing(people) if people else stopped)
            case Begin():
                self._save(store, progress.beginning(now))
            case SweepPlace(name):
                self._sweep(name, store, time, is_first=is_first)
            case End(resume_at):
                self._save(store, progress.after_round(now, resume_at))

    def _sweep(self, name: str, store: Saves, time: ErasureClock, *, is_first: bool) -> None:
        """Count, store the count, remove, and store that the place is empty.

        The next turn begins at the place that ran out of time; if that place had a whole turn, it is left.
        """
        place = self.places[name]
        there, hindered = _tried(name, place.count, 0)
        if hindered:
            self._leave(name, hindered, store, is_first=is_first)
            return
        progress = self.erasure.progress
        if not there and not progress.pending.get(name):
            # Not worth a write: after a crash the next run counts again.
            self.erasure = replace(self.erasure, progress=progress.swept(name, time.now()))
            return
        self._save(store, progress.expecting(name, there))
        mark, hindered = _tried(name, place.remove, None)
        if hindered:
            self._leave(name, hindered, store, is_first=is_first)
            return
        self._save(store, self.erasure.progress.swept(name, time.now(), mark))

    def _leave(self, name: str, reason: str, store: Saves, *, is_first: bool) -> None:
        if reason == TIME and not is_first:
            raise _OutOfTimeError
        self._save(store, self.erasure.progress.leaving(name, reason))

    def _save(self, store: Saves, progress: ErasureProgress) -> None:
        self.erasure = store.save(replace(self.erasure, progress=progress))


def _tried(name: str, call: Callable[[], T], otherwise: T) -> tuple[T, str]:
    """What `call` returns, and why it failed: a place that fails does not stop the other places."""
    try:
        return call(), ""
    except NotYetError as wait:
        return otherwise, wait.reason
    except AstralogError as fault:
        journal.write("erasure_hindered", phase=name, error_type=type(fault).__name__)
        return otherwise, type(fault).__name__
