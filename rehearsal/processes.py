"""The children of a rehearsal. All end with it, in any way it ends: see local.child."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.naming import PROJECT_ROOT, child_environment

READY_SECONDS = 90
STOP_SECONDS = 10


class StartError(Exception):
    """A child ended while starting, or was not ready in time; the message names its log."""


class Children:
    """A context manager of processes with their configuration on standard input."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            # The end of its standard input ends a child that ignores the signal.
            with contextlib.suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]  # asked for as a pipe
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def start(
        self,
        name: str,
        configuration: Mapping[str, Any],
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        cwd: Path = PROJECT_ROOT,
    ) -> None:
        """Start a child; `wait_for` waits until it answers."""
        with self.log_of(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment or child_environment()),
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for the rehearsal, which stops the others.
                start_new_session=True,
            )
        self._processes[name] = process
        assert process.stdin is not None  # noqa: S101 - asked for above
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps(configuration).encode() + b"\n")
            process.stdin.flush()

    def wait_for(self, name: str, url: str) -> None:
        """Return when `url` answers 200.

        Raises
        ------
        StartError: the child ended, or READY_SECONDS have passed.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(url):
            code = self._processes[name].poll()
            if code is not None:
                raise StartError(f"{name} ended with {code} while starting: see {self.log_of(name)}")
            if time.monotonic() > deadline:
                raise StartError(f"{name} is not ready after {READY_SECONDS} s: see {self.log_of(name)}")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """Processor time of the running children and all their processes, functions included. Linux only."""
        sessions = {process.pid for process in self._processes.values()}
        return sum(_cpu_seconds(stat, sessions) for stat in Path("/proc").glob("[0-9]*/stat"))

    def ended(self) -> list[str]:
        """The children that ended by themselves: a fault."""
        return [name for name, process in self._processes.items() if process.poll() is not None]


def _cpu_seconds(stat: Path, sessions: set[int]) -> float:
    """The processor time of a process, if its session is one of `sessions`."""
    try:
        # The name in parentheses may have spaces. Then: state, parent, group, session; user and system ticks.
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = int(fields[11]) + int(fields[12]) if int(fields[3]) in sessions else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def module(name: str) -> list[str]:
    """The command line of a module of this project."""
    return [sys.executable, "-m", name]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback, our own URL
            return bool(answer.status == 200)
    except OSError:
        return False
