"""A person's data in Cognito: exported by a data export, deleted by an erasure.

Beside functions.accounts.identity the only module that names Cognito. It finds people by their permanent id,
and does nothing that needs a password or a code.
"""

from collections.abc import Callable, Iterator
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError

_UNKNOWN = "UserNotFoundException"


class SignInsUnavailableError(RetryableError):
    """Cognito did not answer, or throttles."""


class _UnknownError(Exception):
    """No person has this id."""


class SignIns:
    """The people of one pool. Every method raises SignInsUnavailableError when Cognito fails.

    Parameters
    ----------
    cognito: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, pool: str, cognito: Any = None) -> None:
        self._pool = pool
        self._cognito = cognito

    def of(self, subject: str) -> dict[str, Any] | None:
        """The person's data: attributes by name, `status`, `created_at`, `changed_at`; None if unknown."""
        try:
            answer = self._call("admin_get_user", subject)
        except _UnknownError:
            return None
        return {
            **{each["Name"]: each["Value"] for each in answer["UserAttributes"]},
            "status": answer["UserStatus"],
            "created_at": answer["UserCreateDate"].isoformat(),
            "changed_at": answer["UserLastModifiedDate"].isoformat(),
        }

    def unconfirmed(self, before: float, has_time: Callable[[], bool] = lambda: True) -> Iterator[str]:
        """The ids of people who signed up before then, in Unix seconds, and have not confirmed an address.

        `has_time` is called before each page after the first.
        """
        start: dict[str, str] = {}
        while True:
            page = self._list(Filter='cognito:user_status = "UNCONFIRMED"', **start)
            for each in page["Users"]:
                if each["UserCreateDate"].timestamp() < before:
                    yield each["Username"]
            if "PaginationToken" not in page or not has_time():
                return
            start = {"PaginationToken": page["PaginationToken"]}

    def remove(self, subject: str) -> None:
        """Delete the person, including sessions; a missing person is not an error."""
        try:
            self._call("admin_delete_user", subject)
        except _UnknownError:
            return

    def _call(self, operation: str, subject: str) -> Any:
        return asked(
            lambda: getattr(self._client, operation)(UserPoolId=self._pool, Username=subject), _failed
        )

    def _list(self, **question: str) -> Any:
        return asked(lambda: self._client.list_users(UserPoolId=self._pool, **question), _failed)

    @property
    def _client(self) -> Any:
        self._cognito = self._cognito or client("cognito-idp")
        return self._cognito


def _failed(code: str) -> Exception:
    return _UnknownError() if code == _UNKNOWN else SignInsUnavailableError(f"Cognito: {code}")
