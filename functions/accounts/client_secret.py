"""The secret of our Cognito client; every unsigned call must prove knowledge of it.

The client's id is in every access token. Without a secret, any reader of a token could sign up, confirm and
reset passwords without passing our counters. No template and no environment variable holds the secret: our
role reads it from the pool, once for each execution environment. A new secret means a new client, and so a
new deployment.
"""

import base64
import hmac
from typing import Any

from functions.shared.aws_client import asked
from functions.shared.errors import RetryableError
from functions.shared.secret_text import SecretText


class SecretUnavailableError(RetryableError):
    """The client's secret cannot be read from the pool."""


class ClientSecret:
    """Reads the secret on first use; a failed read is not cached.

    `cognito`: a boto3 client of Cognito's user pools. Every method raises SecretUnavailableError.
    """

    def __init__(self, pool: str, client_id: str, cognito: Any) -> None:
        self._pool = pool
        self._client_id = client_id
        self._client = cognito
        self._secret: SecretText | None = None

    def secret(self) -> SecretText:
        """The secret itself, for the one call that accepts no hash."""
        if self._secret is None:
            self._secret = self._read()
        return self._secret

    def hash_for(self, username: str) -> str:
        """Cognito's SECRET_HASH: HMAC-SHA256 over the username of the call and the client's id."""
        return base64.b64encode(self._digest(f"{username}{self._client_id}")).decode()

    def sign(self, purpose: str, text: str) -> str:
        """Our own signature over `text`, in base64url without padding; Cognito never sees it.

        `purpose` separates it from SECRET_HASH and from other purposes: no username begins with a NUL.
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
