"""A load that does not touch the service. In each slice of time, it uses as much processor time as an attack
made the service use, and keeps the local AWS as busy with requests (tests.fairness.neutral_requests).

    python -m tests.fairness.neutral <processor seconds, a Schedule as JSON> <seconds>

One machine stands for many Lambda environments here. What a second tenant notices beside this load, it
notices because of the processors and the local AWS alone.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.fairness.profile import Load, Schedule
from tests.fairness.waiting_process import WaitingProcess, ready_to_begin

PROCESSES = 4
"""As many as query, the function with the most of them, has environments. Each may be one of the runnable."""

STEP_SECONDS = 0.005


def burn(
    schedule: Schedule,
    seconds: float,
    ended: threading.Event,
    clock: Callable[[], float] = time.monotonic,
    cpu_clock: Callable[[], float] = time.process_time,
) -> None:
    """Use a processor by the schedule until `ended`, `seconds` at most; what was missed is made up for."""
    began, ran_before = clock(), cpu_clock()
    while not ended.is_set() and (passed := clock() - began) < seconds:
        if cpu_clock() - ran_before >= schedule.by(passed):
            ended.wait(STEP_SECONDS)


@contextmanager
def neutral_load(load: Load, aws_endpoint: str, seconds: float) -> Iterator[Callable[[], None]]:
    """Prepare a load that ends with the block; it begins when the yielded function is called."""
    requests = json.dumps({kind: each.as_json() for kind, each in load.requests.items()})
    burning = ("-m", "tests.fairness.neutral", load.processors.divided_by(PROCESSES).as_json(), str(seconds))
    asking = ("-m", "tests.fairness.neutral_requests", aws_endpoint, requests, str(seconds))
    processes = [WaitingProcess(each) for each in (*(burning for _ in range(PROCESSES)), asking)]

    def begin() -> None:
        for each in processes:
            each.begin()

    try:
        for each in processes:
            each.wait_until_ready()
        yield begin
    finally:
        for each in processes:
            each.end()


def main() -> None:
    schedule, seconds = Schedule.from_json(sys.argv[1]), float(sys.argv[2])
    burn(schedule, seconds, ready_to_begin())


if __name__ == "__main__":
    main()
