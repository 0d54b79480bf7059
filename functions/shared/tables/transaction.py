"""DynamoDB transactions: several writes, all or none."""

import random
import time
from collections.abc import Sequence
from typing import Any

from functions.shared.aws_client import client as aws_client
from functions.shared.tables.store_errors import StoreUnavailableError, WriteConflictError, answer_of

TRIES = 5
_WAIT_SECONDS = 0.05

WRITES_A_TRANSACTION = 100
"""The most that DynamoDB takes."""

Write = dict[str, Any]
"""One write of a transaction, as the methods `write_of_…` of a Table return it."""


def open_client() -> Any:
    """A boto3 client; region, endpoint and credentials come from the environment.

    It does not validate requests, which pynamodb builds: that took a quarter of a large transaction's CPU.
    """
    return aws_client("dynamodb", parameter_validation=False)


def write_all(client: Any, writes: Sequence[Write]) -> None:
    """Run `writes` as one transaction.

    It is retried when another transaction holds one of the items. botocore sends the same token with all
    attempts of a call, so a lost response does not run it twice.

    Raises
    ------
    ConditionFailedError
    StoreUnavailableError: the transaction may or may not have taken place.
    """
    for _ in range(TRIES):
        try:
            write_once(client, writes)
        except WriteConflictError:
            time.sleep(random.uniform(0, _WAIT_SECONDS))  # noqa: S311
        else:
            return
    raise StoreUnavailableError("DynamoDB: others keep writing the same items")


def write_in_parts(client: Any, writes: Sequence[Write]) -> None:
    """Run `writes` in transactions of WRITES_A_TRANSACTION; each of them succeeds or fails as a whole.

    Raises as `write_all`; parts before are written then.
    """
    for start in range(0, len(writes), WRITES_A_TRANSACTION):
        write_all(client, writes[start : start + WRITES_A_TRANSACTION])


def write_once(client: Any, writes: Sequence[Write]) -> None:
    """Like `write_all`, without a retry.

    Raises
    ------
    ConditionFailedError
    WriteConflictError: another transaction holds one of the items.
    StoreUnavailableError: the transaction may or may not have taken place.
    """
    answer_of(lambda: client.transact_write_items(TransactItems=list(writes)))
