"""The platform's own secrets, read from Secrets Manager only here, by Powertools' parameters.

A value is used for MAX_AGE_SECONDS and then read again, so a rotated secret takes effect within five minutes
and without a deployment (docs/deployment.md). While Secrets Manager does not answer, the last value is used.
"""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.secret_text import SecretText

MAX_AGE_SECONDS = 240
"""At most five minutes, with a minute for a statement that has begun with the old value."""

OUTAGE_SECONDS = 30
"""How long the last value is used again when Secrets Manager does not answer."""


class SecretsUnavailableError(RetryableError):
    """Secrets Manager did not answer or rejected the call, and no earlier value is known."""


class _SecretTexts(SecretsProvider):
    """Powertools' provider, whose cache holds no plain text."""

    def _get(self, name: str, **sdk_options: Any) -> Any:
        read = super()._get
        return SecretText(str(asked(lambda: read(name, **sdk_options), SecretsUnavailableError)))


class SecretStore:
    """Reads secrets and caches them. `secrets_manager`: a boto3 client; None for one with short timeouts."""

    def __init__(self, secrets_manager: Any = None) -> None:
        self._provider = _SecretTexts(boto3_client=secrets_manager or client("secretsmanager"))
        self._last: dict[str, SecretText] = {}

    def read(self, name: str, *, anew: bool = False) -> SecretText:
        """The value of the secret `name`, at most MAX_AGE_SECONDS old, or read now if `anew`.

        Raises
        ------
        SecretsUnavailableError
        """
        try:
            value: Any = self._provider.get(name, max_age=MAX_AGE_SECONDS, force_fetch=anew)
        except GetParameterError as fault:
            value = self._last_value(name, str(fault))
        self._last[name] = value
        return self._last[name]

    def _last_value(self, name: str, code: str) -> SecretText:
        if name not in self._last:
            raise SecretsUnavailableError(f"Secrets Manager: {code}") from None
        journal.write("secret_not_refreshed", code=code)
        self._provider.add_to_cache((name, None, False), self._last[name], OUTAGE_SECONDS)
        return self._last[name]


@cache
def _store() -> SecretStore:
    return SecretStore()


def read_secret(name: str, *, anew: bool = False) -> SecretText:
    """SecretStore.read of this process."""
    return _store().read(name, anew=anew)
