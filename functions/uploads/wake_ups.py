"""Wake-up messages of a backlog, and what an environment knows of accounts whose files must wait.

While a backlog is not empty, a wake-up message of the account is on its way, and arrives at the latest when
the lease of a slot that is held now has expired. It is recorded in the table after it is published, so a
process that dies in between leaves one too many: a wake-up message that finds nothing to do is deleted.
"""

import math
from dataclasses import dataclass

from functions.shared.tenancy import TenantId
from functions.uploads.backlog import Backlogs, BacklogState
from functions.uploads.queue import LONGEST_PAUSE_SECONDS, DropQueue

FULL_SECONDS = 2
"""How long "no free slot" is cached. It saves requests only: appending to a backlog asks anew."""

LONGEST_FULL_SECONDS = 10
"""The longest time for which it is cached when an account must wait: its bucket may have been fixed."""

SOONEST_SECONDS = 10
"""A wake-up that is only a precaution does not arrive sooner: else a failing bucket has many of them."""

CLOCK_SKEW_SECONDS = 5
"""How far two clocks may differ: within it, a wake-up counts as gone, and a wait as over."""

_ACCOUNTS = 1000


@dataclass(slots=True)
class _Known:
    """What is known of an account; Unix seconds, 0 for nothing."""

    full_until: int = 0
    waits_until: int = 0
    wakes_at: int = 0


class WakeUps:
    """The wake-up messages that this environment publishes with a delay; one instance for each environment.

    Errors are StoreUnavailableError and NotificationError.
    """

    def __init__(self, queue: DropQueue, backlogs: Backlogs) -> None:
        self._queue = queue
        self._backlogs = backlogs
        self._accounts: dict[TenantId, _Known] = {}

    def is_full(self, tenant: TenantId) -> bool:
        """Whether the account had no free slot lately."""
        return self._of(tenant).full_until > self._backlogs.now()

    def must_wait(self, tenant: TenantId) -> bool:
        """Whether no file of the account may be read now, and a wake-up arrives when one may."""
        return self._of(tenant).waits_until - CLOCK_SKEW_SECONDS > self._backlogs.now()

    def note_full(self, tenant: TenantId, seconds: float | None) -> None:
        """Note that no slot was free, for `seconds` if that is known."""
        longest = min(max(math.ceil(seconds or 0), FULL_SECONDS), LONGEST_FULL_SECONDS)
        self._of(tenant).full_until = self._backlogs.now() + longest

    def note_free(self, tenant: TenantId) -> None:
        """Note that a slot is free."""
        self._of(tenant).full_until = 0

    def note_wait(self, tenant: TenantId, state: BacklogState) -> None:
        """Note that the account must wait; for LONGEST_FULL_SECONDS at most, then its state is read again."""
        known = self._of(tenant)
        known.full_until = min(state.waits_until, state.now + LONGEST_FULL_SECONDS)
        known.waits_until = state.waits_until

    def ensure(self, tenant: TenantId, seconds: float, state: BacklogState | None = None) -> None:
        """Publish a wake-up that arrives in `seconds`, unless one arrives by then.

        `state`: of the backlog, if it was read just now.
        """
        known, now = self._of(tenant), self._backlogs.now()
        delay = min(max(math.ceil(seconds), SOONEST_SECONDS) + 1, LONGEST_PAUSE_SECONDS)
        if _arrives(known.wakes_at, now, delay):
            return
        known.wakes_at = (state or self._backlogs.look(tenant)).wakes_at
        if _arrives(known.wakes_at, now, delay):
            return
        self._queue.wake(tenant, delay)
        self._backlogs.note_wake_up(tenant, now + delay)
        known.wakes_at = now + delay

    def _of(self, tenant: TenantId) -> _Known:
        """What is known of the account; of a thousand accounts, the oldest entry is evicted first."""
        if tenant not in self._accounts:
            while len(self._accounts) >= _ACCOUNTS:
                del self._accounts[next(iter(self._accounts))]
            self._accounts[tenant] = _Known()
        return self._accounts[tenant]


def _arrives(wakes_at: int, now: int, delay: int) -> bool:
    """Whether a wake-up at `wakes_at` is still on its way, and arrives about `delay` from now or sooner."""
    return now + CLOCK_SKEW_SECONDS < wakes_at <= now + delay + CLOCK_SKEW_SECONDS
