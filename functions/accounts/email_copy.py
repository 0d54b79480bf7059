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
from functions.shared.account.audit import Audit, Origin
from functions.shared.dynamo.answers import answered
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.secret_text import SecretText

ASKED_FOR = "asked_emails"
LOOKS = "email_looks"
TRIES = 8
MOST_ASKED_FOR = 20

Item = dict[str, Any]


class Truth(Protocol):
    """Methods used of functions.accounts.identity.Identity."""

    def verified_email(self, access: SecretText) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Clause:
    """Part of an update expression: the terms of its SET, a separate clause, and the values of both."""

    set: str
    add: str
    values: Item = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """The stored email attributes of a person; `looks` is None before the first comparison."""

    email: str = field(repr=False)
    asked_for: frozenset[str] = field(repr=False)
    looks: str | None


@dataclass(frozen=True, slots=True)
class EmailCopy:
    """Every method raises StoreUnavailableError when DynamoDB fails. `client`: a boto3 client for it."""

    people_table: str
    truth: Truth
    audit: Audit
    client: Any

    def asked_for(self, person: Person) -> frozenset[str]:
        """The addresses that were requested and have not been verified since."""
        return self._held(person).asked_for

    def asking(self, person: Person, email: str) -> "Clause":
        """The update that notes `email` as requested, in addition to earlier requests.

        At MOST_ASKED_FOR requests only the new one is kept.
        """
        values = {":asked": {"SS": [email]}}
        if len(self.asked_for(person)) >= MOST_ASKED_FOR:
            return Clause(f"{ASKED_FOR} = :asked", "", values)
        return Clause("", f"ADD {ASKED_FOR} :asked", values)

    def healed(self, person: Person, access: SecretText, who: Origin, *, suspected: bool = False) -> bool:
        """Like `renewed`, if a change was requested or the copy is `suspected` to be out of date; never
        raises."""
        try:
            return (suspected or bool(self.asked_for(person))) and self.renewed(person, access, who)
        except (RetryableError, RefusalError):
            journal.write("email_not_compared", reason="a service did not answer")
            return False

    def renewed(self, person: Person, access: SecretText, who: Origin) -> bool:
        """Set the copy to the address verified at Cognito; returns whether it differed.

        Raises
        ------
        RefusalError: 401 when the token has expired, 409 when concurrent changes continue.
        IdentityUnavailableError: the verified address cannot be read.
        """
        for _ in range(TRIES):
            held = self._held(person)
            email = self._true(access)
            if email is None or (email == held.email and email not in held.asked_for):
                return False
            try:
                self._write(person, held, email, who)
            except UnmetError:
                continue
            return email != held.email
        raise RefusalError(409, "account_changing", "This account is being changed: try again.")

    def _held(self, person: Person) -> _Held:
        with answered():
            found = self.client.get_item(TableName=self.people_table, Key=_key(person), ConsistentRead=True)
        item = found.get("Item", {})
        return _Held(
            email=item.get("email", {}).get("S", ""),
            asked_for=frozenset(item.get(ASKED_FOR, {}).get("SS", ())),
            looks=item.get(LOOKS, {}).get("N"),
        )

    def _true(self, access: SecretText) -> str | None:
        try:
            return self.truth.verified_email(access)
        except WrongPasswordError:
            raise RefusalError(401, "unauthorized", "This session has ended: log in again.") from None

    def _write(self, person: Person, held: _Held, email: str, who: Origin) -> None:
        writes = [_copied(self.people_table, person, held, email)]
        if email != held.email:
            writes.append(self.audit.entry(person.tenant, who, "account.email_changed", person.subject))
        write_all(self.client, writes)


def _copied(table: str, person: Person, held: _Held, email: str) -> Item:
    looked = f"{LOOKS} = :looks" if held.looks is not None else f"attribute_not_exists({LOOKS})"
    values = {
        ":tenant": {"S": str(person.tenant)},
        ":email": {"S": email},
        ":one": {"N": "1"},
        ":asked": {"SS": [email]},
    }
    if held.looks is not None:
        values[":looks"] = {"N": held.looks}
    return {
        "Update": {
            "TableName": table,
            "Key": _key(person),
            "UpdateExpression": f"SET email = :email ADD {LOOKS} :one DELETE {ASKED_FOR} :asked",
            "ConditionExpression": f"tenant_id = :tenant AND {looked}",
            "ExpressionAttributeValues": values,
        }
    }


def _key(person: Person) -> Item:
    return {"subject": {"S": person.subject}}
