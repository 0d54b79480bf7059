"""Refresh a session, end one session, end all sessions of a person.

A session ends here before it ends at Cognito. Its end is stored with the person, where the authorizer reads
it, because an access token stays valid for its hour whatever Cognito does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from functions.accounts.attempts import AttemptLimiter
from functions.accounts.failures import FailureLimiter
from functions.accounts.forms import LogOut, Refresh
from functions.accounts.identity import Identity
from functions.accounts.identity_errors import WrongPasswordError
from functions.accounts.people import MAX_ENDED_SESSIONS, People
from functions.accounts.person import Person
from functions.accounts.refresh_token import RefreshToken, verify_refresh_token
from functions.accounts.session_tokens import SessionTokens
from functions.shared.access import Principal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.session_ends import ended_at
from functions.shared.errors import HttpError, RetryableError
from functions.shared.forms import invalid
from functions.shared.secret_text import SecretText

ACCESS_SECONDS = 3600 + 60
"""Lifetime of an access token, with the leeway of functions.accounts.tokens."""

REFRESH_SECONDS = 30 * 86_400 + ACCESS_SECONDS
"""Time until the last access token of a session has expired."""

MAX_WAIT_SECONDS = 3.0


class ImmediateRejectionError(HttpError):
    """A rejection that does not reveal who exists, so it is answered without delay."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Every method raises a RetryableError when a service does not answer. `now` is in Unix seconds.

    `failures` counts made-up refresh tokens by network.
    """

    identity: Identity
    people: People
    audit: AuditTrail
    attempts: AttemptLimiter
    failures: FailureLimiter
    clock: Callable[[], float] = time.time

    def sign_refresh_token(self, tokens: SessionTokens) -> SessionTokens:
        """`tokens` with the refresh token in our signed form."""
        if tokens.refresh is None:
            return tokens
        own = RefreshToken(tokens.subject, tokens.session, tokens.signed_in_at, tokens.refresh)
        return replace(tokens, refresh=own.signed(self.identity.sign))

    def refresh(self, form: Refresh, address: str, now: float) -> SessionTokens:
        """A new access token of the same session.

        A made-up token is counted for its network and costs nothing else. A valid one is counted for its
        person and never rejected because of its network, which many people of one company may share. Sessions
        that an unfinished reset should have ended are ended now.

        Raises
        ------
        ImmediateRejectionError: 401 `invalid_login`; 429 after functions.accounts.failures.MOST made-up ones.
        HttpError: 429 `too_many_attempts`.
        """
        given = verify_refresh_token(form.token, self.identity.sign)
        if given is None:
            raise self._count_unknown_token(address, now)
        self.attempts.admit_session(given.subject, now)
        person = self.people.get(given.subject, now)
        if person is None or person.session_over(given.session, given.signed_in_at, now):
            if person and person.abandoned_resets(now):
                self.end_all(person, Origin(f"person:{person.subject}", address, ""))
            raise _ended()
        try:
            return self.identity.refresh(given.token)
        except WrongPasswordError:
            raise _ended() from None

    def log_out(self, form: LogOut, caller: Principal, who: Origin, now: float) -> None:
        """End the caller's session, or all sessions of the person; idempotent.

        Raises
        ------
        HttpError: 400 `invalid_refresh_token`, when it is not the caller's own; 401.
        """
        subject = caller.subject or ""
        given = self._own(form.token, subject)
        self.attempts.admit_session(subject, now)
        person = self.people.get(subject, now)
        if person is None:
            raise _ended()
        expired = {each for each in person.ended_sessions if int(each.partition("-")[0]) <= now}
        if form.everywhere or len(person.ended_sessions - expired) >= MAX_ENDED_SESSIONS:
            self.end_all(person, who)
            return
        self.people.remove_ended(subject, expired)
        if given:
            # Revoke before recording the end: the record is deleted sooner because of the revocation.
            self.identity.revoke(given.token)
        until = int(now) + (ACCESS_SECONDS if given else REFRESH_SECONDS)
        for session in {caller.session, given.session if given else caller.session}:
            self.people.end_session(subject, session, until)

    def mark_all_ended(self, person: Person) -> int:
        """End every session in our table; returns the time before which they began."""
        before = ended_at(self.clock())
        self.people.end_sessions(person.subject, before)
        return before

    def end_all(self, person: Person, who: Origin | None) -> Person:
        """End every session and complete unfinished resets; returns the person's new state.

        On failure `open_resets` keeps its entries, even if another process removed them. `who` is for the
        audit trail; None when the trail already has the cause.
        """
        before = self.mark_all_ended(person)
        try:
            self.identity.end_sessions(person.subject)
            if who is not None:
                self.audit.append(person.tenant, who, "sessions.ended", person.subject)
        except RetryableError:
            for reset in person.open_resets:
                self.people.record_reset(person.subject, reset)
            raise
        self.people.clear_resets(person.subject, person.open_resets)
        return replace(person, open_resets=frozenset(), sessions_ended_at=before, ended_sessions=frozenset())

    def wait_until_past(self, person: Person) -> None:
        """Wait until a sign-in is later than the end of earlier sessions: at most two seconds."""
        left = person.sessions_ended_at - self.clock()
        time.sleep(min(max(left, 0.2), MAX_WAIT_SECONDS))

    def _own(self, token: SecretText | None, subject: str) -> RefreshToken | None:
        given = None if token is None else verify_refresh_token(token, self.identity.sign)
        if token is not None and (given is None or given.subject != subject):
            raise invalid("refresh_token", "must be the refresh token of your own login")
        return given

    def _count_unknown_token(self, address: str, now: float) -> HttpError:
        if not self.failures.count_failure(address, now):
            return _ended()
        wait = self.failures.seconds_left(now)
        return ImmediateRejectionError(
            429, "too_many_attempts", f"Too many attempts: wait {wait} seconds.", retry_after_seconds=wait
        )


def _ended() -> ImmediateRejectionError:
    return ImmediateRejectionError(
        401, "invalid_login", "The session is not valid, or it has ended: log in again."
    )
