"""The next move of an erasure: one pure function of its plan and progress."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.privacy.erasure.progress import ErasurePlan, ErasureProgress

LOOK_AGAIN_SECONDS = 60
MAX_PAUSE_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Stop:
    """Do this stop."""

    name: str


@dataclass(frozen=True, slots=True)
class SweepPlace:
    """Search this place."""

    name: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin a round."""


@dataclass(frozen=True, slots=True)
class End:
    """The round is over; another is needed, not before `resume_at`."""

    resume_at: float


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing can be done before `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left anywhere, and nothing can arrive."""


Move = Stop | SweepPlace | Begin | End | WaitUntil | Finish


def next_move(plan: ErasurePlan, progress: ErasureProgress, now: float) -> Move:
    """The move to make at `now`, Unix seconds."""
    if stop := _first(plan.stops, progress.stopped):
        return Stop(stop)
    if now < progress.resume_at:
        return WaitUntil(progress.resume_at)
    if progress.began_at is None:
        return Begin()
    if place := _first(plan.places, [*progress.found, *progress.left]):
        return SweepPlace(place)
    quiet_from = plan.quiet_from(progress)
    if progress.left:
        return End(now + _pause(progress))
    if any(progress.found.values()):
        return End(now)
    return Finish() if progress.began_at >= quiet_from else End(quiet_from)


def _first(names: Sequence[str], done: Sequence[str]) -> str | None:
    return next((name for name in names if name not in done), None)


def _pause(progress: ErasureProgress) -> float:
    """Exponential backoff after rounds without progress: a place that is not ready may stay so for hours."""
    idle = 0 if any(progress.found.values()) else progress.idle
    return float(min(LOOK_AGAIN_SECONDS * 2 ** min(idle, 10), MAX_PAUSE_SECONDS))
