"""Sign-up, confirmation and sign-in: keeps Cognito and our tables consistent.

A caller never learns whether an address has an account: only the address itself is notified, by mail. The
order of the steps makes each of them retryable: an account exists before its person is confirmed, and the
next request completes a person who is confirmed at Cognito but not in our tables.
"""

from dataclasses import dataclass, replace

from functions.accounts import mails, password_hash
from functions.accounts.attempts import AttemptLimiter
from functions.accounts.directory import Account, Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.forms import Confirmation, LogIn, PasswordChange, Reset, SignUp
from functions.accounts.identity import Identity
from functions.accounts.identity_errors import (
    AddressTakenError,
    IdentityUnavailableError,
    SecondFactorError,
    UnconfirmedError,
    WeakPasswordError,
    WrongCodeError,
    WrongPasswordError,
)
from functions.accounts.people import People, new_reset, new_tenant, to_rfc3339, unconfirmed
from functions.accounts.person import Person
from functions.accounts.session_tokens import SessionTokens
from functions.accounts.sessions import Sessions
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.accounts.account_status import account_status_on
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.mail import Mailer, MailError
from functions.shared.errors import HttpError
from functions.shared.forms import invalid
from functions.shared.plans import PLANS, TRIAL, TRIAL_DAYS
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

SECONDS_A_DAY = 86_400

TERMS_VERSION = "2026-11-01"
"""The version of the terms that a sign-up accepts; a new version has a new date."""

