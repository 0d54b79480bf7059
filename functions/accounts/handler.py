"""The routes of an account: itself, its keys, its audit trail, its announcements.

Trigger: API Gateway, with the authorizer's verdict in the context; a key with the scope `admin`, or a person
who signed in. Promise: nobody sees or changes anything of another account, and another account's key is
answered as one that does not exist. A change and its entry in the audit trail take place together. A key's
text is in one answer and nowhere else. Failure: 4xx says what to do; 503 means that DynamoDB or the identity
provider does not answer: look before you change anything again, it may have been changed.
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
from functions.shared.dynamo.answers import open_client
from functions.shared.http import Answer, Event, answering
from functions.shared.settings import load


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
    """Wire the parts around one DynamoDB client."""
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
    """One request to one of the account's routes."""
    return answer_to(event, _office())
