"""The unsubscribe link of a mail: a token that has no meaning and cannot be guessed.

160 random bits, stored with the person and derived from none of their data, so that the token outlives a
change of address. Six check characters distinguish a truncated link from a complete one without a lookup of
its owner.
"""

import base64
import hashlib
import hmac
import re
import secrets

RANDOM_BYTES = 20
CHECK_CHARACTERS = 6

PATH = "/v1/unsubscribe/"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{33}")


def new_token() -> str:
    """A new token without an owner."""
    random = secrets.token_urlsafe(RANDOM_BYTES)
    return random + _check(random)


def is_well_formed(token: str) -> bool:
    """Whether `token` has the format of our tokens."""
    if not _TOKEN.fullmatch(token):
        return False
    return hmac.compare_digest(token[-CHECK_CHARACTERS:], _check(token[:-CHECK_CHARACTERS]))


def link(api_address: str, token: str) -> str:
    """The URL that a reader, or their mail program, opens."""
    return f"{api_address}{PATH}{token}"


def headers(address: str) -> dict[str, str]:
    """Headers that make a mail program offer one-click unsubscribe (RFC 8058)."""
    return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _check(random: str) -> str:
    digest = hashlib.sha256(f"unsubscribe:{random}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:CHECK_CHARACTERS]
