"""The secret of our client at Cognito, which every call that needs no signature must prove to know.

The client's id stands in every access token. Without a secret whoever reads one could sign up, confirm and
reset passwords past our counters. No template and no environment holds the secret: it is read from the pool
by our role, once an execution environment. A new secret is a new client, and so a new deploy.
"""

import base64
import hmac
from typing import Any

from functions.shared.aws_client import asked
from functions.shared.errors import RetryableError
from functions.shared.secret_text import SecretText


class SecretUnavailableError(RetryableError):
    """The pool does not say what the client's secret is."""


class ClientSecret:
    """Reads the secret when it is first asked for; a failure to read it is not kept.

    `cognito`: a boto3 client of Cognito's user pools. Every method raises SecretUnavailableError.
    """

    def __init__(self, pool: str, client_id: str, cognito: Any) -> None:
        self._pool = pool
        self._client_id = client_id
        self._client = cognito
        self._secret: SecretText | None = None

    def secret(self) -> SecretText:
        """The secret itself, for the one call that takes no hash."""
        if self._secret is None:
            self._secret = self._read()
        return self._secret

    def hash_for(self, username: str) -> str:
        """Cognito's SECRET_HASH: HMAC-SHA256 over the name that a call is made with and the client's id."""
        return base64.b64encode(self._digest(f"{username}{self._client_id}")).decode()

    def sign(self, purpose: str, text: str) -> str:
        """Our own signature over `text`, in base64url without padding; Cognito never sees it.

        `purpose` keeps it apart from every other use: no name of a person begins with a NUL.
        """
        return base64.urlsafe_b64encode(self._digest(f"\0{purpose}\0{text}")).rstrip(b"=").decode()

    def _digest(self, message: str) -> bytes:
        return hmac.digest(self.secret().reveal().encode(), message.encode(), "sha256")

    def _read(self) -> SecretText:
        found = asked(
            lambda: self._client.describe_user_pool_client(UserPoolId=self._pool, ClientId=self._client_id),
            lambda code: SecretUnavailableError(f"Cognito: {code}"),
        )["UserPoolClient"]
        if not found.get("ClientSecret"):
            raise SecretUnavailableError("the client has no secret")
        return SecretText(found["ClientSecret"])
