"""Delete unconfirmed sign-ups from Cognito.

Our own table deletes them after a week (functions/accounts/people.py). From then on they can no longer be
confirmed, so what Cognito still stores of them has no use.
"""

from collections.abc import Callable
from dataclasses import dataclass

from functions.privacy.sign_ins import SignIns

FORGOTTEN_AFTER_DAYS = 8
"""One day more than our own table retains them."""

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class UnconfirmedSignUps:
    """Raises SignInsUnavailableError when Cognito fails."""

    sign_ins: SignIns

    def delete_expired(self, now: float, has_time: Callable[[], bool] = lambda: True) -> int:
        """Delete sign-ups that are unconfirmed for too long at `now`, Unix seconds; how many were deleted.

        `has_time`: whether there is time for another page, or another sign-up; the next run continues.
        """
        found = list(self.sign_ins.unconfirmed(now - FORGOTTEN_AFTER_DAYS * SECONDS_A_DAY, has_time))
        deleted = 0
        for subject in found:
            if not has_time():
                break
            self.sign_ins.remove(subject)
            deleted += 1
        return deleted
