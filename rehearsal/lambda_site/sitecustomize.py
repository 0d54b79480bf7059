"""Loaded by the Python of each function in a rehearsal, before the function: moves its `time.time`.

The file in CLOCK_FILE holds the seconds by which functions are ahead of the machine. It is 0 but where a
scenario makes hours pass (rehearsal.schedules). `datetime` and signatures of requests keep the real time.
"""

import os
import time
from pathlib import Path

CLOCK_FILE = "ASTRALOG_REHEARSAL_CLOCK"


def _move(ahead: Path) -> None:
    real = time.time

    def moved() -> float:
        return real() + float(ahead.read_text())

    time.time = moved


if CLOCK_FILE in os.environ:
    _move(Path(os.environ[CLOCK_FILE]))
