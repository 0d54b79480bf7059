"""The pipe from the supervisor to a child: the child's standard input.

One line of JSON is the configuration. Then the pipe stays open and silent; its end means that the supervisor
has ended in any way (kill -9 included), and the child ends at once. This works on every system.
"""

import json
import os
import sys
import threading
from typing import Any, TypeVar

STANDARD_INPUT = 0
SWITCH_SECONDS = 0.0005
"""A child serves requests in threads. One that waited for a socket gets the interpreter back only after this
long for each thread that computes. With Python's 5 ms, one tenant's work delayed another's by tenths of a
second."""

T = TypeVar("T")


def configuration(kind: type[T]) -> T:
    """Read the configuration, a dataclass of JSON values; from then on end when the supervisor does."""
    with open(STANDARD_INPUT, "rb", buffering=0, closefd=False) as line:
        values: dict[str, Any] = json.loads(line.readline())
    sys.setswitchinterval(SWITCH_SECONDS)
    threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    return kind(**values)


def _end_with_the_supervisor() -> None:
    while os.read(STANDARD_INPUT, 1024):
        pass
    os._exit(0)
