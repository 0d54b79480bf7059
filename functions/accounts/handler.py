"""The routes of an account: profile, API keys, audit trail, announcements.

Trigger: API Gateway, with the authorizer's verdict in the context; a key with the scope `admin`, or a
signed-in person. Promise: no caller sees or changes another account; a key of another account is answered
like one that does not exist. A change and its entry in the audit trail are written together. A key's text
appears in one response and nowhere else. Failure: 4xx says what to do. 503 means that DynamoDB or Cognito
does not answer: check the current state before repeating a change, because it may have been made.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.accounts.attempts import ADDRESS_TRIES, Attempts
from functions.accounts.directory import Directory
from functions.accounts.identity import Identity
from functions.accounts.key_ring import KeyRing
from functions.accounts.key_shelf import KeyShelf
from functions.accounts.people import People
from functions.accounts.profile import EmailChanges, Profiles
from functions.accounts.routes import Office, answer_to
from functions.shared.account.announcements import Announcements
from functions.shared.account.audit import Audit
from functions.shared.http import Answer, Event, answering
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
    identity_pool: str
    identity_client: str
    attempts_an_address: int = ADDRESS_TRIES
    even_ms: int = 1000


@cache
def _office() -> Office:
    settings = load(Settings)
    return office(settings, open_client(), Identity(settings.identity_pool, settings.identity_client))


def office(
    settings: Settings, client: Any, identity: EmailChanges, clock: Callable[[], float] = time.time
) -> Office:
    """Build the handler's dependencies on one DynamoDB client."""
    audit = Audit(settings.audit_table, client, clock)
    return Office(
        profiles=Profiles(
            directory=Directory(settings.accounts_table, settings.keys_table, client=client),
            people=People(settings.people_table, client),
            people_table=settings.people_table,
            identity=identity,
            audit=audit,
            client=client,
        ),
        keys=KeyRing(KeyShelf(settings.keys_table, settings.key_lists_table, client), audit, client, clock),
        audit=audit,
        announcements=Announcements(settings.announcements_table, client, clock),
        attempts=Attempts(settings.attempts_table, client, address_tries=settings.attempts_an_address),
        clock=clock,
        even_seconds=settings.even_ms / 1000,
    )


@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of the account's routes."""
    return answer_to(event, _office())
