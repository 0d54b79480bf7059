"""A leftover thread that takes CPU time is found, and one that waits is not."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.leftover_threads import working_threads


@contextmanager
def thread(work: Callable[[threading.Event], object]) -> Iterator[None]:
    ended = threading.Event()
    running = threading.Thread(target=work, args=(ended,), name="left behind")
    running.start()
    try:
        yield
    finally:
        ended.set()
        running.join()


def spin(ended: threading.Event) -> None:
    while not ended.is_set():
        pass


def look_often(ended: threading.Event) -> None:
    while not ended.wait(0.01):
        pass


@pytest.mark.parametrize(
    ("work", "found"), [(spin, ["left behind"]), (look_often, []), (threading.Event.wait, [])]
)
def test_a_thread_in_a_loop_is_found_and_one_that_waits_is_not(
    work: Callable[[threading.Event], object], found: list[str]
) -> None:
    before = threading.enumerate()
    with thread(work):
        assert working_threads(before) == found
        assert working_threads(threading.enumerate()) == [], "of threads that were there before"
