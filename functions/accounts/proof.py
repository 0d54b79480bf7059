"""Whether a password is the one somebody signed up with, while Cognito will not say.

Cognito answers a sign-in before confirmation with "not confirmed" without looking at the password, to anybody
who knows the address. So that we can tell its owner from a stranger, a salted scrypt of the password is kept
beside the unconfirmed person, for seven days at the most; confirming removes it.
"""

import hashlib
import secrets
from hmac import compare_digest

from functions.shared.secret_text import SecretText

SALT_BYTES = 16
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
"""16 MiB and some 50 ms for each guess."""


def prove(password: SecretText) -> str:
    """What is stored: salt and hash in hexadecimal."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"{salt.hex()}:{_hash(password, salt).hex()}"


def fits(password: SecretText, proof: str) -> bool:
    """Whether `proof` was made of `password`."""
    salt, _, expected = proof.partition(":")
    return compare_digest(_hash(password, bytes.fromhex(salt)).hex(), expected)


def _hash(password: SecretText, salt: bytes) -> bytes:
    return hashlib.scrypt(password.reveal().encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)
