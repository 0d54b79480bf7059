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
class NeverConfirmed:
    """Raises SignInsUnavailableError when Cognito fails."""

    sign_ins: SignIns

    def forget(self, now: float, may_go_on: Callable[[], bool] = lambda: True) -> int:
        """Delete sign-ups that are unconfirmed for too long at `now`, Unix seconds; how many were deleted.

        `may_go_on`: whether there is time for another page, or another sign-up; the next run continues.
        """
        found = list(self.sign_ins.unconfirmed(now - FORGOTTEN_AFTER_DAYS * SECONDS_A_DAY, may_go_on))
        deleted = 0
        for subject in found:
            if not may_go_on():
                break
            self.sign_ins.remove(subject)
            deleted += 1
        return deleted