SIGN_IN_TRIES = 4
"""Sign-ins per request, repeated while a new session is not later than the end of the earlier sessions."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """Sign-up, sign-in, passwords. `address` is the caller's network address, `now` Unix seconds.

    Raises HttpError with the API's answer, or a RetryableError when a service does not answer.
    """

    identity: Identity
    people: People
    directory: Directory
    attempts: AttemptLimiter
    mailer: Mailer
    audit: AuditTrail
    emails: EmailCopy
    sessions: Sessions

    def sign_up(self, form: SignUp, address: str, now: float) -> None:
        """Mail a code to a new address; mail an address with an account that it has one."""
        self.attempts.begin("mail", address, form.email, now)
        try:
            subject = self.identity.sign_up(form.email, form.password)
        except AddressTakenError:
            if not self._remove_unconfirmed(form.email):
                return
            subject = self._sign_up_again(form)
        except WeakPasswordError:
            raise _weak_password() from None
        self.people.put(_newcomer(form, subject, now))

    def confirm(self, form: Confirmation, address: str, now: float) -> TenantId:
        """Check the mailed code and open the account; a repeated request gets the same answer.

        The password is required, because the code only proves the address: a stranger may have signed up with
        it after its owner, and the owner, reading the newest mail, would confirm the stranger's password.
        """
        attempt = self.attempts.begin("code", address, form.email, now)
        known = self.identity.find(form.email)
        person = self.people.get(known.subject, now) if known else None
        if known is None or person is None:
            raise _wrong_code()
        if person.proof and not password_hash.password_matches(form.password, person.proof):
            raise _wrong_code()
        if known.confirmed:
            if not person.tried(form.code):
                raise _wrong_code()
        else:
            self._try_code(person, form)
        self._complete(person, address, now)
        attempt.record_success(now)
        return person.tenant

    def resend(self, email: str, address: str, now: float) -> None:
        """Mail a new confirmation code to an unconfirmed address."""
        self.attempts.begin("mail", address, email, now)
        self.identity.mail_confirmation(email)

    def log_in(self, form: LogIn, address: str, now: float) -> SessionTokens:
        """Sign in with a password."""
        attempt = self.attempts.begin("password", address, form.email, now)
        try:
            tokens = self._tokens(form)
        except UnconfirmedError:
            if not self._signed_up_with(form.email, form.password, now):
                raise _wrong_login() from None
            attempt.record_success(now)
            raise _not_confirmed() from None
        person = self.people.get(tokens.subject, now)
        if person is None:
            raise _no_account()
        self._complete(person, address, now)
        if self.directory.account(person.tenant) is None:
            raise _no_account()
        tokens = self._current(form, person, tokens, address, now)
        if person.email != form.email:
            # A sign-in proves the address. Our copy differs after a change made at Cognito directly or an
            # unfinished one.
            self.emails.repair_if_outdated(person, tokens.access, _in_person(person, address), suspected=True)
        attempt.record_success(now, remember=True)
        return self.sessions.sign_refresh_token(tokens)

    def forgot(self, email: str, address: str, now: float) -> None:
        """Mail a code for a password reset."""
        self.attempts.begin("mail", address, email, now)
        self.identity.mail_reset(email)

    def reset(self, form: Reset, address: str, now: float) -> None:
        """Set a password with a mailed code; all earlier sessions end.

        The sessions to end are recorded first. If ending them fails after the code was used, the same request
        again, the next sign-in or the next refresh ends them; after a minute they are rejected.
        """
        attempt = self.attempts.begin("code", address, form.email, now)
        known = self.identity.find(form.email)
        person = self.people.get(known.subject, now) if known else None
        if person is None:
            self._set_password(form)
            raise _no_account()
        reset = new_reset(now)
        self.people.record_reset(person.subject, reset)
        try:
            self._set_password(form)
        except HttpError:
            self.people.clear_resets(person.subject, {reset})
            if not person.open_resets or not self._was_set(form.email, form.password, address, now):
                raise
        self._password_set(person, reset, _in_person(person, address), "password.reset")
        attempt.record_success(now)

    def change_password(
        self, form: PasswordChange, caller: Principal, access: SecretText, who: Origin, now: float
    ) -> None:
        """Set a password with the old one; all sessions end, the caller's too.

        Wrong old passwords count as sign-in attempts. An unfinished change is completed like an unfinished
        reset.

        Raises
        ------
        HttpError: 400 `invalid_new_password`, or `invalid_password` for a wrong old one.
        """
        person = self.people.get(caller.subject or "", now)
        if person is None:
            raise _no_account()
        form.reject_weak(person.email, person.name)
        attempt = self.attempts.begin("password", who.source_ip, person.email, now)
        reset = new_reset(now)
        self.people.record_reset(person.subject, reset)
        try:
            self.identity.change_password(access, form.old, form.new)
        except WeakPasswordError:
            self.people.clear_resets(person.subject, {reset})
            raise _weak_password("new_password") from None
        except WrongPasswordError:
            self.people.clear_resets(person.subject, {reset})
            if not person.open_resets or not self._was_set(person.email, form.new, who.source_ip, now):
                raise invalid(
                    "password", "must be your current password; if it is, log in again and retry"
                ) from None
        self._password_set(person, reset, who, "password.changed")
        attempt.record_success(now)

    def _tokens(self, form: LogIn) -> SessionTokens:
        try:
            return self.identity.log_in(form.email, form.password)
        except WrongPasswordError:
            raise _wrong_login() from None
        except SecondFactorError:
            raise HttpError(
                403,
                "second_factor_required",
                "This account has a second factor, which is not supported yet.",
            ) from None

    def _set_password(self, form: Reset) -> None:
        try:
            self.identity.reset(form.email, form.code, form.password)
        except WrongCodeError:
            raise _wrong_code() from None
        except WeakPasswordError:
            raise _weak_password() from None

    def _current(
        self, form: LogIn, person: Person, tokens: SessionTokens, address: str, now: float
    ) -> SessionTokens:
        """`tokens`, or those of a repeated sign-in when `tokens` are not later than the end of earlier
        sessions."""
        if person.open_resets:
            person = self.sessions.end_all(person, _in_person(person, address))
        for _ in range(SIGN_IN_TRIES):
            if not person.session_over(tokens.session, tokens.signed_in_at, now):
                return tokens
            self.sessions.wait_until_past(person)
            tokens = self._tokens(form)
        raise IdentityUnavailableError("the provider's clock is behind ours")

    def _password_set(self, person: Person, reset: str, who: Origin, action: str) -> None:
        """After a new password: end the sessions, write the audit entry and mail the owner."""
        self.sessions.mark_all_ended(person)
        if person.confirmed:
            self.audit.append(person.tenant, who, action, person.subject)
        self.sessions.end_all(replace(person, open_resets=person.open_resets | {reset}), None)
        if person.confirmed:
            self._mail_owner(person.email, mails.NEW_PASSWORD_SUBJECT, mails.NEW_PASSWORD_TEXT)

    def _was_set(self, email: str, password: SecretText, address: str, now: float) -> bool:
        """Whether the password is already the wanted one, because an earlier request has set it.

        This checks the password, so it counts as an attempt.
        """
        attempt = self.attempts.begin("password", address, email, now)
        try:
            self.identity.log_in(email, password)
        except (WrongPasswordError, UnconfirmedError):
            return False
        except SecondFactorError:
            pass
        attempt.record_success(now)
        return True

    def _note(self, person: Person, address: str, action: str) -> None:
        """Write an audit entry for a caller who is not signed in yet."""
        self.audit.append(person.tenant, _in_person(person, address), action, person.subject)

    def _remove_unconfirmed(self, email: str) -> bool:
        """Whether a taken address is free now: an unconfirmed identity is removed.

        An unconfirmed identity's password may be a stranger's, who signed up with this address first. If the
        owner's code confirmed that identity, the stranger could sign in. So the last sign-up is the one that
        counts.
        """
        known = self.identity.find(email)
        if known is None:
            return True
        if known.confirmed:
            self._mail_owner(email, mails.HAS_ACCOUNT_SUBJECT, mails.HAS_ACCOUNT_TEXT)
            return False
        self.identity.remove(known.subject)
        self.people.remove_unconfirmed(known.subject)
        return True

    def _sign_up_again(self, form: SignUp) -> str:
        try:
            return self.identity.sign_up(form.email, form.password)
        except AddressTakenError:
            raise IdentityUnavailableError("two sign-ups at once") from None
        except WeakPasswordError:
            raise _weak_password() from None

    def _mail_owner(self, email: str, subject: str, text: str) -> None:
        try:
            self.mailer.send(email, subject, text)
        except MailError:
            # The request itself succeeded, and its answer must not show whether there was a mail.
            journal.write("notice_not_sent", reason="SES did not take it")

    def _try_code(self, person: Person, form: Confirmation) -> None:
        """Record the code first: if we fail after Cognito accepted it, a retry must be recognized."""
        self.people.note_code(person.subject, form.code)
        try:
            self.identity.confirm(form.email, form.code)
        except WrongCodeError:
            raise _wrong_code() from None

    def _complete(self, person: Person, address: str, now: float) -> None:
        """Open the account of a person with a confirmed address; idempotent."""
        if person.confirmed:
            return
        if self.directory.account(person.tenant) is None:
            self._note(person, address, "account.opened")
            self.directory.put_account(_trial(person, now))
        self.people.confirm(person.subject)
        journal.write("account_opened", tenant_id=person.tenant)

    def _signed_up_with(self, email: str, password: SecretText, now: float) -> bool:
        known = self.identity.find(email)
        person = self.people.get(known.subject, now) if known else None
        return bool(person and person.proof and password_hash.password_matches(password, person.proof))


def _in_person(person: Person, address: str) -> Origin:
    return Origin(f"person:{person.subject}", address, "")


def _newcomer(form: SignUp, subject: str, now: float) -> Person:
    person = Person(
        subject=subject,
        tenant=new_tenant(),
        name=form.name,
        email=form.email,
        terms_version=TERMS_VERSION,
        terms_accepted_at=to_rfc3339(now),
        marketing_opt_in=form.marketing_opt_in,
        proof=password_hash.hash_password(form.password),
    )
    return unconfirmed(person, now)


def _trial(person: Person, now: float) -> Account:
    ends_at = int(now) + TRIAL_DAYS * SECONDS_A_DAY
    return Account(
        tenant=person.tenant,
        account_status=account_status_on(PLANS[TRIAL], accepts_until=ends_at, end_reason="trial_ended"),
        owner=person.subject,
        created_at=int(now),
    )


def _wrong_code() -> HttpError:
    return HttpError(400, "invalid_code", "The code is wrong or has expired: request a new one.")


def _wrong_login() -> HttpError:
    return HttpError(401, "invalid_login", "Sign-in failed: check e-mail and password.")


def _not_confirmed() -> HttpError:
    return HttpError(403, "unconfirmed", "The e-mail address is not confirmed: enter the code we mailed.")


def _no_account() -> HttpError:
    return HttpError(403, "no_account", "No account exists for this sign-in: sign up first.")


def _weak_password(field: str = "password") -> HttpError:
    return invalid(field, "is too weak: choose a longer one")
