"""A ClickHouse for tests: the local stack's child process, on a free port, with an empty database."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText

START_SECONDS = 60


@contextmanager
def clickhouse(directory: Path, database: str = "astralog") -> Iterator[ClickHouseAddress]:
    """Run ClickHouse on `directory` and say where it is; it ends with the block."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-m", "local.clickhouse"], stdin=subprocess.PIPE)
    assert process.stdin
    configuration = {
        "port": port,
        "data": str(directory / "data"),
        "spool": str(directory / "spool"),
        "users": {"tests": {"password": "tests", "database": "default"}},
    }
    process.stdin.write(json.dumps(configuration).encode() + b"\n")
    process.stdin.flush()
    try:
        _wait_until_open(port, process)
        yield ClickHouseAddress("127.0.0.1", port, False, "tests", SecretText("tests"), database)
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("ClickHouse did not start")
