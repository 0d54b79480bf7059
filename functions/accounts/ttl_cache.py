"""A cache with a time to live."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class TtlCache(Generic[T]):
    """Caches one answer per name for `seconds` of the monotonic clock, counted from before the look-up.

    Failed look-ups are not cached. Holds up to `most` answers; when full, it drops all of them.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._answers: dict[str, tuple[float, T]] = {}

    def of(self, name: str, ask: Callable[[], T]) -> T:
        """The answer for `name`, from the cache or from `ask`."""
        now = time.monotonic()
        known = self._answers.get(name)
        if known and now < known[0]:
            return known[1]
        found = ask()
        if len(self._answers) >= self._most:
            self._answers.clear()
        self._answers[name] = (now + self._seconds, found)
        return found
