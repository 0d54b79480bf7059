"""The platform's own secrets, read from Secrets Manager by Powertools' parameters.

Functions whose cold start a caller waits for read them by functions.shared.signed_secrets instead.
"""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.secret_contract import MAX_AGE_SECONDS, OUTAGE_SECONDS, SecretsUnavailableError
from functions.shared.secret_text import SecretText


class _SecretTexts(SecretsProvider):
    """Powertools' provider, whose cache holds no plain text."""

    def _get(self, name: str, **sdk_options: Any) -> Any:
        read = super()._get
        return SecretText(str(asked(lambda: read(name, **sdk_options), RetryableError)))


class SecretStore:
    """Reads secrets and caches them. `secrets_manager`: a boto3 client; None for one with short timeouts."""

    def __init__(self, secrets_manager: Any = None) -> None:
        self._provider = _SecretTexts(boto3_client=secrets_manager or client("secretsmanager"))
        self._last: dict[str, SecretText] = {}

    def read(self, name: str, *, anew: bool = False) -> SecretText:
        """See functions.shared.secret_contract.ReadSecret."""
        try:
            value: Any = self._provider.get(name, max_age=MAX_AGE_SECONDS, force_fetch=anew)
        except GetParameterError as fault:
            value = self._last_value(name, str(fault))
        self._last[name] = value
        return self._last[name]

    def _last_value(self, name: str, code: str) -> SecretText:
        if name not in self._last:
            raise SecretsUnavailableError(code) from None
        journal.write("secret_not_refreshed", code=code)
        self._provider.add_to_cache((name, None, False), self._last[name], OUTAGE_SECONDS)
        return self._last[name]


@cache
def _store() -> SecretStore:
    return SecretStore()


def read_secret(name: str, *, anew: bool = False) -> SecretText:
    """SecretStore.read of this process."""
    return _store().read(name, anew=anew)
