"""The contract between the scheduling of files and a drop-in function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import TenantId
from functions.uploads.backlog import WaitingFile

LEASE_MARGIN_SECONDS = 10
"""How much longer than its invocation the lease of a slot or batch lasts."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class NoSlot:
    """No slot is free now; `seconds`: when to ask again, None while other invocations have the slots."""

    seconds: float | None = None


class Worker(Protocol[S]):
    """The work of one of the drop-in functions, for one invocation."""

    def owner(self, file: DroppedFile) -> TenantId | None:
        """The tenant of the file, without reading it; None when there is nothing to do."""
        ...

    def lease_seconds(self) -> float:
        """How long a lease must last so that the invocation has ended when it expires."""
        ...

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        """Why no slot is free now; None when one is. Raises RetryableError."""
        ...

    def take_slot(self, tenant: TenantId) -> S | NoSlot:
        """Acquire a slot to read files of `tenant`; raises RetryableError when its state is unavailable."""
        ...

    def reject(self, files: Sequence[WaitingFile], slot: S) -> list[WaitingFile]:
        """Reject new `files` together if the account's logs are rejected now; return those left to read."""
        ...

    def work(self, file: WaitingFile, slot: S) -> int | None:
        """Process the file; return the seconds after which it must be tried again, or None.

        Raises UsagePendingError when no file of the account may be read now.
        """
        ...

    def release_slot(self, slot: S) -> None:
        """Release the slot; never raises RetryableError."""
        ...
