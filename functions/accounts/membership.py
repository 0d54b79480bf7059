"""Signing up, confirming, signing in: the identity provider and our own tables, kept in step.

Who asks never learns whether an address has an account: that is told to the address itself, by mail. The
steps are ordered so that each can fail and be taken again: an account exists before its person is confirmed,
and a person the provider has confirmed and we have not is completed by whatever comes next.
"""

from dataclasses import dataclass, replace

from functions.accounts import proof
from functions.accounts.attempts import Attempts
from functions.accounts.directory import Account, Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.forms import Confirmation, LogIn, Refresh, Reset, SignUp
from functions.accounts.identity import (
    AddressTakenError,
    Identity,
    IdentityUnavailableError,
    SecondFactorError,
    Tokens,
    UnconfirmedError,
    WeakPasswordError,
    WrongCodeError,
    WrongPasswordError,
)
from functions.accounts.people import People, Person, moment, new_reset, new_tenant, unconfirmed
from functions.shared import journal
from functions.shared.account.audit import Audit, Origin
from functions.shared.account.mail import Mailer, MailError
from functions.shared.account.standing import standing_on
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.forms import invalid
from functions.shared.plans import PLANS, TRIAL, TRIAL_DAYS
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

SECONDS_A_DAY = 86_400

TERMS_VERSION = "2026-11-01"
"""The terms that a sign-up accepts; a new version is a new date."""

HAS_ACCOUNT_SUBJECT = "You already have an AstraLog account"
HAS_ACCOUNT_TEXT = """Somebody, perhaps you, tried to sign up for AstraLog Cloud with this address.

You have an account already: sign in with it, or ask for a new password if you forgot yours. If it was not
you, there is nothing to do: nothing was changed, and nobody was told that you have an account.
"""


