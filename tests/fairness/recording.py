"""Records what the machine uses while probes run: processor time, and requests to the local AWS.

The same in each phase, so that the cost of recording (a request each half second) is part of all of them.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fairness.neutral_requests import read_aws_usage
from tests.fairness.profile import SLICE_SECONDS, Reading

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def recording(
    aws_endpoint: str, processes: Mapping[str, int], attacker: int | None = None
) -> Iterator[list[Reading]]:
    """Append a reading each SLICE_SECONDS until the block ends, one at its begin and one at its end included.

    The time of this process and of all that descend from it counts, so that other work of this machine does
    not; without the `attacker`'s. `processes`: ids of some of them by name.
    """
    readings = [_read(aws_endpoint, processes, attacker)]
    ended = threading.Event()

    def record() -> None:
        while not ended.wait(max(0.0, readings[0].at + len(readings) * SLICE_SECONDS - time.monotonic())):
            readings.append(_read(aws_endpoint, processes, attacker))

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield readings
    finally:
        ended.set()
        thread.join()
        readings.append(_read(aws_endpoint, processes, attacker))


def _read(aws_endpoint: str, processes: Mapping[str, int], attacker: int | None) -> Reading:
    of_aws = read_aws_usage(aws_endpoint)
    used = {each.pid: each for each in _all_processes()}
    counting = descendants(os.getpid(), used.values()) - {attacker}
    return Reading(
        time.monotonic(),
        sum(used[pid].seconds for pid in counting),
        {name: used[pid].seconds for name, pid in processes.items() if pid in used},
        of_aws.requests,
        of_aws.seconds,
    )


@dataclass(frozen=True, slots=True)
class Process:
    """Processor time of a process with all its threads, and of those of its children that have ended."""

    pid: int
    parent: int
    seconds: float


def descendants(pid: int, processes: Iterable[Process]) -> set[int]:
    """The ids of the process `pid`, of its children, and of all that descend from these."""
    children: dict[int, list[int]] = {}
    for each in processes:
        children.setdefault(each.parent, []).append(each.pid)
    found, new = {pid}, [pid]
    while new:
        new = [child for parent in new for child in children.get(parent, ()) if child not in found]
        found.update(new)
    return found


def _all_processes() -> Iterator[Process]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        times = sum(map(float, fields[11:15]))
        yield Process(int(path.parent.name), int(fields[1]), times / TICKS_A_SECOND)
