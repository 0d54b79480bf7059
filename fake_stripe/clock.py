"""The clock: the machine's time plus the time by which tests advanced it. It never goes backwards."""

import time


class Clock:
    """Whole seconds since the epoch. While the clock advances it stops at the time of each event."""

    def __init__(self) -> None:
        self._ahead = 0
        self._standing: int | None = None

    def now(self) -> int:
        return int(time.time()) + self._ahead if self._standing is None else self._standing

    def freeze_at(self, at: int) -> None:
        self._standing = max(at, self.now())

    def unfreeze(self) -> None:
        """Run again from the current time."""
        if self._standing is not None:
            self._ahead = max(self._ahead, self._standing - int(time.time()))
            self._standing = None
