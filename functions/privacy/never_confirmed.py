"""People who signed up and never confirmed their address: the identity provider forgets them as we do.

Our own table forgets them after a week (functions/accounts/people.py), and then nobody can confirm them any
more: what the provider still keeps of them is of no use to anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from functions.privacy.sign_ins import SignIns

FORGOTTEN_AFTER_DAYS = 8
"""A day more than our own table keeps them."""

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class NeverConfirmed:
    """Raises SignInsUnavailableError when Cognito fails."""

    sign_ins: SignIns

    def forget(self, now: float, may_go_on: Callable[[], bool] = lambda: True) -> int:
        """Delete those who have been unconfirmed for too long at `now`, Unix seconds; how many that were.

        `may_go_on`: whether there is time for another page, or another one of them; the next run continues.
        """
        found = list(self.sign_ins.unconfirmed(now - FORGOTTEN_AFTER_DAYS * SECONDS_A_DAY, may_go_on))
        deleted = 0
        for subject in found:
            if not may_go_on():
                break
            self.sign_ins.remove(subject)
            deleted += 1
        return deleted
