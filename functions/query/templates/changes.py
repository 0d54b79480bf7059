"""What changed between two ranges of time: patterns that are new, gone, risen or fallen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from functions.query.templates.counts import RangeCounts
from functions.query.templates.merge import Pattern

CERTAIN = 3
"""Standard deviations by which a count differs before it counts as a change: chance is hardly as large."""

MIN_FACTOR = 1.5
"""By which a count differs at least."""

Change = Literal["new", "gone", "risen", "fallen", "same"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`length`: of the range, in lengths of the one before. `weight`, `weight_before`: of a sampled row."""

    length: float
    weight: float
    weight_before: float

    def expected(self, found: Pattern) -> float:
        """The count that the pattern would have if nothing had changed."""
        return found.before * self.length

    def change(self, found: Pattern) -> Change:
        """What happened to the pattern."""
        if not found.before:
            return "new"
        if not found.now:
            return "gone"
        expected = self.expected(found)
        chance = CERTAIN * sqrt(found.now * self.weight + expected * self.length * self.weight_before)
        if found.now - expected > chance and found.now >= MIN_FACTOR * expected:
            return "risen"
        if expected - found.now > chance and expected >= MIN_FACTOR * found.now:
            return "fallen"
        return "same"


def comparison(
    ranges: Sequence[tuple[int, int]], now: Sequence[RangeCounts], before: Sequence[RangeCounts]
) -> Comparison | None:
    """How counts of the first range compare with those of the second; None without a second one."""
    if len(ranges) < 2:
        return None
    (since, until), (since_before, until_before) = ranges
    length = (until - since) / (until_before - since_before)
    return Comparison(length, _weight(now), _weight(before))


def ranked(patterns: Sequence[Pattern], compared: Comparison | None) -> list[Pattern]:
    """The most frequent patterns first; when ranges are compared, those that changed most."""
    if compared is None:
        return sorted(patterns, key=lambda each: (-each.now, each.text))
    return sorted(patterns, key=lambda each: (-abs(each.now - compared.expected(each)), each.text))


def _weight(counts: Sequence[RangeCounts]) -> float:
    return max((each.weight for each in counts), default=1.0)
