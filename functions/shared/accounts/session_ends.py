"""The ends of a person's sessions: whether one of them has ended."""

from dataclasses import dataclass

UNDERWAY_SECONDS = 60
"""Longer than any request takes."""

CLOCK_SKEW_SECONDS = 1
"""How far the clock of Cognito may be ahead of the functions' clock."""


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


def ended_at(now: float) -> int:
    """The time before which sessions count as ended when sessions end at `now`, both in Unix seconds.

    Cognito gives whole seconds. A session of this second may have begun before `now`; if Cognito's clock is
    ahead, so may a session of the next second. Both count as ended, and a sign-in waits until it is later.
    """
    return int(now) + 1 + CLOCK_SKEW_SECONDS


def _began(reset: str) -> int:
    return int(reset.partition("-")[0])
