"""The refresh token that the API returns: Cognito's token with its session, signed by us.

`r1.<session>.<signature>.<Cognito's token>`: the session is the base64url of subject, session and time of
sign-in; the signature covers all the rest. So a made-up token is rejected with one HMAC, without a call to
DynamoDB or Cognito, and the owner of a valid token is known before it is used.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from functions.shared.secret_text import SecretText

PURPOSE = "refresh token"

_FORM = re.compile(r"(r1\.([\w-]{16,512}))\.([\w-]{43})\.([\w.=-]{1,7168})", re.ASCII)

Sign = Callable[[str, str], str]
"""Signs a text for a purpose: functions.accounts.identity.Identity.sign."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`token` is Cognito's; `signed_in_at` in Unix seconds."""

    subject: str
    session: str
    signed_in_at: int
    token: SecretText

    def signed(self, sign: Sign) -> SecretText:
        """The token that the API returns."""
        whose = json.dumps([self.subject, self.session, self.signed_in_at]).encode()
        head, tail = f"r1.{base64.urlsafe_b64encode(whose).rstrip(b'=').decode()}", self.token.reveal()
        return SecretText(f"{head}.{sign(PURPOSE, f'{head}.{tail}')}.{tail}")


def verify_refresh_token(text: SecretText, sign: Sign) -> RefreshToken | None:
    """The parts of a token made by `RefreshToken.signed`; None for any other text."""
    form = _FORM.fullmatch(text.reveal())
    if form is None:
        return None
    head, whose, signature, tail = form.groups()
    if not compare_digest(sign(PURPOSE, f"{head}.{tail}"), signature):
        return None
    try:
        subject, session, signed_in_at = json.loads(base64.urlsafe_b64decode(whose + "=" * (-len(whose) % 4)))
    except (binascii.Error, ValueError):
        return None
    return RefreshToken(subject, session, signed_in_at, SecretText(tail))
