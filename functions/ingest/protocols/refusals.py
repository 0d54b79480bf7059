"""Why a request was rejected, as a client's retries see it.

Each client retries other statuses and drops a batch at the rest. So a protocol maps these causes, and not our
statuses, to the ones of its client.
"""

from collections.abc import Mapping
from enum import Enum, auto

from functions.shared.errors import HttpError


class Cause(Enum):
    """What a retry can do about a rejected request."""

    BUSY = auto()
    """429: nothing is stored, and the same request is accepted in a moment."""
    UNAVAILABLE = auto()
    """500 or 503: a fault on our side; a retry may double what was stored."""
    OVER_QUOTA = auto()
    """402 that ends with the period, a payment or another cap: what a client keeps till then is not lost."""
    CLOSED = auto()
    """402 that ends with a new subscription at the earliest: a retry is useless."""
    INVALID = auto()
    """Everything else: key, scope, size or body are wrong, and stay so."""


_ENDS_BY_ITSELF = frozenset({"quota_exceeded", "trial_quota_exceeded", "payment_overdue"})


def cause_of(error: HttpError) -> Cause:
    """The cause of a rejected request."""
    if error.status == 429:
        return Cause.BUSY
    if error.status >= 500:
        return Cause.UNAVAILABLE
    if error.status == 402:
        return Cause.OVER_QUOTA if error.code in _ENDS_BY_ITSELF else Cause.CLOSED
    return Cause.INVALID


def status_for(error: HttpError, statuses: Mapping[Cause, int]) -> int:
    """The status in `statuses` for the error's cause; its own status for a cause that is not there."""
    return statuses.get(cause_of(error), error.status)


QUOTA_WAIT_SECONDS = 600
"""The `Retry-After` of an account over its quota: long, because only the customer or a new period ends it."""

_RETRY_SECONDS = 2


def retry_after(error: HttpError) -> dict[str, str]:
    """The header that asks for a retry; none where a retry is useless."""
    cause = cause_of(error)
    if cause is Cause.OVER_QUOTA:
        return {"retry-after": str(QUOTA_WAIT_SECONDS)}
    if cause in (Cause.BUSY, Cause.UNAVAILABLE):
        return {"retry-after": str(error.retry_after_seconds or _RETRY_SECONDS)}
    return {}
