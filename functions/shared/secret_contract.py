"""What functions.shared.secret_store and functions.shared.signed_secrets have in common.

A value is used for MAX_AGE_SECONDS and then read again, so a rotated secret takes effect within five minutes
and without a deployment (docs/deployment.md). While Secrets Manager does not answer, the last value is used.
"""

from typing import Protocol

from functions.shared.errors import RetryableError
from functions.shared.secret_text import SecretText

MAX_AGE_SECONDS = 240
"""At most five minutes, with a minute for a statement that has begun with the old value."""

OUTAGE_SECONDS = 30
"""How long the last value is used again when Secrets Manager does not answer."""


class SecretsUnavailableError(RetryableError):
    """Secrets Manager did not answer or rejected the call (`code`), and no earlier value is known."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Secrets Manager: {code}")
        self.code = code


class ReadSecret(Protocol):
    def __call__(self, name: str, *, anew: bool = False) -> SecretText:
        """The value of the secret `name`, at most MAX_AGE_SECONDS old, or read now if `anew`.

        Raises
        ------
        SecretsUnavailableError
        """
