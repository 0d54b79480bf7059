"""Places in a BYOC customer's destination: errors as ours, and a missing destination counts as empty."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from functions.privacy.erasure.place import ErasurePlace, NotYetError
from functions.shared import journal
from functions.shared.buckets.contract import ListingTooLongError
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import RetryableError
from functions.shared.warehouse import WarehouseRefusedError

_NO_TABLE_CODES = frozenset({60, 81})

T = TypeVar("T")

UNREACHABLE = "destination"
LISTING = "listing"
"""What an erasure waits for if the customer's bucket lists more than is read, or never stops listing."""


@dataclass(frozen=True, slots=True)
class ByocPlace:
    """A place in the destination of a BYOC account.

    If an account has removed its destination, its data there stays: we store nothing of it, and cannot reach
    it. If a destination is unreachable, the erasure waits, until the deadline.

    `open`: creates the place, which connects.
    """

    open: Callable[[], ErasurePlace]

    def count(self) -> int:
        return self._reached(lambda place: place.count(), 0)

    def remove(self) -> str | None:
        return self._reached(lambda place: place.remove(), None)

    def _reached(self, call: Callable[[ErasurePlace], T], nothing: T) -> T:
        try:
            return call(self.open())
        except NoDestinationError:
            return nothing
        except WarehouseRefusedError as refusal:
            if refusal.engine_code in _NO_TABLE_CODES:
                return nothing
            reason = f"engine_{refusal.engine_code}"
        except NotYetError:
            raise
        except ListingTooLongError:
            raise NotYetError(LISTING) from None
        except (CredentialsUnreadableError, AddressRefusedError, RetryableError) as fault:
            reason = type(fault).__name__
        except (ValueError, LookupError, TypeError) as fault:
            # The endpoint answers neither as ClickHouse nor as S3.
            reason = type(fault).__name__
        journal.write("destination_not_reached", reason=reason)
        raise NotYetError(UNREACHABLE)
