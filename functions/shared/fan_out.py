"""Fan out: run independent work in threads, all within a deadline.

A thread that has not returned by the deadline is abandoned: Python cannot stop it, and in a Lambda function
it is frozen until the next invocation. The caller ensures that this is harmless.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from threading import Condition, Thread
from typing import Generic, TypeVar

from functions.shared import journal

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

THREADS = 16

_LOOK_EVERY_SECONDS = 0.5


class FanOut(Generic[K, V]):
    """Runs `work` for keys.

    Parameters
    ----------
    work: should not raise; a key whose work raises counts as not done.
    left: seconds until the results are needed.
    may_start: whether there is time to start another key.
    """

    def __init__(
        self,
        work: Callable[[K], V],
        left: Callable[[], float],
        may_start: Callable[[], bool],
        threads: int = THREADS,
    ) -> None:
        self._work = work
        self._left = left
        self._may_start = may_start
        self._threads = threads
        self._changed = Condition()
        self._working = 0
        self._running: set[K] = set()
        self._results: dict[K, V] = {}
        self._closed = False

    def run(self, keys: Sequence[K]) -> tuple[dict[K, V], set[K]]:
        """The results of the threads that returned in time, and the keys of those that were abandoned.

        Keys start in the given order. A key not started in time, or whose work raised, is in neither.
        """
        todo = iter(keys)
        self._working = min(self._threads, len(keys))
        for number in range(self._working):
            Thread(target=self._take, args=(todo,), daemon=True, name=f"apart-{number}").start()
        with self._changed:
            while self._working and self._left() > 0:
                self._changed.wait(min(_LOOK_EVERY_SECONDS, max(self._left(), 0)))
            self._closed = True
            return dict(self._results), set(self._running)

    def _take(self, todo: Iterator[K]) -> None:
        while (key := self._begun(todo)) is not None:
            try:
                self._finish(key, [self._work(key)])
            except Exception as fault:  # noqa: BLE001 - the last line of defence: the others continue
                journal.write("unexpected_error", error_type=type(fault).__name__)
                self._finish(key, [])
        with self._changed:
            self._working -= 1
            self._changed.notify()

    def _begun(self, todo: Iterator[K]) -> K | None:
        with self._changed:
            if self._closed or not self._may_start():
                return None
            key = next(todo, None)
            if key is not None:
                self._running.add(key)
            return key

    def _finish(self, key: K, results: list[V]) -> None:
        with self._changed:
            self._running.discard(key)
            for each in results:
                self._results[key] = each
