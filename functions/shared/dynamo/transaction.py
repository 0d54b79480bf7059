"""Several writes to DynamoDB that all take place, or none."""

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
    """A write's condition did not hold, so nothing was written: read again and decide anew."""


def write_all(client: Any, writes: Sequence[dict[str, Any]]) -> None:
    """Run `writes`, items of TransactWriteItems, as one transaction.

    When another transaction holds one of the items it is tried again. botocore sends one token with all
    attempts of a call, so an answer that was lost does not make it happen twice.

    Raises
    ------
    UnmetError, StoreUnavailableError: after the second, nobody knows whether it took place.
    """
    for _ in range(TRIES):
        if _written(client, writes):
            return
        time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
    raise StoreUnavailableError("DynamoDB: others keep writing the same items")


def _written(client: Any, writes: Sequence[dict[str, Any]]) -> bool:
    """False when another transaction was in the way."""
    try:
        client.transact_write_items(TransactItems=list(writes))
    except ClientError as fault:
        code = fault.response["Error"]["Code"]
        reasons = {each.get("Code") for each in fault.response.get("CancellationReasons", ())}
    except BotoCoreError as fault:
        raise StoreUnavailableError(f"DynamoDB: {type(fault).__name__}") from None
    else:
        return True
    # Raised outside of `except`: botocore's errors quote what was written and would stay on as the context.
    if "ConditionalCheckFailed" in reasons:
        raise UnmetError("a condition did not hold")
    if reasons - {"None"} == {"TransactionConflict"}:
        return False
    raise StoreUnavailableError(f"DynamoDB: {code}")
