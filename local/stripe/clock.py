"""The clock: the machine's, and ahead of it by as much as tests have moved it. It never goes back."""

import time


class Clock:
    """Whole seconds since the epoch. While time is being moved it stands at what is happening."""

    def __init__(self) -> None:
        self._ahead = 0
        self._standing: int | None = None

    def now(self) -> int:
        return int(time.time()) + self._ahead if self._standing is None else self._standing

    def stand_at(self, at: int) -> None:
        self._standing = max(at, self.now())

    def go_on(self) -> None:
        """Run on from where it stands."""
        if self._standing is not None:
            self._ahead = max(self._ahead, self._standing - int(time.time()))
            self._standing = None
