"""Our copy of a person's email address. The address that is verified at Cognito is authoritative.

Every requested address stays noted until it is the verified one, so two concurrent changes cannot hide each
other. A read of Cognito is written only if no other write happened since that read began; each write
increments a number to check this. So an older address never replaces a newer one. A copy that is out of date
always has a noted request, and the next comparison repairs it.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from functions.accounts.identity import WrongPasswordError
from functions.accounts.people import Person
from functions.shared import journal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.dynamo.answers import answered
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import HttpError, RetryableError
from functions.shared.secret_text import SecretText

REQUESTED_EMAILS = "asked_emails"
LOOKS = "email_looks"
TRIES = 8
MAX_REQUESTED = 20

Item = dict[str, Any]


class VerifiedEmailSource(Protocol):
    """Methods used of functions.accounts.identity.Identity."""

    def verified_email(self, access: SecretText) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Clause:
    """Part of an update expression: the terms of its SET, a separate clause, and the values of both."""

    set: str
    add: str
    values: Item = field(repr=False)


@dataclass(frozen=True, slots=True)
class _StoredEmail:
    """The stored email attributes of a person; `looks` is None before the first comparison."""

    email: str = field(repr=False)
    requested: frozenset[str] = field(repr=False)
    looks: str | None


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

    def request_clause(self, person: Person, email: str) -> "Clause":
        """The update that notes `email` as requested, in addition to earlier requests.

        At MAX_REQUESTED requests only the new one is kept.
        """
        values = {":asked": {"SS": [email]}}
        if len(self.requested(person)) >= MAX_REQUESTED:
            return Clause(f"{REQUESTED_EMAILS} = :asked", "", values)
        return Clause("", f"ADD {REQUESTED_EMAILS} :asked", values)

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
            except UnmetError:
                continue
            return email != stored.email
        raise HttpError(409, "account_changing", "This account is being changed: try again.")

    def _stored(self, person: Person) -> _StoredEmail:
        with answered():
            found = self.client.get_item(TableName=self.people_table, Key=_key(person), ConsistentRead=True)
        item = found.get("Item", {})
        return _StoredEmail(
            email=item.get("email", {}).get("S", ""),
            requested=frozenset(item.get(REQUESTED_EMAILS, {}).get("SS", ())),
            looks=item.get(LOOKS, {}).get("N"),
        )

    def _true(self, access: SecretText) -> str | None:
        try:
            return self.verified.verified_email(access)
        except WrongPasswordError:
            raise HttpError(401, "unauthorized", "This session has ended: log in again.") from None

    def _write(self, person: Person, stored: _StoredEmail, email: str, who: Origin) -> None:
        writes = [_copied(self.people_table, person, stored, email)]
        if email != stored.email:
            writes.append(self.audit.entry(person.tenant, who, "account.email_changed", person.subject))
        write_all(self.client, writes)


def _copied(table: str, person: Person, stored: _StoredEmail, email: str) -> Item:
    looked = f"{LOOKS} = :looks" if stored.looks is not None else f"attribute_not_exists({LOOKS})"
    values = {
        ":tenant": {"S": str(person.tenant)},
        ":email": {"S": email},
        ":one": {"N": "1"},
        ":asked": {"SS": [email]},
    }
    if stored.looks is not None:
        values[":looks"] = {"N": stored.looks}
    return {
        "Update": {
            "TableName": table,
            "Key": _key(person),
            "UpdateExpression": f"SET email = :email ADD {LOOKS} :one DELETE {REQUESTED_EMAILS} :asked",
            "ConditionExpression": f"tenant_id = :tenant AND {looked}",
            "ExpressionAttributeValues": values,
        }
    }


def _key(person: Person) -> Item:
    return {"subject": {"S": person.subject}}
