"""What became of the records of a handler."""

from __future__ import annotations

from typing import NamedTuple


class Statistics(NamedTuple):
    """Counts since the handler was created, or since the fork. Each record is in one of the first four.

    sent: stored by the service.
    rejected: rejected by the service, for good.
    dropped: lost in this process: the buffer was full, the retries ended, or the handler was closed.
    buffered: waiting, or in the request that is under way.
    retries: requests that were sent again.
    """

    sent: int = 0
    rejected: int = 0
    dropped: int = 0
    buffered: int = 0
    retries: int = 0
