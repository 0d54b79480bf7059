"""The authorizer of every route but the open ones.

Trigger: API Gateway, before the route's function, for each request. Promise: says who is calling, from the
key in whichever header the sender uses; never refuses by itself (the function does, in the contract's own
form), never logs a key. A revoked or changed key is noticed within CACHE_SECONDS. When DynamoDB fails and
nothing is cached it raises: the gateway answers 500 and senders try again.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.accounts import keys
from functions.accounts.directory import Account, Directory, DirectoryUnavailableError, Key
from functions.shared import journal
from functions.shared.settings import load

CACHE_SECONDS = 30
MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    keys_table: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What DynamoDB said of a key, and until when we believe it (seconds of the monotonic clock)."""

    key: Key | None
    account: Account | None
    believed_until: float


class Authorizer:
    """Answers from a cache of what `directory` said; unknown keys are remembered too."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._cache: dict[str, _Known] = {}
        self._noted: dict[str, int] = {}

    def context(self, headers: dict[str, str], now: float) -> dict[str, str]:
        """What functions.shared.access.principal reads; `now` in Unix seconds."""
        text = keys.find(headers)
        if text is None:
            return {"verdict": "missing_key"}
        if not keys.well_formed(text):
            return {"verdict": "malformed_key"}
        key_hash = keys.hash_of(text)
        known = self._look_up(key_hash)
        if known.key is None or known.account is None:
            return {"verdict": "unknown_key"}
        if known.key.expires_at is not None and known.key.expires_at <= now:
            return {"verdict": "key_expired"}
        self._note_use(key_hash, int(now))
        return _verdict(known.key, known.account)

    def _look_up(self, key_hash: str) -> _Known:
        known = self._cache.get(key_hash)
        if known and time.monotonic() < known.believed_until:
            return known
        key = self._directory.key(key_hash)
        account = self._directory.account(key.tenant) if key else None
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        known = self._cache[key_hash] = _Known(key, account, time.monotonic() + CACHE_SECONDS)
        return known

    def _note_use(self, key_hash: str, now: int) -> None:
        """To the hour, and never at the cost of a request."""
        hour = now // 3600
        if self._noted.get(key_hash) == hour:
            return
        if len(self._noted) >= MAX_CACHED:
            self._noted.clear()
        self._noted[key_hash] = hour
        try:
            self._directory.note_use(key_hash, now)
        except DirectoryUnavailableError:
            journal.write("last_use_not_noted", reason="DynamoDB did not answer")


def _verdict(key: Key, account: Account) -> dict[str, str]:
    return {
        "verdict": "ok",
        "tenant_id": key.tenant,
        "key_id": key.key_id,
        "project_id": key.project_id,
        "scopes": " ".join(sorted(key.scopes)),
        "retention_days": str(account.retention_days),
        "bytes_per_second": str(account.bytes_per_second),
        "over_quota": str(account.over_quota).lower(),
    }


@cache
def _authorizer() -> Authorizer:
    settings = load(Settings)
    return Authorizer(Directory(settings.accounts_table, settings.keys_table))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return {"isAuthorized": True, "context": _authorizer().context(headers, time.time())}
