"""boto3 clients, loaded on first use, and their errors without the contents of request and response."""

import os
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

_one_at_a_time = Lock()
"""A boto3 session can create one client at a time; objects shared by threads create theirs on first use."""


def client(service: str, **configuration: Any) -> Any:
    """A boto3 client whose timeouts leave time to answer the request that waits for it.

    `configuration`: further settings of botocore's Config.
    """
    return _made(service, read_timeout=3, **configuration)


def hasty_client(service: str) -> Any:
    """A boto3 client with short timeouts and no retries, for what a request can do without."""
    return _made(service, connect_timeout=0.3, read_timeout=0.3, tries=1)


def s3_client(read_seconds: int) -> Any:
    """A boto3 client for S3, for what obstore lacks: presigned URLs, resumable uploads, unusual keys.

    Its URLs name the bucket's region: boto3's default URLs do not work in all regions. They use Signature
    Version 4, the only one that signs headers and that SSE-KMS accepts.
    """
    addressing = {
        "addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual",
        "us_east_1_regional_endpoint": "regional",
    }
    return _made("s3", read_timeout=read_seconds, signature_version="s3v4", s3=addressing)


def _made(service: str, *, connect_timeout: float = 2, tries: int = 3, **configuration: Any) -> Any:
    import boto3
    from botocore.config import Config

    patience = {"mode": "standard", "total_max_attempts": tries}
    with _one_at_a_time:
        return boto3.client(
            service, config=Config(connect_timeout=connect_timeout, retries=patience, **configuration)
        )


def _error_code(error: Mapping[str, Any]) -> str:
    return str(error.get("Code"))


def asked(
    call: Callable[[], T],
    failed: Callable[[str], Exception],
    code_of: Callable[[Mapping[str, Any]], str] = _error_code,
) -> T:
    """Return the result of `call`, a boto3 call; on error raise what `failed` makes of AWS's error code.

    `code_of`: the code in the member `Error` of a response; for a service that says more in its message.

    Raised outside of `except`: botocore's errors quote parameters and would remain as its context.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as fault:
        code = code_of(fault.response.get("Error", {}))
    except BotoCoreError as fault:
        code = type(fault).__name__
    raise failed(code)
