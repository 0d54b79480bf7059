"""The platform's own secrets, read by signed requests: for functions whose cold start a caller waits for.

Powertools' parameters and a client of boto3 take 150 ms of CPU there (docs/performance.md). All other
functions read secrets by functions.shared.secret_store; tests/contract/test_secrets.py holds both to the same
behaviour.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from functions.shared import journal
from functions.shared.errors import SettingsError
from functions.shared.secret_contract import MAX_AGE_SECONDS, OUTAGE_SECONDS, SecretsUnavailableError
from functions.shared.secret_text import SecretText
from functions.shared.signed_json_client import JsonService, SignedJsonClient

SECRETS_MANAGER = JsonService("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")


class _Cached(NamedTuple):
    value: SecretText
    until: float


class SignedSecrets:
    """Reads secrets and caches them; threads may share it. `clock`: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._client = SignedJsonClient(SECRETS_MANAGER, _error_of)
        self._cached: dict[str, _Cached] = {}
        self._one_at_a_time = Lock()

    def read(self, name: str, *, anew: bool = False) -> SecretText:
        """See functions.shared.secret_contract.ReadSecret."""
        with self._one_at_a_time:
            cached = self._cached.get(name)
            if anew or cached is None or cached.until <= self._clock():
                cached = self._cached[name] = self._read_again(name, cached)
            return cached.value

    def _read_again(self, name: str, cached: _Cached | None) -> _Cached:
        try:
            answer = self._client.call("GetSecretValue", {"SecretId": name})
        except SecretsUnavailableError as fault:
            if cached is None:
                raise
            journal.write("secret_not_refreshed", code=fault.code)
            return _Cached(cached.value, self._clock() + OUTAGE_SECONDS)
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise SettingsError(f"the secret {name} is not text")
        return _Cached(SecretText(text), self._clock() + MAX_AGE_SECONDS)


def _error_of(code: str, _answer: Mapping[str, Any]) -> Exception:
    return SecretsUnavailableError(code)


@cache
def _secrets() -> SignedSecrets:
    return SignedSecrets()


def read_secret(name: str, *, anew: bool = False) -> SecretText:
    """SignedSecrets.read of this process."""
    return _secrets().read(name, anew=anew)
