"""An account's profile, read and changed by its owner: name, email address, marketing preference.

Personal data is stored with the person; the account names its owner. A change and its entry in the audit
trail are one transaction. Cognito decides which email address is valid; ours is a copy
(functions.accounts.email_copy). A requested address is recorded before Cognito mails the code, so it is in
the audit trail in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pynamodb.expressions.update import Action

from functions.accounts.account_forms import Changes
from functions.accounts.directory import Account, Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.identity_errors import AddressTakenError, WrongCodeError, WrongPasswordError
from functions.accounts.people import People, to_rfc3339
from functions.accounts.person import Person
from functions.shared.access import Principal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.errors import HttpError
from functions.shared.secret_text import SecretText
from functions.shared.tables.people import PersonItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all


class EmailChanges(Protocol):
    """Methods used of functions.accounts.identity.Identity."""

    def change_email(self, access: SecretText, email: str) -> None: ...
    def confirm_email(self, access: SecretText, code: SecretText) -> None: ...
    def verified_email(self, access: SecretText) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Profile:
    """An account and its person; `person` is None for an account that an operator made."""

    account: Account
    person: Person | None

    def as_json(self) -> dict[str, Any]:
        """The response of `GET /v1/account`."""
        account, person = self.account, self.person
        created_at = None if account.created_at is None else to_rfc3339(account.created_at)
        return {
            "tenant_id": account.tenant,
            "name": person.name if person else None,
            "email": person.email if person else None,
            "plan": account.account_status.plan,
            "retention_days": account.account_status.retention_days,
            "marketing_opt_in": person.marketing_opt_in if person else False,
            "terms_version": person.terms_version if person else None,
            "terms_accepted_at": person.terms_accepted_at if person else None,
            "created_at": created_at or (person.terms_accepted_at if person else None),
            "closes_at": None if account.closes_at is None else to_rfc3339(account.closes_at),
        }


@dataclass(frozen=True, slots=True)
class Profiles:
    """Reads and changes profiles. Every method raises StoreUnavailableError when DynamoDB fails.

    `client`: a boto3 client for DynamoDB.
    """

    directory: Directory
    people: People
    people_table: str
    identity: EmailChanges
    audit: AuditTrail
    client: Any

    def read(self, caller: Principal, now: float) -> Profile:
        """The caller's account, with the person who calls, or with the owner for an API key."""
        account = self.directory.account(caller.tenant)
        if account is None:
            raise HttpError(404, "not_found", "This account no longer exists.")
        subject = caller.subject or account.owner
        person = self.people.get(subject, now) if subject else None
        return Profile(account, person if person and person.tenant == caller.tenant else None)

    def change(self, person: Person, changes: Changes, access: SecretText | None, who: Origin) -> bool:
        """Apply `changes`; returns whether a new address must be confirmed.

        `access` is the person's own access token, needed only for a new address.

        Raises
        ------
        HttpError: 403 `sign_in_required`, before anything is changed; 401 when the token has expired.
        """
        email = None if changes.email == person.email else changes.email
        if email is not None and access is None:
            raise sign_in_required()
        new, entries = self._decided(person, changes, email, who)
        if entries:
            asked = [] if email is None else [self._emails.request_clause(person, email)]
            self._write([self._set(person, [*new, *asked]), *entries])
        if email is not None and access is not None:
            self._mail_code(access, email)
        return email is not None

    def confirm_email(self, person: Person, code: SecretText, access: SecretText, who: Origin) -> None:
        """Check the code that was mailed to the new address, which is valid from then on.

        If a step fails after Cognito accepted the code, the same request again completes the change, and so
        does `repair_if_outdated`.

        Raises
        ------
        HttpError: 409 `no_email_change`, 400 `invalid_code`.
        """
        if not self._emails.requested(person):
            raise HttpError(409, "no_email_change", "No new e-mail address is waiting for confirmation.")
        try:
            self.identity.confirm_email(access, code)
        except WrongCodeError:
            if self._emails.repair(person, access, who):
                return
            raise HttpError(
                400, "invalid_code", "The code is wrong or has expired: request a new one."
            ) from None
        self._emails.repair(person, access, who)

    def repair_if_outdated(self, person: Person, access: SecretText, who: Origin) -> bool:
        """Whether our copy of the address was outdated and is now corrected; compares only if it may differ.

        Never raises: without an answer the copy stays as it is.
        """
        return self._emails.repair_if_outdated(person, access, who)

    @property
    def _emails(self) -> EmailCopy:
        return EmailCopy(self.people_table, self.identity, self.audit, self.client)

    def _decided(
        self, person: Person, changes: Changes, email: str | None, who: Origin
    ) -> tuple[list[Action], list[Write]]:
        """The changes of the person, and an audit entry for each that differs from its current value."""
        new: list[Action] = []
        audited: list[tuple[str, str]] = []
        if changes.name is not None and changes.name != person.name:
            new.append(PersonItem.name.set(changes.name))
            audited.append(("account.name_changed", person.subject))
        if changes.marketing_opt_in is not None and changes.marketing_opt_in != person.marketing_opt_in:
            new.append(PersonItem.marketing_opt_in.set(changes.marketing_opt_in))
            # Consent must be provable, so the audit trail says whether it was given or withdrawn.
            audited.append(
                ("account.marketing_changed", "opted_in" if changes.marketing_opt_in else "opted_out")
            )
        if email is not None:
            audited.append(("account.email_change_requested", person.subject))
        return new, [self.audit.entry(person.tenant, who, *each) for each in audited]

    def _mail_code(self, access: SecretText, email: str) -> None:
        try:
            self.identity.change_email(access, email)
        except AddressTakenError:
            # The answer must not reveal whether another account has this address.
            return
        except WrongPasswordError:
            raise HttpError(401, "unauthorized", "This session has ended: log in again.") from None

    def _set(self, person: Person, actions: Sequence[Action]) -> Write:
        """Change a person who still is of the same tenant."""
        people = Table(PersonItem, self.people_table, self.client)
        same_tenant = PersonItem.tenant_id == str(person.tenant)
        return people.write_of_update(person.subject, *actions, condition=same_tenant)

    def _write(self, writes: Sequence[Write]) -> None:
        try:
            write_all(self.client, writes)
        except ConditionFailedError:
            raise HttpError(
                409, "concurrent_change", "Another request changed this account. Retry the request."
            ) from None


def sign_in_required() -> HttpError:
    """Only the person whose address it is can change it."""
    return HttpError(
        403, "sign_in_required", "An API key cannot change the e-mail address: log in and try again."
    )
