"""The routes of an account: profile, API keys, audit trail, announcements, saved searches.

Trigger: API Gateway, with the authorizer's verdict in the context; a key with the scope `admin` (`read` is
enough to read saved searches), or a signed-in person. Promise: no caller sees or changes another account; a
key or a saved search of another account is answered like one that does not exist. A change and its entry in
the audit trail are written together. A key's text appears in one response and nowhere else. Failure: 4xx says
what to do. 503 means that DynamoDB or Cognito does not answer: check the current state before repeating a
change, because it may have been made.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.accounts.attempts import ADDRESS_TRIES, AttemptLimiter
from functions.accounts.directory import Directory
from functions.accounts.identity import Identity
from functions.accounts.key_service import KeyService
from functions.accounts.key_store import KeyStore
from functions.accounts.people import People
from functions.accounts.profile import EmailChanges, Profiles
from functions.accounts.routes import AccountService, answer_to
from functions.accounts.saved_search_store import SavedSearches
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.audit import AuditTrail
from functions.shared.http import Answer, Event, answering
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    keys_table: str
    key_lists_table: str
    people_table: str
    audit_table: str
    announcements_table: str
    attempts_table: str
    saved_searches_table: str
    identity_pool: str
    identity_client: str
    attempts_an_address: int = ADDRESS_TRIES
    min_response_ms: int = 1000


@cache
def _account_service() -> AccountService:
    settings = load(Settings)
    return account_service(
        settings, open_client(), Identity(settings.identity_pool, settings.identity_client)
    )


def account_service(
    settings: Settings, client: Any, identity: EmailChanges, clock: Callable[[], float] = time.time
) -> AccountService:
    """Build the handler's dependencies on one DynamoDB client."""
    audit = AuditTrail(settings.audit_table, client, clock)
    return AccountService(
        profiles=Profiles(
            directory=Directory(settings.accounts_table, settings.keys_table, client=client),
            people=People(settings.people_table, client),
            people_table=settings.people_table,
            identity=identity,
            audit=audit,
            client=client,
        ),
        keys=KeyService(
            KeyStore(settings.keys_table, settings.key_lists_table, client), audit, client, clock
        ),
        audit=audit,
        announcements=Announcements(settings.announcements_table, client, clock),
        searches=SavedSearches(settings.saved_searches_table, audit, client, clock),
        attempts=AttemptLimiter(settings.attempts_table, client, address_tries=settings.attempts_an_address),
        clock=clock,
        min_response_seconds=settings.min_response_ms / 1000,
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of the account's routes."""
    return answer_to(event, _account_service())
