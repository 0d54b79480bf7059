"""The link in a mail by which its reader unsubscribes: a token that says nothing and cannot be guessed.

160 random bits, kept with the person and nowhere derived from anything of theirs, so that it outlives a
change of address. Six characters check the rest: a link that was cut off on its way is told from one that is
whole, without looking at whose it is.
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
    """A new token; nobody has it yet."""
    random = secrets.token_urlsafe(RANDOM_BYTES)
    return random + _check(random)


def is_whole(token: str) -> bool:
    """Whether `token` has the form of one of ours."""
    if not _TOKEN.fullmatch(token):
        return False
    return hmac.compare_digest(token[-CHECK_CHARACTERS:], _check(token[:-CHECK_CHARACTERS]))


def link(api_address: str, token: str) -> str:
    """The address that a reader, or their mail program, opens."""
    return f"{api_address}{PATH}{token}"


def headers(address: str) -> dict[str, str]:
    """What makes a mail program offer to unsubscribe with one click, by RFC 8058."""
    return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _check(random: str) -> str:
    digest = hashlib.sha256(f"unsubscribe:{random}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:CHECK_CHARACTERS]
