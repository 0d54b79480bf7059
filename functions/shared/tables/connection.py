"""pynamodb's connection on a boto3 client: timeouts, retries and endpoint of functions.shared.aws_client."""

from typing import Any

from botocore import xform_name
from pynamodb.connection import Connection

from functions.shared.tables.store_errors import answer_of
from functions.shared.tables.transaction import open_client


class ClientConnection(Connection):
    """Builds requests as pynamodb does, sends them with a boto3 client, and maps the errors.

    Parameters
    ----------
    boto3_client: None for one that is made on first use.
    """

    def __init__(self, boto3_client: Any = None) -> None:
        super().__init__()
        self._boto3_client = boto3_client

    def __repr__(self) -> str:
        """pynamodb's own creates a client."""
        return "ClientConnection()"

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send one request.

        Raises
        ------
        ConditionFailedError, WriteConflictError, StoreUnavailableError
        """
        if self._boto3_client is None:
            self._boto3_client = open_client()
        operation = getattr(self._boto3_client, xform_name(operation_name))
        answer: dict[str, Any] = answer_of(lambda: operation(**operation_kwargs))
        return answer
