"""Loaded by the Python of each function in a rehearsal, before the function: moves the clocks of `time`.

The file in CLOCK_FILE holds the seconds by which functions are ahead of the machine. It is 0 but where a
scenario makes hours pass (rehearsal.schedules). `datetime` and signatures of requests keep the real time.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

CLOCK_FILE = "ASTRALOG_REHEARSAL_CLOCK"


def _moved(real: Callable[[], float], ahead: Path) -> Callable[[], float]:
    return lambda: real() + float(ahead.read_text())


if CLOCK_FILE in os.environ:
    _ahead = Path(os.environ[CLOCK_FILE])
    time.time = _moved(time.time, _ahead)
    time.monotonic = _moved(time.monotonic, _ahead)
