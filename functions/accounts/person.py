"""A person who signed up."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from functions.shared.accounts.session_ends import SessionEnds
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

State = Literal["unconfirmed", "confirmed"]


@dataclass(frozen=True, slots=True)
class Person:
    """`subject` is Cognito's id of the person; `terms_accepted_at` RFC 3339, UTC.

    `proof` (functions.accounts.password_hash) and `forget_at` (Unix seconds) are set only while unconfirmed.
    `tried_code`: digest of the last confirmation code, which distinguishes a retry of the right code from a
    guess. `open_resets`: names of password resets after which old sessions may not have been ended.
    `sessions_ended_at`: sessions that began before this time (Unix seconds) have ended. `ended_sessions`:
    sessions that ended one by one, each as `<until>-<session>`; at `until` all its tokens have expired.
    """

    subject: str
    tenant: TenantId
    name: str = field(repr=False)
    email: str = field(repr=False)
    terms_version: str
    terms_accepted_at: str
    marketing_opt_in: bool
    state: State = "unconfirmed"
    proof: str | None = field(default=None, repr=False)
    tried_code: str | None = field(default=None, repr=False)
    forget_at: int | None = None
    open_resets: frozenset[str] = frozenset()
    sessions_ended_at: int = 0
    ended_sessions: frozenset[str] = frozenset()

    @property
    def confirmed(self) -> bool:
        return self.state == "confirmed"

    def tried(self, code: SecretText) -> bool:
        """Whether `code` is the last code that was tried for this person."""
        return self.tried_code == code_digest(self.subject, code)

    @property
    def session_ends(self) -> SessionEnds:
        return SessionEnds(self.sessions_ended_at, self.ended_sessions, self.open_resets)

    def abandoned_resets(self, now: float) -> frozenset[str]:
        """The names in `open_resets` of resets that are no longer in progress."""
        return self.session_ends.abandoned_resets(now)

    def session_over(self, session: str, signed_in_at: int, now: float) -> bool:
        """Whether the session has ended that began with the sign-in at `signed_in_at`, in Unix seconds."""
        return self.session_ends.include(session, signed_in_at, now)


def code_digest(subject: str, code: SecretText) -> str:
    """The stored digest of a code, enough to recognize it."""
    return hashlib.sha256(f"{subject}:{code.reveal()}".encode()).hexdigest()
