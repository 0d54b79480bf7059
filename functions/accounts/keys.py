"""API keys: creation, format check, and hashing. functions.shared.sent_key finds the key of a request.

A key is `ast_sk_live_`, 28 random base62 characters (166 bits) and 6 characters of CRC-32. So a secret
scanner can recognize a leaked key without asking us: `ast_sk_live_[0-9A-Za-z]{34}` with a matching checksum.
Only the key's SHA-256 is stored: with 166 random bits a slow hash would protect nothing.
"""

import hashlib
import re
import secrets
import zlib

from functions.shared.sent_key import PREFIX

RANDOM_CHARACTERS = 28
CHECKSUM_CHARACTERS = 6

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}}")


def generate() -> str:
    """A new key; shown to its owner once and not stored."""
    random_part = "".join(secrets.choice(_BASE62) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + random_part + _checksum(random_part)


def well_formed(key: str) -> bool:
    """Whether `key` could come from `generate`: its format and its checksum are valid."""
    if not _FORM.fullmatch(key):
        return False
    random_part = key[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return key.endswith(_checksum(random_part))


def hash_of(key: str) -> str:
    """The stored form of a key, used for look-up: SHA-256, 64 hexadecimal characters."""
    return hashlib.sha256(key.encode()).hexdigest()


def shown_prefix(key: str) -> str:
    """The part that lists may show to identify a key: `ast_sk_live_` and 4 more characters."""
    return key[: len(PREFIX) + 4]


def _checksum(random_part: str) -> str:
    number = zlib.crc32(random_part.encode())
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
