"""A child's line to the supervisor: its standard input.

One line of JSON says what to be. The line then stays open and silent; its end means that the supervisor is
gone, however it went (kill -9 included), and the child ends at once. A pipe does this on every system.
"""

import json
import os
import threading
from typing import Any, TypeVar

STANDARD_INPUT = 0

T = TypeVar("T")


def configuration(kind: type[T]) -> T:
    """Read the configuration, a dataclass of JSON values, and from now on end when the supervisor does."""
    with open(STANDARD_INPUT, "rb", buffering=0, closefd=False) as line:
        values: dict[str, Any] = json.loads(line.readline())
    threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    return kind(**values)


def _end_with_the_supervisor() -> None:
    while os.read(STANDARD_INPUT, 1024):
        pass
    os._exit(0)
