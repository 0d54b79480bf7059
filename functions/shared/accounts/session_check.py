"""Whether a person's session has ended, and the check before an action whose effect outlives the session.

The authorizer caches a person for half a minute. Until then an ended session still reads and sends logs. An
action with a lasting effect reads the person again, strongly consistent, and is rejected for an ended
session.
"""

from dataclasses import dataclass
from typing import Any

from functions.shared.access import Principal
from functions.shared.errors import HttpError
from functions.shared.tables.people import PersonItem
from functions.shared.tables.table import Table

UNDERWAY_SECONDS = 60
"""Longer than any request takes."""

CLOCK_SKEW_SECONDS = 1
"""How far the clock of Cognito may be ahead of the functions' clock."""

_ATTRIBUTES = ("subject", "sessions_ended_at", "ended_sessions", "owed")


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """The ends of one person's sessions.

    `before`: sessions that began before this time (Unix seconds) have ended. `ended`: sessions that ended one
    by one, each as `<until>-<session>`. `open_resets`: names of password resets after which old sessions may
    not have been ended.
    """

    before: int
    ended: frozenset[str]
    open_resets: frozenset[str]

    def abandoned_resets(self, now: float) -> frozenset[str]:
        """The names in `open_resets` of resets that are no longer in progress."""
        return frozenset(name for name in self.open_resets if _began(name) + UNDERWAY_SECONDS < now)

    def include(self, session: str, signed_in_at: int, now: float) -> bool:
        """Whether the session has ended that began with the sign-in at `signed_in_at`, in Unix seconds.

        A reset that is no longer in progress may have changed the password, so it ends sessions as a
        completed reset does.
        """
        ends = (self.before, *(ended_at(_began(name)) for name in self.abandoned_resets(now)))
        return signed_in_at < max(ends) or any(each.partition("-")[2] == session for each in self.ended)


class SessionCheck:
    """Reads the table of people.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, people_table: str, client: Any) -> None:
        self._people = Table(PersonItem, people_table, client)

    def require_open(self, caller: Principal, now: float) -> None:
        """Reject a person whose session has ended at `now`, in Unix seconds; a key has no session.

        Raises
        ------
        HttpError: 401. StoreUnavailableError.
        """
        if caller.subject is None:
            return
        person = self._people.get(caller.subject, attributes=_ATTRIBUTES)
        if person is None or session_ends_of(person).include(caller.session, caller.signed_in_at, now):
            raise session_ended()


def session_ends_of(person: PersonItem) -> SessionEnds:
    """The ends of sessions in a person's item."""
    return SessionEnds(
        before=person.sessions_ended_at or 0,
        ended=frozenset(person.ended_sessions or ()),
        open_resets=frozenset(person.owed or ()),
    )


def session_ended() -> HttpError:
    """The error for an ended session."""
    return HttpError(401, "unauthorized", "This session is not valid, or it has ended: log in again.")


def ended_at(now: float) -> int:
    """The time before which sessions count as ended when sessions end at `now`, both in Unix seconds.

    Cognito gives whole seconds. A session of this second may have begun before `now`; if Cognito's clock is
    ahead, so may a session of the next second. Both count as ended, and a sign-in waits until it is later.
    """
    return int(now) + 1 + CLOCK_SKEW_SECONDS


def _began(reset: str) -> int:
    return int(reset.partition("-")[0])
