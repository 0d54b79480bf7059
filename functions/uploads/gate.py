"""Gate: whether reading a file may continue, by account status, cap, and usage that is not metered yet.

Asked before a file is begun and between any two of its parts, so a file exceeds a cap by one part at most
(docs/adr/0019). The meter counts usage a minute or two after it is staged; the bytes that the account's files
have staged meanwhile are added.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.shared.accounts.account_status import ACCOUNT_CLOSING, AccountStatus, refusal_reason
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

WAIT_SECONDS = 60
"""The time until the meter has run again."""

ELSEWHERE = "other_cloud"
_ELSEWHERE_REASON = "This account stores its logs in its own bucket (BYOC). Put the file into that bucket."

_RESUME = "Then POST /v1/uploads/{id}/resume reads the rest of the file."


@dataclass(frozen=True, slots=True)
class Halt:
    """Why reading a file does not continue.

    `code`: the code of a 402, with which the file stops; empty when it only waits `wait_seconds` for usage to
    be metered.
    """

    code: str
    wait_seconds: int = 0

    @property
    def reason(self) -> str:
        return halt_reason(self.code)


class UsagePendingError(RetryableError):
    """Unmetered usage may reach the account's cap: none of its files is read until it is metered.

    `seconds`: when to retry.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__("the account's usage is not counted yet")
        self.seconds = seconds


class Gate(Protocol):
    """The gate of one account. Both methods raise StoreUnavailableError."""

    def halt(self) -> Halt | None:
        """Why reading must stop now; None when it may continue."""
        ...

    def staged(self, raw_bytes: int) -> None:
        """Count a newly staged object of `raw_bytes` of rows."""
        ...


class AccountStatusSource(Protocol):
    """The part of functions.uploads.account_status.AccountStatuses that a gate uses."""

    def of(self, tenant: TenantId, /) -> AccountStatus | None: ...


class StagedBytesCounter(Protocol):
    """The part of functions.uploads.counters.StagedBytes that a gate uses."""

    def add(self, tenant: TenantId, raw_bytes: int, /) -> None: ...
    def recent(self, tenant: TenantId, /) -> int: ...


class AccountGate:
    """The gate of `tenant`. `refusal`: the code with which its status rejects files; empty when accepted."""

    def __init__(
        self,
        tenant: TenantId,
        accounts: AccountStatusSource,
        staged: StagedBytesCounter,
        refusal: Callable[[AccountStatus, float], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tenant = tenant
        self._accounts = accounts
        self._staged = staged
        self._refusal = refusal
        self._clock = clock
        self._is_capped = False

    def halt(self) -> Halt | None:
        account_status, now = self._accounts.of(self._tenant), self._clock()
        if account_status is None:
            return Halt(ACCOUNT_CLOSING)
        if code := self._refusal(account_status, now):
            return Halt(code)
        left = account_status.bytes_left(now)
        self._is_capped = left is not None
        if left is None:
            return None
        uncounted = self._staged.recent(self._tenant)
        # With nothing unmetered, one part may pass: a file larger than what is left would wait for ever.
        return Halt("", WAIT_SECONDS) if uncounted and uncounted >= left else None

    def staged(self, raw_bytes: int) -> None:
        if self._is_capped:
            self._staged.add(self._tenant, raw_bytes)


def halt_reason(code: str) -> str:
    """The reason in the status of a file that stopped, or was not begun, with `code`."""
    return _ELSEWHERE_REASON if code == ELSEWHERE else f"{refusal_reason(code)} {_RESUME}"
