"""The people who signed up, in DynamoDB: the personal data stored in addition to Cognito's.

A person is unconfirmed until they enter the mailed code; an unconfirmed person is deleted after
UNCONFIRMED_DAYS. Each person has an account of their own, whose id is chosen here, before anything else uses
it.
"""

import base64
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.accounts.person import Person, code_digest
from functions.shared.secret_text import SecretText
from functions.shared.tables.people import PersonItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

UNCONFIRMED_DAYS = 7
SECONDS_A_DAY = 86_400
TENANT_RANDOM_BYTES = 15
MAX_ENDED_SESSIONS = 100
"""Per person, sessions ended one by one and not yet deleted; one more ends all sessions."""

_EXISTS = PersonItem.subject.exists()


class People:
    """Reads and writes people, reads strongly consistent.

    Every method raises StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = Table(PersonItem, table, dynamodb)

    def put(self, person: Person) -> None:
        """Write all attributes of a person."""
        self._table.put(_item(person))

    def get(self, subject: str, now: float) -> Person | None:
        """The person, or None for an unknown subject or an unconfirmed person past retention."""
        found = self._table.get(subject)
        if found is None:
            return None
        person = _person(found)
        past_retention = person.forget_at is not None and person.forget_at <= now
        return None if past_retention else person

    def note_code(self, subject: str, code: SecretText) -> None:
        """Store the digest of the code that is about to be tried; only while unconfirmed."""
        self._change(
            subject,
            PersonItem.tried_code.set(code_digest(subject, code)),
            condition=PersonItem.state == "unconfirmed",
        )

    def confirm(self, subject: str) -> None:
        """Mark the person as confirmed, without expiry; idempotent."""
        self._change(
            subject,
            PersonItem.state.set("confirmed"),
            PersonItem.forget_at.remove(),
            PersonItem.proof.remove(),
        )

    def change(
        self,
        subject: str,
        *,
        name: str | None = None,
        email: str | None = None,
        marketing_opt_in: bool | None = None,
    ) -> bool:
        """Replace the given attributes of an existing person; returns whether the person exists."""
        new: list[Action] = []
        if name is not None:
            new.append(PersonItem.name.set(name))
        if email is not None:
            new.append(PersonItem.email.set(email))
        if marketing_opt_in is not None:
            new.append(PersonItem.marketing_opt_in.set(marketing_opt_in))
        return not new or self._change(subject, *new)

    def record_reset(self, subject: str, reset: str) -> None:
        """Record, before a reset is tried, that it may leave old sessions to end."""
        self._change(subject, PersonItem.owed.add({reset}))

    def clear_resets(self, subject: str, resets: Collection[str]) -> None:
        """Remove resets whose sessions have ended, or that did not happen; others stay in `open_resets`."""
        if resets:
            self._change(subject, PersonItem.owed.delete(set(resets)))

    def end_sessions(self, subject: str, before: int) -> None:
        """Record that sessions begun before `before` have ended, whatever Cognito says of their tokens."""
        earlier = PersonItem.sessions_ended_at.does_not_exist() | (PersonItem.sessions_ended_at < before)
        self._change(
            subject,
            PersonItem.sessions_ended_at.set(before),
            PersonItem.ended_sessions.remove(),
            condition=_EXISTS & earlier,
        )

    def end_session(self, subject: str, session: str, until: int) -> None:
        """Record that one session has ended; its tokens have expired by `until`, in Unix seconds."""
        self._change(subject, PersonItem.ended_sessions.add({f"{until}-{session}"}))

    def remove_ended(self, subject: str, ended: Collection[str]) -> None:
        """Remove entries of `ended_sessions` whose tokens have expired."""
        if ended:
            self._change(subject, PersonItem.ended_sessions.delete(set(ended)))

    def remove_unconfirmed(self, subject: str) -> None:
        """Delete an unconfirmed person at once; a confirmed one stays."""
        with suppress(ConditionFailedError):
            self._table.delete(
                subject, PersonItem.subject.does_not_exist() | (PersonItem.state == "unconfirmed")
            )

    def _change(self, subject: str, *actions: Action, condition: Condition | None = None) -> bool:
        """Change an existing person; whether the condition held."""
        try:
            self._table.update(subject, *actions, condition=_EXISTS if condition is None else condition)
        except ConditionFailedError:
            return False
        return True


def new_tenant() -> TenantId:
    """An account id that cannot be guessed: `t` and 120 random bits in lower-case base32."""
    return TenantId("t" + base64.b32encode(secrets.token_bytes(TENANT_RANDOM_BYTES)).decode().lower())


def new_reset(now: float) -> str:
    """A name for a reset that contains its start time."""
    return f"{int(now)}-{secrets.token_hex(8)}"


def unconfirmed(person: Person, now: float) -> Person:
    """`person` as just signed up: deleted later unless confirmed."""
    return replace(person, state="unconfirmed", forget_at=int(now) + UNCONFIRMED_DAYS * SECONDS_A_DAY)


def to_rfc3339(now: float) -> str:
    """Unix seconds as RFC 3339."""
    return datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")


def _item(person: Person) -> PersonItem:
    return PersonItem(
        person.subject,
        tenant_id=str(person.tenant),
        name=person.name,
        email=person.email,
        terms_version=person.terms_version,
        terms_accepted_at=person.terms_accepted_at,
        marketing_opt_in=person.marketing_opt_in,
        state=person.state,
        proof=person.proof,
        tried_code=person.tried_code,
        forget_at=person.forget_at,
        owed=person.open_resets,
        sessions_ended_at=person.sessions_ended_at or None,
        ended_sessions=person.ended_sessions,
    )


def _person(item: PersonItem) -> Person:
    return Person(
        subject=item.subject,
        tenant=TenantId(item.tenant_id),
        name=item.name,
        email=item.email,
        terms_version=item.terms_version,
        terms_accepted_at=item.terms_accepted_at,
        marketing_opt_in=item.marketing_opt_in,
        state="confirmed" if item.state == "confirmed" else "unconfirmed",
        proof=item.proof,
        tried_code=item.tried_code,
        forget_at=item.forget_at,
        open_resets=frozenset(item.owed or ()),
        sessions_ended_at=item.sessions_ended_at or 0,
        ended_sessions=frozenset(item.ended_sessions or ()),
    )
