"""An execution environment of a function as a process of its own, and what each invocation costs it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.lambda_runtime import LENGTH_BYTES
from local.naming import PROJECT_ROOT

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Environment:
    """A running one, and the line to it. `max_cpu_seconds`: of the dearest invocation so far."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self._line = line
        self._frames = line.makefile("rb")
        self._pid = pid
        self.max_cpu_seconds = 0.0
        assert self._receive() == {"ready": True}

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """What the handler returns, or, under `error_type`, what it raises."""
        invocation = {
            "event": event,
            "request_id": "request-1",
            "function_arn": "",
            "deadline_ms": time.time_ns() // 1_000_000 + 29_000,
        }
        encoded = json.dumps(invocation).encode()
        before = self._cpu_seconds()
        self._line.sendall(len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded)
        received = self._receive()
        self.max_cpu_seconds = max(self.max_cpu_seconds, self._cpu_seconds() - before)
        answer: dict[str, Any] = received.get("answer", received)
        return answer

    def memory_kb(self, name: str) -> int:
        """`VmRSS`, what it holds now, or `VmHWM`, the most it ever held."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0])

    def costs(self) -> str:
        """What to print of it."""
        return f"peak {self.memory_kb('VmHWM') // 1024} MB, {self.max_cpu_seconds:.2f} s CPU at the most"

    def _cpu_seconds(self) -> float:
        """User and system time of all its threads."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def _receive(self) -> dict[str, Any]:
        length = int.from_bytes(self._frames.read(LENGTH_BYTES), "big")
        message: dict[str, Any] = json.loads(self._frames.read(length))
        return message


@contextmanager
def environment(
    handler: str, memory_mb: int, folder: Path, variables: Mapping[str, str]
) -> Iterator[Environment]:
    """Run `handler`, `module.function`; what it writes goes into `<folder>/environment.log`."""
    ours, theirs = socket.socketpair()
    set_here = {
        **os.environ,
        "PYTHONPATH": str(PROJECT_ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": "hostile",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        **variables,
    }
    with theirs, (folder / "environment.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.lambda_runtime", handler, str(theirs.fileno())],
            cwd=PROJECT_ROOT,
            env=set_here,
            pass_fds=[theirs.fileno()],
            stdout=log,
            stderr=log,
        )
    try:
        with ours:
            yield Environment(ours, process.pid)
            ours.shutdown(socket.SHUT_RDWR)
    finally:
        process.terminate()
        process.wait(timeout=10)
