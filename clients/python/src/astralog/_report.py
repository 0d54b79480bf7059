"""Where failures go when the application has no hook for them: a line on the standard error."""

from __future__ import annotations

import logging
import sys
import threading
from time import monotonic

from astralog._errors import DeliveryError

INTERVAL_SECONDS = 60.0


class StandardErrorReport:
    """Writes at most one line a minute, and none if `logging.raiseExceptions` is off, as logging itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_at = 0.0

    def __call__(self, error: DeliveryError) -> None:
        """Write the error, unless another was written within the minute."""
        with self._lock:
            if not logging.raiseExceptions or monotonic() < self._next_at:
                return
            self._next_at = monotonic() + INTERVAL_SECONDS
        if sys.stderr is not None:
            sys.stderr.write(f"astralog: {error}\n")
