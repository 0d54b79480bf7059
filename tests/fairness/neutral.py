"""A load that does not touch the service: it uses as much processor time as an attack made the service use.

    python -m tests.fairness.neutral <share of a processor> <seconds>

One machine stands for many Lambda environments here. What a second tenant notices beside this load, it
notices because of the processors alone.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.naming import PROJECT_ROOT

PROCESSES = 4
"""As many as query, the function with the most of them, has environments. Each may be one of the runnable."""

STEP_SECONDS = 0.005


def burn(
    share: float,
    seconds: float,
    ended: threading.Event,
    clock: Callable[[], float] = time.monotonic,
    cpu_clock: Callable[[], float] = time.process_time,
) -> None:
    """Use `share` of a processor until `ended`, `seconds` at most; what was missed is made up for."""
    began, ran_before = clock(), cpu_clock()
    while not ended.is_set() and (passed := clock() - began) < seconds:
        if cpu_clock() - ran_before >= share * passed:
            ended.wait(STEP_SECONDS)


@contextmanager
def neutral_load(processor_seconds: float, seconds: float) -> Iterator[None]:
    """Run PROCESSES that together use so many seconds of processor time a second, until the block ends."""
    command = [
        sys.executable,
        "-m",
        "tests.fairness.neutral",
        str(processor_seconds / PROCESSES),
        str(seconds),
    ]
    processes = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline().strip() == "ready"
        yield
    finally:
        for each in processes:
            each.terminate()
            each.communicate(timeout=30)


def main() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print("ready", flush=True)
    burn(float(sys.argv[1]), float(sys.argv[2]), ended)


if __name__ == "__main__":
    main()
