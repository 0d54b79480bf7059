"""What a call costs in a process of its own: peak resident memory, CPU and wall time.

    cost = cost_of("tests.unit.shared.bombs:unpack", {"members": 10_000}, memory_mb=1024)

The target is a module's function. It gets the argument as keywords and returns a JSON value. Memory counts
everything the process ever had resident, imports included, as Lambda counts it. Each hostile example of
docs/security.md is measured here, against the memory size of the function it attacks.

A test that bounds CPU seconds says so with `within_cpu_seconds`. Other work on the machine, above all on the
sibling of a core, makes a call take more CPU seconds and never fewer: the cheapest of a few runs is nearest
to what the call costs, and a call that is too expensive stays so however often it is run.
"""

import importlib
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).parents[1]
MEBIBYTE = 1024 * 1024
MAX_RUNS = 3
"""Of a call that is above its bound of CPU seconds."""

RUNAWAY_FACTOR = 4
"""A call may hold this many times its memory before it fails: enough to see by how much it is over."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`result` is what the target returned; CPU is user and system time of all threads during the call."""

    result: Any
    peak_mb: float
    cpu_seconds: float
    wall_seconds: float

    def __str__(self) -> str:
        return f"{self.peak_mb:.0f} MB, {self.cpu_seconds:.2f} s CPU, {self.wall_seconds:.2f} s"


class CallFailedError(Exception):
    """The process ended without a result; the message is the end of what it wrote."""


def cost_of(
    target: str,
    argument: dict[str, Any],
    *,
    memory_mb: int,
    timeout_seconds: float = 60,
    within_cpu_seconds: float = math.inf,
) -> Cost:
    """Call `target`, written `module:function`, in a fresh process.

    If that takes more than `within_cpu_seconds`, call it up to two more times, each in a fresh process, until
    one stays within; the result is that of the cheapest run, with the highest memory of all.

    Raises
    ------
    CallFailedError: it raised, ran out of time, or held RUNAWAY_FACTOR times `memory_mb`.
    """
    runs = [_run(target, argument, memory_mb, timeout_seconds)]
    while runs[-1].cpu_seconds > within_cpu_seconds and len(runs) < MAX_RUNS:
        runs.append(_run(target, argument, memory_mb, timeout_seconds))
    cheapest = min(runs, key=lambda run: run.cpu_seconds)
    return replace(cheapest, peak_mb=max(run.peak_mb for run in runs))


def cpu_seconds_of(call: Callable[[], object], *, within: float) -> float:
    """CPU seconds of `call` in this process: of the cheapest of up to three runs, until one stays `within`.

    For calls that can be repeated and are too small for a process of their own.
    """
    least = math.inf
    for _ in range(MAX_RUNS):
        began = time.process_time()
        call()
        least = min(least, time.process_time() - began)
        if least <= within:
            break
    return least


def _run(target: str, argument: dict[str, Any], memory_mb: int, timeout_seconds: float) -> Cost:
    command = [sys.executable, "-m", "tests.measured", target, str(memory_mb)]
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(argument),
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            cwd=PROJECT_ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CallFailedError(f"{target} ran for more than {timeout_seconds} s") from None
    if ended.returncode != 0:
        raise CallFailedError(f"{target} ended with {ended.returncode}: {ended.stderr[-1000:]}")
    return Cost(**json.loads(ended.stdout.splitlines()[-1]))


def peak_mb() -> float:
    """The most that was ever resident here. `ru_maxrss` begins with what the parent had when it forked."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    target, memory_mb = sys.argv[1], int(sys.argv[2])
    runaway = RUNAWAY_FACTOR * memory_mb * MEBIBYTE
    resource.setrlimit(resource.RLIMIT_DATA, (runaway, runaway))
    module, _, name = target.partition(":")
    call = getattr(importlib.import_module(module), name)
    argument = json.load(sys.stdin)
    began, cpu = time.monotonic(), time.process_time()
    result = call(**argument)
    cost = {
        "result": result,
        "peak_mb": peak_mb(),
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.monotonic() - began,
    }
    sys.stdout.write("\n" + json.dumps(cost) + "\n")


if __name__ == "__main__":
    main()
