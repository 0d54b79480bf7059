"""DynamoDB transactions: several writes, all or none."""

import random
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.dynamo.answers import StoreUnavailableError
from functions.shared.errors import PermanentError

TRIES = 5
_WAIT_SECONDS = 0.05


class UnmetError(PermanentError):
    """A write's condition did not hold, so nothing was written: read again, then decide again."""


def write_all(client: Any, writes: Sequence[dict[str, Any]]) -> None:
    """Run `writes`, items of TransactWriteItems, as one transaction.

    It is retried when another transaction holds one of the items. botocore sends the same token with all
    attempts of a call, so a lost response does not run it twice.

    Raises
    ------
    UnmetError
    StoreUnavailableError: the transaction may or may not have taken place.
    """
    for _ in range(TRIES):
        if _written(client, writes):
            return
        time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
    raise StoreUnavailableError("DynamoDB: others keep writing the same items")


def _written(client: Any, writes: Sequence[dict[str, Any]]) -> bool:
    """Run the transaction; False when it conflicts with another transaction."""
    try:
        client.transact_write_items(TransactItems=list(writes))
    except ClientError as fault:
        code = fault.response["Error"]["Code"]
        reasons = {each.get("Code") for each in fault.response.get("CancellationReasons", ())}
    except BotoCoreError as fault:
        raise StoreUnavailableError(f"DynamoDB: {type(fault).__name__}") from None
    else:
        return True
    # Raised outside of `except`: botocore's errors quote what was written and would remain as the context.
    if "ConditionalCheckFailed" in reasons:
        raise UnmetError("a condition did not hold")
    if reasons - {"None"} == {"TransactionConflict"}:
        return False
    raise StoreUnavailableError(f"DynamoDB: {code}")
