"""Checks a password before confirmation, while Cognito does not.

Cognito answers a sign-in before confirmation with "not confirmed", without checking the password, to any
caller who knows the address. To distinguish the owner from a stranger, a salted scrypt hash of the password
is stored with the unconfirmed person, for at most seven days; confirmation removes it.
"""

import hashlib
import secrets
from hmac import compare_digest

from functions.shared.secret_text import SecretText

SALT_BYTES = 16
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
"""16 MiB and some 50 ms for each guess."""


def hash_password(password: SecretText) -> str:
    """The stored value: salt and hash in hexadecimal."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"{salt.hex()}:{_hash(password, salt).hex()}"


def password_matches(password: SecretText, proof: str) -> bool:
    """Whether `proof` was made from `password`."""
    salt, _, expected = proof.partition(":")
    return compare_digest(_hash(password, bytes.fromhex(salt)).hex(), expected)


def _hash(password: SecretText, salt: bytes) -> bytes:
    return hashlib.scrypt(password.reveal().encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)
