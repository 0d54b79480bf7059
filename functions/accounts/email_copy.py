"""Our copy of a person's email address. The address that is verified at Cognito is authoritative.

Every requested address stays noted until it is the verified one, so two concurrent changes cannot hide each
other. A read of Cognito is written only if no other write happened since that read began; each write
increments a number to check this. So an older address never replaces a newer one. A copy that is out of date
always has a noted request, and the next comparison repairs it.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from pynamodb.expressions.update import Action

from functions.accounts.identity_errors import WrongPasswordError
from functions.accounts.person import Person
from functions.shared import journal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.errors import HttpError, RetryableError
from functions.shared.secret_text import SecretText
from functions.shared.tables.people import PersonItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all

TRIES = 8
MAX_REQUESTED = 20


class VerifiedEmailSource(Protocol):
    """Methods used of functions.accounts.identity.Identity."""

    def verified_email(self, access: SecretText) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _StoredEmail:
    """The stored email attributes of a person; `looks` is None before the first comparison."""

    email: str = field(repr=False)
    requested: frozenset[str] = field(repr=False)
    looks: int | None


@dataclass(frozen=True, slots=True)
class EmailCopy:
    """Every method raises StoreUnavailableError when DynamoDB fails. `client`: a boto3 client for it."""

    people_table: str
    verified: VerifiedEmailSource
    audit: AuditTrail
    client: Any

    def requested(self, person: Person) -> frozenset[str]:
        """The addresses that were requested and have not been verified since."""
        return self._stored(person).requested

    def request_clause(self, person: Person, email: str) -> Action:
        """The update that notes `email` as requested, in addition to earlier requests.

        At MAX_REQUESTED requests only the new one is kept.
        """
        if len(self.requested(person)) >= MAX_REQUESTED:
            return PersonItem.asked_emails.set({email})
        return PersonItem.asked_emails.add({email})

    def repair_if_outdated(
        self, person: Person, access: SecretText, who: Origin, *, suspected: bool = False
    ) -> bool:
        """Like `repair`, if a change was requested or the copy is `suspected` to be out of date; never
        raises."""
        try:
            return (suspected or bool(self.requested(person))) and self.repair(person, access, who)
        except (RetryableError, HttpError):
            journal.write("email_not_compared", reason="a service did not answer")
            return False

    def repair(self, person: Person, access: SecretText, who: Origin) -> bool:
        """Set the copy to the address verified at Cognito; returns whether it differed.

        Raises
        ------
        HttpError: 401 when the token has expired, 409 when concurrent changes continue.
        IdentityUnavailableError: the verified address cannot be read.
        """
        for _ in range(TRIES):
            stored = self._stored(person)
            email = self._true(access)
            if email is None or (email == stored.email and email not in stored.requested):
                return False
            try:
                self._write(person, stored, email, who)
            except ConditionFailedError:
                continue
            return email != stored.email
        raise HttpError(409, "concurrent_change", "Another request changed this account. Retry the request.")

    def _stored(self, person: Person) -> _StoredEmail:
        item = self._people.get(person.subject)
        if item is None:
            return _StoredEmail("", frozenset(), None)
        return _StoredEmail(item.email or "", frozenset(item.asked_emails or ()), item.email_looks)

    def _true(self, access: SecretText) -> str | None:
        try:
            return self.verified.verified_email(access)
        except WrongPasswordError:
            raise HttpError(401, "unauthorized", "This session has ended: log in again.") from None

    def _write(self, person: Person, stored: _StoredEmail, email: str, who: Origin) -> None:
        writes = [self._copied(person, stored, email)]
        if email != stored.email:
            writes.append(self.audit.entry(person.tenant, who, "account.email_changed", person.subject))
        write_all(self.client, writes)

    def _copied(self, person: Person, stored: _StoredEmail, email: str) -> Write:
        looks = PersonItem.email_looks
        unchanged = looks.does_not_exist() if stored.looks is None else looks == stored.looks
        return self._people.write_of_update(
            person.subject,
            PersonItem.email.set(email),
            looks.add(1),
            PersonItem.asked_emails.delete({email}),
            condition=(PersonItem.tenant_id == str(person.tenant)) & unchanged,
        )

    @property
    def _people(self) -> Table[PersonItem]:
        return Table(PersonItem, self.people_table, self.client)
