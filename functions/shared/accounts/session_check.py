"""Whether a person's session has ended, and the check before an action whose effect outlives the session.

The authorizer caches a person for half a minute. Until then an ended session still reads and sends logs. An
action with a lasting effect reads the person again, strongly consistent, and is rejected for an ended
session.
"""

from typing import Any

from functions.shared.access import Principal
from functions.shared.accounts.session_ends import SessionEnds
from functions.shared.errors import HttpError
from functions.shared.tables.people import PersonItem
from functions.shared.tables.table import Table

_ATTRIBUTES = ("subject", "sessions_ended_at", "ended_sessions", "owed")


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
