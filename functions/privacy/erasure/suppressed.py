"""Addresses that we do not mail, as a place of an erasure: nobody mails an account that is gone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.shared.account.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class Suppressed:
    """`digests`: of the addresses of the account's people, noted before anything of them was removed."""

    suppressions: Suppressions
    digests: Callable[[], Sequence[str]]

    def count(self) -> int:
        return sum(self.suppressions.holds_digest(each) for each in self.digests())

    def remove(self) -> str | None:
        for each in self.digests():
            self.suppressions.lift_digest(each)
        return None
