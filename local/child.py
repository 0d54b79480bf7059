"""The pipe from the supervisor to a child: the child's standard input.

One line of JSON is the configuration. Then the pipe stays open and silent; its end means that the supervisor
has ended in any way (kill -9 included), and the child ends at once. This works on every system.
"""

import json
import os
import threading
from typing import Any, TypeVar

STANDARD_INPUT = 0

T = TypeVar("T")


def configuration(kind: type[T]) -> T:
    """Read the configuration, a dataclass of JSON values; from then on end when the supervisor does."""
    with open(STANDARD_INPUT, "rb", buffering=0, closefd=False) as line:
        values: dict[str, Any] = json.loads(line.readline())
    threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    return kind(**values)


def _end_with_the_supervisor() -> None:
    while os.read(STANDARD_INPUT, 1024):
        pass
    os._exit(0)
