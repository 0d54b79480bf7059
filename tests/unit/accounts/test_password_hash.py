"""The stored hash of an unconfirmed password fits that password alone, and a guess costs memory and time."""

import hashlib

from functions.accounts.password_hash import hash_password, password_matches
from functions.shared.secret_text import SecretText

PASSWORD, OTHER_PASSWORD = SecretText("correct-horse-battery"), SecretText("another-long-password")


def test_a_proof_fits_its_password_only_and_is_never_the_same() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    assert password_matches(PASSWORD, first)
    assert not password_matches(OTHER_PASSWORD, first)
    assert PASSWORD.reveal() not in first


def test_a_guess_costs_an_scrypt_of_16_mebibytes() -> None:
    """The tests of signing in hash at a lower cost; here it is the one that is deployed."""
    salt, _, stored = hash_password(PASSWORD).partition(":")
    cost, block = 2**14, 8
    expected = hashlib.scrypt(
        PASSWORD.reveal().encode(), salt=bytes.fromhex(salt), n=cost, r=block, p=1, dklen=64
    )

    assert stored == expected.hex()
    assert len(bytes.fromhex(salt)) == 16
    assert 128 * cost * block == 16 * 1024 * 1024
