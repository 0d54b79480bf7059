"""Threads that a module of tests leaves behind may wait; one that works slows down every later test.

A worker runs hundreds of modules in one process. A thread in an endless loop takes a core, or, with the
interpreter's lock, most of the time of the tests themselves, and no test fails for it.
"""

import threading
import time

LOOK_SECONDS = 0.05
LOOKS = 3
WORKING_SECONDS = LOOK_SECONDS / 5
"""CPU time within a look. An idle server that asks its socket every 10 ms takes a hundredth of it."""


def working_threads() -> list[str]:
    """The names of other threads that take CPU time in each of LOOKS looks; at once if there are none."""
    suspects = {thread for thread in threading.enumerate() if thread is not threading.current_thread()}
    for _ in range(LOOKS):
        if not suspects:
            break
        before = {thread: _cpu_seconds(thread) for thread in suspects}
        time.sleep(LOOK_SECONDS)
        suspects = {thread for thread in suspects if _cpu_seconds(thread) - before[thread] > WORKING_SECONDS}
    return sorted(thread.name for thread in suspects)


def _cpu_seconds(thread: threading.Thread) -> float:
    """The CPU time of a thread since it began; of one that ended, 0."""
    if thread.ident is None or not thread.is_alive():
        return 0.0
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    except OSError:
        return 0.0
