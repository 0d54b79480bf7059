"""DynamoDB errors, without the contents of request and response.

RetryableError
    StoreUnavailableError       no answer, throttled, or any other failure
        WriteConflictError      another transaction holds an item
PermanentError
    ConditionFailedError                  the condition of a write did not hold
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from functions.shared.errors import PermanentError, RetryableError

T = TypeVar("T")

_UNMET = "ConditionalCheckFailed"


class StoreUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request; a write may or may not have taken place."""


class WriteConflictError(StoreUnavailableError):
    """Another transaction holds one of the items, so nothing was written."""


class ConditionFailedError(PermanentError):
    """A write's condition did not hold, so nothing was written: read again, then decide again."""


def cancellation_reasons(answer: Mapping[str, Any]) -> frozenset[str]:
    """Why DynamoDB cancelled a transaction: the codes of the writes that prevented it."""
    return frozenset(str(each.get("Code")) for each in answer.get("CancellationReasons") or ()) - {"None"}


def answer_of(call: Callable[[], T]) -> T:
    """The result of `call`, a call of a boto3 client.

    Raises
    ------
    ConditionFailedError, WriteConflictError, StoreUnavailableError
    """
    from botocore.exceptions import BotoCoreError, ClientError

    reasons: frozenset[str] = frozenset()
    try:
        return call()
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code"))
        reasons = cancellation_reasons(fault.response)
    except BotoCoreError as fault:
        code = type(fault).__name__
    # Raised outside of `except`: botocore's errors quote the request and would remain as the context.
    raise error_of(code, reasons)


def error_of(code: str, reasons: frozenset[str] = frozenset()) -> Exception:
    """The error for DynamoDB's `code`; `reasons` are those of a cancelled transaction, without "None"."""
    if _UNMET in reasons or code == f"{_UNMET}Exception":
        return ConditionFailedError("a condition did not hold")
    if reasons == {"TransactionConflict"} or code == "TransactionConflictException":
        return WriteConflictError("DynamoDB: TransactionConflict")
    return StoreUnavailableError(f"DynamoDB: {code}")
