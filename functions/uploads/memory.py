"""Limit the memory of this process while a library runs whose memory use depends on a file.

An allocation beyond the limit fails, the library reports it, and the file is rejected. Without the limit,
Lambda would kill the function, and the file would be read five times.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")
_DATA_PAGES = 5


@contextmanager
def limited(more_bytes: int) -> Iterator[None]:
    """Let the process allocate at most `more_bytes` more than now; no limit where that cannot be measured."""
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
    """Heap, anonymous mappings and stacks, as RLIMIT_DATA counts them."""
    try:
        return int(_STATUS.read_text(encoding="ascii").split()[_DATA_PAGES]) * resource.getpagesize()
    except OSError:
        return None
