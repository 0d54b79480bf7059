"""The tokens that the identity provider issues for a session."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """Tokens of a sign-in or refresh; `refresh` is None after a refresh. `expires_in` in seconds.

    `session` and `signed_in_at` (Unix seconds) are the same for all tokens of one sign-in.
    """

    subject: str
    session: str
    signed_in_at: int
    access: SecretText
    refresh: SecretText | None
    expires_in: int


def session_tokens(result: dict[str, Any]) -> SessionTokens:
    access: str = result["AccessToken"]
    refresh = result.get("RefreshToken")
    claims = _claims(access)
    return SessionTokens(
        subject=claims["sub"],
        session=claims["origin_jti"],
        signed_in_at=claims["auth_time"],
        access=SecretText(access),
        refresh=SecretText(refresh) if refresh else None,
        expires_in=result["ExpiresIn"],
    )


def _claims(access: str) -> dict[str, Any]:
    """Read the claims without verification: the token comes directly from Cognito."""
    payload = access.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
