"""Classify the failure of a customer's destination: a pure function from errors to reason codes."""

from dataclasses import dataclass

from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.role_sessions import RoleRefusedError
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.egress.response_limits import AnswerTooLongError
from functions.shared.errors import AstralogError
from functions.shared.frames import DecodedTooLargeError
from functions.shared.warehouse import (
    LongResultError,
    OutcomeUnknownError,
    UnusableAnswerError,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)
from functions.sync.load import BatchTooLargeError

CREDENTIALS = "refused_credentials"
UNREACHABLE = "unreachable"
NO_ANSWER = "no_answer"
BUSY = "busy"
NO_TABLE = "table_missing"
REFUSED = "refused"
NO_BUCKET = "no_bucket"
BUCKET_CREDENTIALS = "bucket_refused"
BUCKET_UNREACHABLE = "bucket_unreachable"
ROLE_REFUSED = "role_refused"
ADDRESS_REFUSED = "address_refused"
UNREADABLE = "credentials_unreadable"
NO_DESTINATION = "no_destination"
GARBLED = "garbled"
ANSWER_REFUSED = "answer_refused"
TOO_LARGE = "objects_too_large"

_CREDENTIAL_CODES = frozenset({192, 193, 194, 497, 516})
"""Unknown user, wrong or missing password, missing privilege."""

_NO_TABLE_CODES = frozenset({16, 60, 81})
"""No such column, table or database."""

_BUCKET_REASONS = {
    "NoSuchBucket": NO_BUCKET,
    AddressRefusedError.__name__: ADDRESS_REFUSED,
    RoleRefusedError.__name__: ROLE_REFUSED,
    AnswerTooLongError.__name__: ANSWER_REFUSED,
}

_BATCH_CODES = frozenset({241})
"""Memory limit exceeded: another batch may still fit."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`ours`: says nothing about the destination. `stops`: other batches would fail too."""

    reason: str
    stops: bool
    ours: bool = False


def classify_error(error: AstralogError) -> Fault:
    """What `error` says about the destination."""
    match error:
        case WarehouseDownError():
            return Fault(UNREACHABLE, stops=True)
        case UnusableAnswerError() | LongResultError():
            return Fault(ANSWER_REFUSED, stops=True)
        case OutcomeUnknownError():
            return Fault(NO_ANSWER, stops=True)
        case WarehouseBusyError() | WarehouseRefusedError():
            return _answered(error.engine_code, passes=isinstance(error, WarehouseBusyError))
        case BucketRefusedError():
            return Fault(_BUCKET_REASONS.get(error.reason, BUCKET_CREDENTIALS), stops=True)
        case BucketError():
            return Fault(BUCKET_UNREACHABLE, stops=True)
        case AddressRefusedError():
            return Fault(ADDRESS_REFUSED, stops=True)
        case BatchTooLargeError() | DecodedTooLargeError():
            return Fault(TOO_LARGE, stops=False)
        case CredentialsUnreadableError():
            return Fault(UNREADABLE, stops=True)
        case NoDestinationError():
            return Fault(NO_DESTINATION, stops=True)
        case _:
            return Fault(type(error).__name__, stops=False, ours=True)


def _answered(engine_code: int, *, passes: bool) -> Fault:
    if engine_code in _CREDENTIAL_CODES:
        return Fault(CREDENTIALS, stops=True)
    if engine_code in _NO_TABLE_CODES:
        return Fault(NO_TABLE, stops=True)
    if passes:
        return Fault(BUSY, stops=engine_code not in _BATCH_CODES)
    return Fault(REFUSED, stops=False)
