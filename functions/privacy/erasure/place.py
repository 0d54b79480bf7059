"""A place that may hold what is to be erased: what every step of an erasure is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.shared.errors import RetryableError

TIME = "time"
"""What a place waits for that needs more time than there is left."""


class NotYetError(RetryableError):
    """The place cannot be emptied now; `reason` is a code word. The erasure looks again later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Place(Protocol):
    """Somewhere that may hold something of a person or an account.

    Both methods may be called again at any time, also after a run died in the middle of either, and raise an
    AstralogError when the store behind them fails.
    """

    def count(self) -> int:
        """How much is there now, in the place's own unit; it says 0 only when nothing is."""

    def remove(self) -> str | None:
        """Remove what is there; on return it is gone, and nobody's else is touched.

        What is returned is noted down: a moment by the store's own clock, for a place that looks from there.

        Raises
        ------
        NotYetError
        """


@dataclass(frozen=True, slots=True)
class Time:
    """What a run has. `now`: Unix seconds; `left`: seconds until the run is stopped."""

    now: Callable[[], float]
    left: Callable[[], float]

    def need(self, seconds: float) -> None:
        """Leave to the next run what takes `seconds`, unless there are as many.

        Raises
        ------
        NotYetError
        """
        if self.left() < seconds:
            raise NotYetError(TIME)
