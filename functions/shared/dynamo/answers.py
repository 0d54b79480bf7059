"""DynamoDB: what failed, and nothing of what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.aws_client import client
from functions.shared.errors import RetryableError


class StoreUnavailableError(RetryableError):
    """DynamoDB did not answer, or asks us to slow down."""


def open_client() -> Any:
    """Region, endpoint and credentials are those of the environment."""
    return client("dynamodb")


@contextmanager
def answered() -> Iterator[None]:
    """Make every failure but an unmet condition a StoreUnavailableError, without the request it quotes."""
    try:
        yield
    except ClientError as fault:
        if unmet(fault):
            raise
        raise StoreUnavailableError(f"DynamoDB: {fault.response['Error']['Code']}") from None
    except BotoCoreError as fault:
        raise StoreUnavailableError(f"DynamoDB: {type(fault).__name__}") from None


def unmet(fault: ClientError) -> bool:
    """Whether `fault` says that a write's condition did not hold."""
    return bool(fault.response["Error"]["Code"] == "ConditionalCheckFailedException")
