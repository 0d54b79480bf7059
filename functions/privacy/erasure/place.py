"""A place that may hold data to erase: the unit of every step of an erasure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.shared.errors import RetryableError

TIME = "time"
"""What an erasure waits for if a place needs more time than is left."""


class NotYetError(RetryableError):
    """The place cannot be emptied now; `reason` is a code word. A later round tries again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ErasurePlace(Protocol):
    """A store, or part of one, that may hold data of a person or an account.

    Both methods may be called again at any time, also after a run died in the middle of either, and raise an
    AstralogError when the store behind them fails.
    """

    def count(self) -> int:
        """How much is there now, in the place's own unit; 0 only if nothing is there."""

    def remove(self) -> str | None:
        """Remove what is there; on return it is gone, and no data of others is touched.

        The returned mark is recorded: a time by the store's own clock, for a place that continues from there.

        Raises
        ------
        NotYetError
        """


@dataclass(frozen=True, slots=True)
class ErasureClock:
    """The time of a run. `now`: Unix seconds; `left`: seconds until the run is stopped."""

    now: Callable[[], float]
    left: Callable[[], float]

    def need(self, seconds: float) -> None:
        """Return only if `seconds` are left; otherwise leave the work to the next run.

        Raises
        ------
        NotYetError
        """
        if self.left() < seconds:
            raise NotYetError(TIME)
