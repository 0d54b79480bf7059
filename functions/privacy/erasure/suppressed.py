"""Suppressed mail addresses, as a place of an erasure: an erased account gets no mail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.shared.accounts.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class Suppressed:
    """`digests`: of the addresses of the account's people, recorded before any of their data was removed."""

    suppressions: Suppressions
    digests: Callable[[], Sequence[str]]

    def count(self) -> int:
        return sum(self.suppressions.holds_digest(each) for each in self.digests())

    def remove(self) -> str | None:
        for each in self.digests():
            self.suppressions.lift_digest(each)
        return None
