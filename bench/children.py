"""Run children of the local stack for the length of a block, and read their CPU time.

A child's CPU is not this process's, so a function measured here is measured without its neighbours.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from local.naming import LOOPBACK, child_environment, python_module

START_SECONDS = 60
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_USER_TIME, _SYSTEM_TIME = 11, 12
"""Fields of /proc/<pid>/stat, counted from the one after the command's name (proc(5): 14 and 15)."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child that listens on `port`."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far, in ticks of usually 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / _TICKS_A_SECOND


@contextmanager
def child(module: str, **configuration: Any) -> Iterator[Child]:
    """Run `module` of the local stack on a free port until the block ends."""
    port = free_port()
    process = subprocess.Popen(python_module(module), stdin=subprocess.PIPE, env=child_environment())
    assert process.stdin
    process.stdin.write(json.dumps({"port": port, **configuration}).encode() + b"\n")
    process.stdin.flush()
    try:
        wait_until_open(port, process)
        yield Child(process.pid, port)
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until `process` listens on `port`.

    Raises
    ------
    RuntimeError: it ended, or took more than START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("a child of the stack did not start")
