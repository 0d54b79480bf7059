"""The authorizer of every route except the public ones.

Trigger: API Gateway, before the route's function, for each request. Promise: identifies the caller by the API
key, in a supported header or the query, or by a person's access token. It never rejects a request itself (the
function does, in the API's error format) and never logs a key or a token. A revoked or changed key, person or
account, and an ended session, take effect within CACHE_SECONDS. Failure: when DynamoDB fails and nothing is
cached the authorizer raises, the gateway answers 500 and senders retry.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from functions.accounts import keys
from functions.accounts.account import Account
from functions.accounts.failures import FailureLimiter
from functions.accounts.item_lookups import ItemLookups, SignedCounter
from functions.accounts.person import Person
from functions.accounts.stored_key import Key
from functions.accounts.tokens import AccessTokenVerifier, BadTokenError, Claims
from functions.accounts.ttl_cache import TtlCache
from functions.shared import journal, sent_key
from functions.shared.client_address import client_address
from functions.shared.settings import load
from functions.shared.tables.signed_client import SignedClient
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId

CACHE_SECONDS = 30
MAX_CACHED = 10_000

SEND = "ingest"
"""The scope of sending logs."""

_BEARER_TOKEN = re.compile(r"bearer\s+(eyJ[\w-]+\.[\w-]+\.[\w-]*)", re.IGNORECASE | re.ASCII)
"""A JSON Web Token: its header is a JSON object, in base64url."""

Verdict = dict[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    keys_table: str
    people_table: str
    attempts_table: str
    identity_client: str
    identity_issuer: str
    identity_keys_url: str


class AccountLookup(Protocol):
    """Methods used of functions.accounts.item_lookups.ItemLookups."""

    def key(self, key_hash: str) -> Key | None: ...
    def account(self, tenant: TenantId) -> Account | None: ...
    def note_use(self, key_hash: str, now: int) -> None: ...


class PersonLookup(Protocol):
    """Methods used of functions.accounts.item_lookups.ItemLookups."""

    def get(self, subject: str, now: float) -> Person | None: ...


class TokenVerifier(Protocol):
    """Methods used of functions.accounts.tokens.AccessTokenVerifier."""

    def verify(self, token: str) -> Claims: ...


class Authorizer:
    """Authorizes from cached look-ups; unknown keys are cached too."""

    def __init__(
        self, directory: AccountLookup, people: PersonLookup, tokens: TokenVerifier, failures: FailureLimiter
    ) -> None:
        self._directory = directory
        self._people = people
        self._tokens = tokens
        self._failures = failures
        self._keys: TtlCache[tuple[Key, Account] | None] = TtlCache(CACHE_SECONDS, MAX_CACHED)
        self._persons: TtlCache[tuple[Person, Account] | None] = TtlCache(CACHE_SECONDS, MAX_CACHED)
        self._hours_of_last_use: dict[str, int] = {}

    def context(
        self, headers: Mapping[str, str], now: float, address: str, query: Mapping[str, str] | None = None
    ) -> Verdict:
        """The context that functions.shared.access.principal reads; `now` in Unix seconds, `address` the
        sender's.

        URLs are logged on their way, headers are not: a key in the query can send logs and do nothing else.
        """
        if token := _BEARER_TOKEN.fullmatch(headers.get("authorization", "").strip()):
            return self._of_person(token[1], now)
        text = sent_key.find(headers)
        if text is not None:
            return self._of_text(text, now, address)
        text = sent_key.find_in_query(query or {})
        if text is None:
            return {"verdict": "missing_key"}
        return _may_only_send(self._of_text(text, now, address))

    def _of_text(self, text: str, now: float, address: str) -> Verdict:
        if not keys.well_formed(text):
            return self._failed("malformed_key", now, address)
        return self._of_key(keys.hash_of(text), now, address)

    def _of_key(self, key_hash: str, now: float, address: str) -> Verdict:
        known = self._keys.of(key_hash, lambda: self._key(key_hash))
        if known is None or known[0].revoked_at is not None or known[0].past_retention(now):
            return self._failed("unknown_key", now, address)
        key, account = known
        if key.expires_at is not None and key.expires_at <= now:
            return {"verdict": "key_expired"}
        self._note_use(key_hash, int(now))
        return {
            "actor": f"key:{key.key_id}",
            "key_id": key.key_id,
            "project_id": key.project_id,
            "scopes": " ".join(sorted(key.scopes)),
            **_of_account(account, now),
        }

    def _of_person(self, token: str, now: float) -> Verdict:
        """Verify the token on every request, because it expires by itself; only its person is cached."""
        try:
            claims = self._tokens.verify(token)
        except BadTokenError:
            return {"verdict": "refused_token"}
        subject = claims.subject
        known = self._persons.of(subject, lambda: self._person(subject, now))
        if known is None or known[0].session_over(claims.session, claims.signed_in_at, now):
            return {"verdict": "refused_token"}
        return {
            "actor": f"person:{subject}",
            "key_id": "",
            "project_id": "default",
            "scopes": "admin",
            "session": claims.session,
            "signed_in_at": str(claims.signed_in_at),
            **_of_account(known[1], now),
        }

    def _failed(self, verdict: str, now: float, address: str) -> Verdict:
        if not self._failures.count_failure(address, now):
            return {"verdict": verdict}
        return {"verdict": "too_many_failures", "retry_after": str(self._failures.seconds_left(now))}

    def _key(self, key_hash: str) -> tuple[Key, Account] | None:
        key = self._directory.key(key_hash)
        account = self._directory.account(key.tenant) if key else None
        return (key, account) if key and account else None

    def _person(self, subject: str, now: float) -> tuple[Person, Account] | None:
        person = self._people.get(subject, now)
        account = self._directory.account(person.tenant) if person and person.confirmed else None
        return (person, account) if person and account else None

    def _note_use(self, key_hash: str, now: int) -> None:
        """Record the last use, to the hour; a failure does not fail the request."""
        hour = now // 3600
        if self._hours_of_last_use.get(key_hash) == hour:
            return
        if len(self._hours_of_last_use) >= MAX_CACHED:
            self._hours_of_last_use.clear()
        self._hours_of_last_use[key_hash] = hour
        try:
            self._directory.note_use(key_hash, now)
        except StoreUnavailableError:
            journal.write("last_use_not_noted", reason="DynamoDB did not answer")


def _may_only_send(verdict: Verdict) -> Verdict:
    scopes = verdict.get("scopes", "").split()
    return {**verdict, "scopes": SEND if SEND in scopes or "admin" in scopes else ""} if scopes else verdict


def _of_account(account: Account, now: float) -> Verdict:
    account_status = account.account_status
    return {
        "verdict": "ok",
        "tenant_id": account.tenant,
        "plan": account_status.plan,
        "retention_days": str(account_status.retention_days),
        "bytes_per_second": str(account_status.bytes_per_second),
        "refusal": account.refusal(now),
        "managed_until": str(account.managed_until),
    }


@cache
def _authorizer() -> Authorizer:
    journal.silence_libraries()
    settings = load(Settings)
    lookups = ItemLookups(SignedClient(), settings.accounts_table, settings.keys_table, settings.people_table)
    return Authorizer(
        directory=lookups,
        people=lookups,
        tokens=AccessTokenVerifier(
            settings.identity_issuer, settings.identity_client, settings.identity_keys_url
        ),
        failures=FailureLimiter(SignedCounter(settings.attempts_table)),
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = event.get("queryStringParameters") or {}
    context = _authorizer().context(headers, time.time(), client_address(event), query)
    return {"isAuthorized": True, "context": context}
