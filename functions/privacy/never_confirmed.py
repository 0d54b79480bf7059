"""People who signed up and never confirmed their address: the identity provider forgets them as we do.

Our own table forgets them after a week (functions/accounts/people.py), and then nobody can confirm them any
more: what the provider still keeps of them is of no use to anybody.
"""

from dataclasses import dataclass

from functions.privacy.sign_ins import SignIns

FORGOTTEN_AFTER_DAYS = 8
"""A day more than our own table keeps them."""

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class NeverConfirmed:
    """Raises SignInsUnavailableError when Cognito fails."""

    sign_ins: SignIns

    def forget(self, now: float) -> int:
        """Delete those who have been unconfirmed for too long at `now`, Unix seconds; how many there were."""
        found = list(self.sign_ins.unconfirmed(now - FORGOTTEN_AFTER_DAYS * SECONDS_A_DAY))
        for subject in found:
            self.sign_ins.remove(subject)
        return len(found)
