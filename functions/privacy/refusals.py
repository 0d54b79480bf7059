"""Refusals of requests that an account repeats: for some seconds each costs nothing.

To count an account's erasures, all of them are read. An account at its limit would otherwise make us read
fifty items for each further request.
"""

from collections.abc import Callable
from threading import Lock

from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId

REFUSED_SECONDS = 5
"""For so long an environment does not look again: an erasure that is verified meanwhile counts as open."""

MAX_ACCOUNTS = 1_000

Refusal = Callable[[int], HttpError]
"""The error at a time, in Unix seconds."""


class Refusals:
    """The refusals of one environment; safe to use from several threads."""

    def __init__(self) -> None:
        self._refused: dict[TenantId, tuple[int, Refusal]] = {}
        self._lock = Lock()

    def check(self, tenant: TenantId, now: int) -> None:
        """Raise the account's HttpError if it was refused in the last REFUSED_SECONDS."""
        with self._lock:
            until, refusal = self._refused.get(tenant, (0, None))
        if refusal and now < until:
            raise refusal(now)

    def remember(self, tenant: TenantId, refusal: Refusal, now: int) -> None:
        """Refuse the account from now on, without a look at the table."""
        with self._lock:
            if len(self._refused) >= MAX_ACCOUNTS:
                self._refused.clear()
            self._refused[tenant] = (now + REFUSED_SECONDS, refusal)
