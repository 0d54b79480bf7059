"""Addresses nothing is mailed to: those that do not exist, and those whose owners called our mail spam.

Only a digest of an address is kept, for KEEP_DAYS: long enough to leave it alone, and no list of people.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any, Literal

from functions.shared.account.moments import moment
from functions.shared.dynamo.answers import answered, open_client

KEEP_DAYS = 365
SECONDS_A_DAY = 86_400

Reason = Literal["bounce", "complaint"]


class Suppressions:
    """The table of suppressed addresses, keyed by `address`, the digest.

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._client = client
        self._clock = clock

    def add(self, address: str, reason: Reason) -> None:
        """Mail `address` no more; the same again counts anew."""
        now = self._clock()
        item = {
            **_key(address),
            "reason": {"S": reason},
            "at": {"S": moment(now)},
            "forget_at": {"N": str(int(now) + KEEP_DAYS * SECONDS_A_DAY)},
        }
        self._call("put_item", Item=item)

    def holds(self, address: str) -> bool:
        """Whether nothing may be mailed to `address`; strongly consistent."""
        item = self._call("get_item", Key=_key(address), ConsistentRead=True).get("Item")
        # DynamoDB forgets late, so the date is looked at.
        return bool(item) and int(item["forget_at"]["N"]) > self._clock()

    def lift(self, address: str) -> None:
        """Mail `address` again; SES has a list of its own, which this does not change."""
        self._call("delete_item", Key=_key(address))

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._client = self._client or open_client()
        with answered():
            return getattr(self._client, operation)(TableName=self._table, **parameters)


def _key(address: str) -> dict[str, Any]:
    """Upper and lower case are one address, to every mailbox that is worth mailing."""
    return {"address": {"S": hashlib.sha256(address.strip().lower().encode()).hexdigest()}}
