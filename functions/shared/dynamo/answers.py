"""DynamoDB errors, without the contents of the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.aws_client import client
from functions.shared.errors import RetryableError


class StoreUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request."""


def open_client() -> Any:
    """A client; region, endpoint and credentials come from the environment."""
    return client("dynamodb")


@contextmanager
def answered() -> Iterator[None]:
    """Convert every failure but an unmet condition to StoreUnavailableError, without the quoted request."""
    try:
        yield
    except ClientError as fault:
        if unmet(fault):
            raise
        raise StoreUnavailableError(f"DynamoDB: {fault.response['Error']['Code']}") from None
    except BotoCoreError as fault:
        raise StoreUnavailableError(f"DynamoDB: {type(fault).__name__}") from None


def unmet(fault: ClientError) -> bool:
    """Whether `fault` means that a write's condition did not hold."""
    return bool(fault.response["Error"]["Code"] == "ConditionalCheckFailedException")
