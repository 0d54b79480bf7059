"""A limit on the memory of this process while a library runs whose needs a file decides.

An allocation beyond it fails, and the library says so: the file is refused. Without it the function would be
ended by its platform, and the file read anew, five times.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")
_DATA_PAGES = 5


@contextmanager
def limited(more_bytes: int) -> Iterator[None]:
    """Let the process hold at most `more_bytes` more than now; no limit where it cannot be measured."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    held = _held_bytes()
    if held is None:
        yield
        return
    limits = [each for each in (soft, hard, held + more_bytes) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _held_bytes() -> int | None:
    """Heap, anonymous maps and stacks, as RLIMIT_DATA counts them."""
    try:
        return int(_STATUS.read_text(encoding="ascii").split()[_DATA_PAGES]) * resource.getpagesize()
    except OSError:
        return None
