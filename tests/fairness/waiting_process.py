"""A process that prepares itself, prints "ready", and begins when it is asked to: with the probes."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from local.naming import PROJECT_ROOT

READY = "ready"
STOP_SECONDS = 90


class WaitingProcess:
    """`arguments` of this Python, in a process that calls `ready_to_begin`; `niceness` as of nice(1)."""

    def __init__(self, arguments: Sequence[str], niceness: int = 0) -> None:
        self._process = subprocess.Popen(
            ["nice", "-n", str(niceness), sys.executable, *arguments],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Of the process itself: nice(1) is replaced by it."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == READY

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()

    def end(self) -> list[str]:
        """Ask it to end and wait; the lines that it printed after the first."""
        self._process.terminate()
        output, _ = self._process.communicate(timeout=STOP_SECONDS)
        return output.splitlines()


def ready_to_begin() -> threading.Event:
    """In the process: return when the other one says `begin`. The event is set by SIGTERM, or its end."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print(READY, flush=True)
    if not sys.stdin.readline():
        ended.set()
    threading.Thread(target=_wait_for_its_end, args=(ended,), daemon=True).start()
    return ended


def _wait_for_its_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()