@dataclass(frozen=True, slots=True)
class Membership:
    """Everything an open route does. `address` is the network address that asks, `now` Unix seconds.

    Raises RefusalError with the contract's answer, or a RetryableError when a service does not answer.
    """

    identity: Identity
    people: People
    directory: Directory
    attempts: Attempts
    mailer: Mailer
    audit: Audit
    emails: EmailCopy

    def sign_up(self, form: SignUp, address: str, now: float) -> None:
        """Have a code mailed to somebody new; tell somebody with an account that they have one."""
        self.attempts.begin("mail", address, form.email, now)
        try:
            subject = self.identity.sign_up(form.email, form.password)
        except AddressTakenError:
            if not self._make_way(form.email):
                return
            subject = self._sign_up_again(form)
        except WeakPasswordError:
            raise _weak_password() from None
        self.people.put(_newcomer(form, subject, now))

    def confirm(self, form: Confirmation, address: str, now: float) -> TenantId:
        """Take the mailed code and open the account; the same code again gets the same answer.

        With the password, for the code alone proves the address: a stranger may have signed up with it after
        its owner, and the owner, reading the newest mail, would confirm the stranger's password.
        """
        attempt = self.attempts.begin("code", address, form.email, now)
        known = self.identity.find(form.email)
        person = self.people.get(known.subject, now) if known else None
        if known is None or person is None:
            raise _wrong_code()
        if person.proof and not proof.fits(form.password, person.proof):
            raise _wrong_code()
        if known.confirmed:
            if not person.tried(form.code):
                raise _wrong_code()
        else:
            self._try_code(person, form)
        self._complete(person, address, now)
        attempt.succeeded(now)
        return person.tenant

    def resend(self, email: str, address: str, now: float) -> None:
        """Mail a new confirmation code to somebody who needs one."""
        self.attempts.begin("mail", address, email, now)
        self.identity.mail_confirmation(email)

    def log_in(self, form: LogIn, address: str, now: float) -> Tokens:
        """Sign in with a password."""
        attempt = self.attempts.begin("password", address, form.email, now)
        try:
            tokens = self._tokens(form)
        except UnconfirmedError:
            if not self._signed_up_with(form.email, form.password, now):
                raise _wrong_login() from None
            attempt.succeeded(now)
            raise _not_confirmed() from None
        person = self.people.get(tokens.subject, now)
        if person is None:
            raise _no_account()
        self._complete(person, address, now)
        if self.directory.account(person.tenant) is None:
            raise _no_account()
        if person.owed:
            self._end_sessions(person, address)
            tokens = self._tokens(form)
        if person.email != form.email:
            # Who signs in with an address has it: changed around us, or half-way.
            self.emails.healed(person, tokens.access, _in_person(person, address), suspected=True)
        attempt.succeeded(now, remember=True)
        return tokens

    def refresh(self, form: Refresh, address: str, now: float) -> Tokens:
        """A new access token; not counted, for nobody guesses a refresh token.

        Sessions that a reset should have ended and could not are ended now, whosever turn it is.
        """
        try:
            tokens = self.identity.refresh(form.token)
        except WrongPasswordError:
            raise _wrong_login() from None
        person = self.people.get(tokens.subject, now)
        if person is None:
            raise _wrong_login()
        if person.overdue(now):
            self._end_sessions(person, address)
            raise _wrong_login()
        return tokens

    def forgot(self, email: str, address: str, now: float) -> None:
        """Mail a code that lets its reader set a password."""
        self.attempts.begin("mail", address, email, now)
        self.identity.mail_reset(email)

    def reset(self, form: Reset, address: str, now: float) -> None:
        """Set a password with a mailed code; every session of the old one ends.

        That sessions are to be ended is written down first. Should that fail after the code was taken, the
        same request again, the next sign-in or the next refresh ends them.
        """
        attempt = self.attempts.begin("code", address, form.email, now)
        known = self.identity.find(form.email)
        person = self.people.get(known.subject, now) if known else None
        if person is None:
            self._set_password(form)
            raise _no_account()
        reset = new_reset(now)
        self.people.owe(person.subject, reset)
        try:
            self._set_password(form)
        except RefusalError:
            self.people.settle(person.subject, {reset})
            if not person.owed or not self._was_set(form, address, now):
                raise
        if person.confirmed:
            self._note(person, address, "password.reset")
        self._end_sessions(replace(person, owed=person.owed | {reset}), None)
        attempt.succeeded(now)

    def _tokens(self, form: LogIn) -> Tokens:
        try:
            return self.identity.log_in(form.email, form.password)
        except WrongPasswordError:
            raise _wrong_login() from None
        except SecondFactorError:
            raise RefusalError(
                403,
                "second_factor_required",
                "This account asks for a second factor, which is not taken here.",
            ) from None

    def _set_password(self, form: Reset) -> None:
        try:
            self.identity.reset(form.email, form.code, form.password)
        except WrongCodeError:
            raise _wrong_code() from None
        except WeakPasswordError:
            raise _weak_password() from None

    def _was_set(self, form: Reset, address: str, now: float) -> bool:
        """Whether the password is already the wanted one: then an earlier request's code was taken.

        It is a try at the password like any other, and counts as one.
        """
        attempt = self.attempts.begin("password", address, form.email, now)
        try:
            self.identity.log_in(form.email, form.password)
        except (WrongPasswordError, UnconfirmedError):
            return False
        except SecondFactorError:
            pass
        attempt.succeeded(now)
        return True

    def _end_sessions(self, person: Person, address: str | None) -> None:
        """Do what resets owe. Should it fail it is owed as before, also when it was settled meanwhile.

        `address`: whose turn it is, for the audit trail; None where the reset itself is in it.
        """
        try:
            self.identity.end_sessions(person.subject)
            if address is not None:
                self._note(person, address, "sessions.ended")
        except RetryableError:
            for reset in person.owed:
                self.people.owe(person.subject, reset)
            raise
        self.people.settle(person.subject, person.owed)

    def _note(self, person: Person, address: str, action: str) -> None:
        """In the audit trail: these are done before anybody is signed in."""
        self.audit.append(person.tenant, _in_person(person, address), action, person.subject)

    def _make_way(self, email: str) -> bool:
        """Whether an address that is taken is free now: an unconfirmed identity gives way.

        Whoever signed up first with another's address chose its password. Were the owner's code to confirm
        that identity, the stranger could sign in; so the last sign-up is the one that counts.
        """
        known = self.identity.find(email)
        if known is None:
            return True
        if known.confirmed:
            self._tell_the_owner(email)
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

    def _tell_the_owner(self, email: str) -> None:
        try:
            self.mailer.send(email, HAS_ACCOUNT_SUBJECT, HAS_ACCOUNT_TEXT)
        except MailError:
            # The answer must not differ from that to somebody new.
            journal.write("notice_not_sent", reason="SES did not take it")

    def _try_code(self, person: Person, form: Confirmation) -> None:
        """Noted first: should we fail after the provider took the code, its retry must be known as right."""
        self.people.note_code(person.subject, form.code)
        try:
            self.identity.confirm(form.email, form.code)
        except WrongCodeError:
            raise _wrong_code() from None

    def _complete(self, person: Person, address: str, now: float) -> None:
        """Open the account of a person whose address is confirmed; once done it does nothing."""
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
        return bool(person and person.proof and proof.fits(password, person.proof))


def _in_person(person: Person, address: str) -> Origin:
    return Origin(f"person:{person.subject}", address, "")


def _newcomer(form: SignUp, subject: str, now: float) -> Person:
    person = Person(
        subject=subject,
        tenant=new_tenant(),
        name=form.name,
        email=form.email,
        terms_version=TERMS_VERSION,
        terms_accepted_at=moment(now),
        marketing_opt_in=form.marketing_opt_in,
        proof=proof.prove(form.password),
    )
    return unconfirmed(person, now)


def _trial(person: Person, now: float) -> Account:
    ends_at = int(now) + TRIAL_DAYS * SECONDS_A_DAY
    return Account(
        tenant=person.tenant,
        standing=standing_on(PLANS[TRIAL], accepts_until=ends_at, end_reason="trial_ended"),
        owner=person.subject,
        created_at=int(now),
    )


def _wrong_code() -> RefusalError:
    return RefusalError(400, "invalid_code", "The code is wrong or too old: ask for a new one.")


def _wrong_login() -> RefusalError:
    return RefusalError(401, "invalid_login", "The sign-in is not right: check e-mail and password.")


def _not_confirmed() -> RefusalError:
    return RefusalError(403, "unconfirmed", "The e-mail address is not confirmed: enter the code we mailed.")


def _no_account() -> RefusalError:
    return RefusalError(403, "no_account", "This sign-in has no account here: sign up first.")


def _weak_password() -> RefusalError:
    return invalid("password", "is too weak: choose a longer one")
