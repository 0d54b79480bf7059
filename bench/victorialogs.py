"""VictoriaLogs, the peer of bars 9, 10 and 11: a server of the binary that the variable VICTORIALOGS names.

docs/performance.md says which version was measured and how to build it. Everything but the data directory,
the address and the retention is the server's default.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.children import free_port, wait_until_open
from local.naming import LOOPBACK

VARIABLE = "VICTORIALOGS"
SKIPPED = f"{VARIABLE} names no binary: rows against VictoriaLogs are left out"
IDLE_POLLS = 3

POLL_SECONDS = 0.2
SETTLE_SECONDS = 300
REQUEST_SECONDS = 120
_CPU_CLOCK_OF_A_PROCESS = 2

_STAGED_ROW = re.compile(
    rb'\{"tenant_id":"[^"]*",("project_id":"[^"]*"),"timestamp":"(\S+) ([0-9:.]+)",(.*),"received_at":.*\}\n'
)
_PENDING = re.compile(
    r'^vl_(?:active_force_merges|active_merges\{[^}]*\}|storage_rows\{type="storage/inmemory"\}) ([0-9]+)$',
    re.MULTILINE,
)
_INSERT = "/insert/jsonline?" + urlencode(
    {"_stream_fields": "project_id,service", "_time_field": "timestamp", "_msg_field": "message"}
)


def binary(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The binary that VICTORIALOGS names; None if the variable is unset or empty.

    Raises
    ------
    RuntimeError: the variable names no executable file.
    """
    named = environment.get(VARIABLE)
    if not named:
        return None
    if not (Path(named).is_file() and os.access(named, os.X_OK)):
        raise RuntimeError(f"{VARIABLE}={named} is no executable file")
    return Path(named)


@dataclass(frozen=True, slots=True)
class VictoriaLogs:
    """A running server."""

    pid: int
    connection: HTTPConnection
    data: Path

    def insert(self, body: bytes, account: int = 0, encoding: str = "identity") -> None:
        """Insert NDJSON into the tenant `account`."""
        self._post(_INSERT, body, {"AccountID": str(account), "Content-Encoding": encoding})

    def select(self, kind: str, **arguments: Any) -> bytes:
        """The answer of `/select/logsql/<kind>` to a query in the tenant 0."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._post(f"/select/logsql/{kind}", urlencode(arguments).encode(), headers)

    def settle(self) -> None:
        """Wait until everything is on disk, merge each day into one part, and wait until that is done.

        A forced merge leaves out what is in memory and what another merge has, so it comes last.

        Raises
        ------
        TimeoutError: it takes more than SETTLE_SECONDS.
        """
        self._wait_until_idle()
        self._post("/internal/force_merge", b"", {})
        self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        """Wait until IDLE_POLLS in a row find nothing in memory, no merge, and as many bytes as before."""
        deadline = time.monotonic() + SETTLE_SECONDS
        idle, before = 0, -1
        while idle < IDLE_POLLS:
            if time.monotonic() > deadline:
                raise TimeoutError("VictoriaLogs did not finish its merges")
            time.sleep(POLL_SECONDS)
            size = self.disk_bytes()
            pending = pending_work(self._get("/metrics").decode())
            idle = 0 if pending or size != before else idle + 1
            before = size

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far; the clock of clock_getcpuclockid(3), which has
        nanoseconds where /proc/<pid>/stat has ticks of 10 ms."""
        return time.clock_gettime(~self.pid << 3 | _CPU_CLOCK_OF_A_PROCESS)

    def disk_bytes(self) -> int:
        """The sizes of all its files."""
        return sum(_size(Path(folder, name)) for folder, _, names in os.walk(self.data) for name in names)

    def _get(self, path: str) -> bytes:
        return self._answer("GET", path, None, {})

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        return self._answer("POST", path, body, headers)

    def _answer(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        self.connection.request(method, path, body, dict(headers))
        response = self.connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise RuntimeError(f"VictoriaLogs answered {response.status} to {path}: {content[:500]!r}")
        return content


@contextmanager
def victoria_logs(program: Path) -> Iterator[VictoriaLogs]:
    """A server on an empty directory until the block ends."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = [
            str(program),
            f"-storageDataPath={directory}/data",
            f"-httpListenAddr={LOOPBACK}:{port}",
            "-retentionPeriod=100y",
            "-futureRetention=100y",
            "-loggerLevel=ERROR",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connection = HTTPConnection(LOOPBACK, port, timeout=REQUEST_SECONDS)
        try:
            wait_until_open(port, process)
            yield VictoriaLogs(process.pid, connection, Path(directory, "data"))
        finally:
            connection.close()
            process.terminate()
            process.wait(timeout=60)


def as_sent(staged: bytes) -> bytes:
    """Rows of bench.events as a client sends them: without tenant, time of receipt and identity."""
    return _STAGED_ROW.sub(rb'{\1,"timestamp":"\2T\3Z",\4}\n', staged)


def pending_work(metrics: str) -> int:
    """Merges that run and rows that are in memory, by the text of /metrics; 0 when all is on disk."""
    return sum(map(int, _PENDING.findall(metrics)))


def _size(file: Path) -> int:
    """Zero for a file that a merge deletes right now."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
