"""Processes that begin together, and of which none outlives the one that started it."""

import subprocess
import sys
import time

from tests.fairness.waiting_process import WaitingProcess

PROGRAM = """
from tests.fairness.waiting_process import ready_to_begin
print("not before it is asked to", ready_to_begin().wait(60))
"""


def test_a_process_begins_when_it_is_asked_to_and_ends_when_it_is_asked_to() -> None:
    process = WaitingProcess(("-c", PROGRAM))
    process.wait_until_ready()
    process.begin()
    assert process.end() == ["not before it is asked to True"]


def test_a_process_ends_with_the_one_that_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.write(b"begin\n")
        child.stdin.flush()
        began = time.monotonic()
        child.stdin.close()
        assert child.wait(30) == 0
        assert time.monotonic() - began < 30
