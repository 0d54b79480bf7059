"""Which way a caller's logs take: into our bucket, or straight into the caller's own.

Of a BYOC tenant's logs no byte rests with us: the object goes into their bucket, under their credentials,
and only its name, size and ETag on our queue.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from functions.ingest.stage import Staging
from functions.shared.access import Principal


@dataclass(frozen=True, slots=True)
class Road:
    """Where to stage, and for how many days the rows are kept.

    `admitted`: the block in which staging takes place; it raises RefusalError when there is no room for it.
    """

    staging: Staging
    retention_days: int
    admitted: Callable[[], AbstractContextManager[None]] = nullcontext


Roads = Callable[[Principal], Road]
"""The road of a BYOC tenant; raises RefusalError when there is none or it cannot be reached."""


def no_road(_caller: Principal) -> Road:
    """Nobody's logs take another way than their own."""
    from functions.shared.custody.buckets import no_destination

    raise no_destination()
