"""Which way a caller's logs take: into our bucket, or straight into the caller's own.

Of a BYOC tenant's logs no byte rests with us: the object goes into their bucket, under their credentials,
and only its name, size and ETag on our queue.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from msgspec import Struct

from functions.ingest.staging_writer import StagingWriter
from functions.shared.access import Principal


class StagingTarget(Struct, frozen=True):
    """Where to stage, and for how many days the rows are kept.

    `admitted`: the block in which staging takes place; it raises HttpError when there is no room for it.
    """

    staging: StagingWriter
    retention_days: int
    admitted: Callable[[], AbstractContextManager[None]] = nullcontext


StagingTargets = Callable[[Principal], StagingTarget]
"""The staging target of a BYOC tenant; raises HttpError when there is none or it cannot be reached."""


def no_target(_caller: Principal) -> StagingTarget:
    """Reject the request: this environment serves no BYOC tenants."""
    from functions.shared.byoc.buckets import no_destination_error

    raise no_destination_error()
