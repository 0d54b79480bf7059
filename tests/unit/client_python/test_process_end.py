"""What a process that ends by itself leaves: its records are sent, and it does not wait for long."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.client_python.service import KEY, drain_service

SOURCE = Path(__file__).parents[3] / "clients" / "python" / "src"

PROGRAM = """
import logging, sys
import astralog

handler = astralog.Handler(service="shop", batch_seconds=60, close_seconds={close_seconds})
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel("INFO")
for number in range(100):
    logging.info("line %d", number)
{end}
"""

ENDS = {
    "of itself": "",
    "exit": "sys.exit(0)",
    "an exception": "raise SystemError",
    "logging.shutdown": "logging.shutdown()",
    "no thread can be started": "handler._thread = None; handler._start = lambda: None",
    "a log call at exit": "import atexit; atexit.register(logging.info, 'line 100')",
}


def run(url: str, end: str, close_seconds: float = 5) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "ASTRALOG_URL": url, "ASTRALOG_KEY": KEY}
    program = PROGRAM.format(end=end, close_seconds=close_seconds)
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("end", ENDS)
def test_the_records_of_a_process_are_sent_at_its_end(end: str) -> None:
    with drain_service() as service:
        ended = run(service.url, ENDS[end])
    expected = [f"line {number}" for number in range(101 if end == "a log call at exit" else 100)]
    assert service.messages == expected, ended.stderr
    assert ended.returncode == (1 if end == "an exception" else 0)
    assert KEY not in ended.stderr


def test_a_process_ends_in_time_when_the_service_is_down() -> None:
    started = time.monotonic()
    ended = run("http://127.0.0.1:9", "", close_seconds=0.5)
    assert time.monotonic() - started < 20
    assert ended.returncode == 0
    assert ended.stderr.startswith("astralog: There was no response: ConnectionRefusedError")


def test_the_time_to_close_is_spent_once() -> None:
    """`logging.shutdown` flushes and closes: each would wait. The handler is closed before that."""
    text = "handler.flush = lambda: sys.stdout.write(f'closed: {handler._buffer.is_closing()}')"
    with drain_service() as service:
        ended = run(service.url, text)
    assert ended.stdout == "closed: True"


def test_the_children_of_multiprocessing_send_what_they_close() -> None:
    text = """
import multiprocessing

def work():
    logging.info("of the child")
    handler.close()

child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""
    with drain_service() as service:
        ended = run(service.url, text)
    assert sorted(service.messages) == sorted(
        ["of the child", *(f"line {number}" for number in range(100))]
    ), ended.stderr
