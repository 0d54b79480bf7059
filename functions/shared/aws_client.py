"""boto3's clients, loaded on first use only, and their faults without what was asked or answered."""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

_one_at_a_time = Lock()
"""boto3's session may make one client at a time; what is used by many threads makes its own on first use."""


def client(service: str) -> Any:
    """A boto3 client that gives up while a request that waits for it can still be answered."""
    return _made(service, read_timeout=3)


def s3_client(read_seconds: int) -> Any:
    """A boto3 client for S3, for what obstore does not do: links, uploads that outlive a process, odd keys.

    Its links lead to the bucket's own region: unless told so, boto3 makes some that do not lead into all of
    them. They are of Signature Version 4, which alone signs headers, and which SSE-KMS takes no link without.
    """
    addressing = {
        "addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual",
        "us_east_1_regional_endpoint": "regional",
    }
    return _made("s3", read_timeout=read_seconds, signature_version="s3v4", s3=addressing)


def _made(service: str, **configuration: Any) -> Any:
    import boto3
    from botocore.config import Config

    patience = {"mode": "standard", "total_max_attempts": 3}
    with _one_at_a_time:
        return boto3.client(service, config=Config(connect_timeout=2, retries=patience, **configuration))


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
