"""Threads that a module of tests leaves behind may wait; one that works slows down every later test.

A worker runs hundreds of modules in one process. A thread in an endless loop takes a core, or, with the
interpreter's lock, most of the time of the tests themselves, and no test fails for it.
"""

import threading
import time
from collections.abc import Collection
from pathlib import Path

LOOKS_SECONDS = (0.05, 0.2, 0.2, 0.2, 0.2)
"""The first is short: it is the only one where all threads wait."""

WORKING_SHARE = 0.04
"""Of a look, in CPU time of all other threads together. An idle server that asks its socket every 10 ms takes
a tenth of it; a loop takes it even on a machine that does the work of twenty."""


def working_threads(known: Collection[threading.Thread]) -> list[str]:
    """The names of the threads that are not `known`, if they take CPU time in every look.

    Without such threads it takes no time.
    """
    others = [thread for thread in threading.enumerate() if thread not in known]
    for seconds in LOOKS_SECONDS if others else ():
        before = {thread: _cpu_seconds(thread) for thread in others}
        time.sleep(seconds)
        others = [thread for thread in others if thread.is_alive()]
        if sum(_cpu_seconds(thread) - before[thread] for thread in others) < WORKING_SHARE * seconds:
            return []
    return sorted(thread.name for thread in others)


def _cpu_seconds(thread: threading.Thread) -> float:
    """The CPU time of a thread since it began; 0 of one that ended, and where there is no /proc.

    Not by the thread's clock: to ask for that of a thread that has just ended may end the process.
    """
    try:
        taken = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(taken.split()[0]) / 1e9
