"""Rows that a data export leaves out: rows that match an open erasure of a person."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.privacy.erasure.person_rule import PersonRule
from functions.privacy.erasure.record import Erasure

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Exclusions:
    """`rules`: each with the request's time in microseconds since 1970; later rows stay in the export."""

    rules: tuple[tuple[PersonRule, int], ...] = ()

    @classmethod
    def by(cls, erasures: Iterable[Erasure]) -> "Exclusions":
        """The rules of the open ones among `erasures`."""
        return cls(
            tuple(
                (each.subject.rule(), each.requested_at * MICROSECONDS)
                for each in erasures
                if each.open and each.subject
            )
        )

    def has_line(self, line: bytes) -> bool:
        """Whether a quarantined row is left out, whenever it was received: an erasure removes it, too."""
        return any(rule.matches_line(line) for rule, _ in self.rules)

    def has_row(self, message: str, metadata: str, received_at: int) -> bool:
        """Whether a stored row is left out. `received_at`: microseconds since 1970."""
        return any(
            received_at < before and rule.matches_row(message, metadata) for rule, before in self.rules
        )


NO_EXCLUSIONS = Exclusions()
