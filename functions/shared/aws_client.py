"""boto3's clients, loaded on first use only, and their faults without what was asked or answered."""

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

_one_at_a_time = Lock()
"""boto3's session may make one client at a time; what is used by many threads makes its own on first use."""


def client(service: str) -> Any:
    """A boto3 client that gives up while a request that waits for it can still be answered."""
    import boto3
    from botocore.config import Config

    patience = {"mode": "standard", "total_max_attempts": 3}
    with _one_at_a_time:
        return boto3.client(service, config=Config(connect_timeout=2, read_timeout=3, retries=patience))


def asked(call: Callable[[], T], failed: Callable[[str], Exception]) -> T:
    """What `call` of a boto3 client returns, or the error that `failed` makes of AWS's error code.

    Raised outside of `except`, for botocore's errors quote parameters and would stay on as its context.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code"))
    except BotoCoreError as fault:
        code = type(fault).__name__
    raise failed(code)
