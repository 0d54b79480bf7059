"""How long each row may live, computed without the code under test.

A tenant's plan is a list of changes. What is kept at a moment is the longest plan of the seven days before:
that is all there is to a grace. A row is *covered* at a moment if its day and the days that are kept reach
it. It has to be there from its receipt until it is not covered for the first time; from then on it is on its
way out, and a longer plan may find it still there, or not. A row that is not covered has to be gone a day
later.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

GRACE = timedelta(days=7)
A_DAY = timedelta(days=1)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Life:
    """One tenant's plans: `changes` are (moment, days), by moment; the first was there before any row."""

    changes: list[tuple[datetime, int]]
    _ends: dict[date, list[datetime]] = field(default_factory=dict)
    _kept: dict[datetime, int] = field(default_factory=dict)

    def plan_at(self, moment: datetime) -> int:
        """What the plan gives rows that are received now."""
        return self.changes[max(bisect_right(self.changes, (moment, 10**6)) - 1, 0)][1]

    def kept_at(self, moment: datetime) -> int:
        """For how many days rows are kept now: the longest plan since seven days ago."""
        if moment not in self._kept:
            since = moment - GRACE
            during = [days for at, days in self.changes if since < at <= moment]
            self._kept[moment] = max([self.plan_at(since), *during])
        return self._kept[moment]

    def covers(self, received_on: date, moment: datetime) -> bool:
        """Whether rows of that day are to be kept at that moment."""
        return moment.date() <= received_on + timedelta(days=self.kept_at(moment))

    def ends(self, received_on: date) -> list[datetime]:
        """The moments from which rows of that day are not covered any more, though they were just before."""
        if received_on not in self._ends:
            midnight = datetime.combine(received_on, datetime.min.time(), UTC)
            turns = [midnight + A_DAY * (days + 1) for days in {days for _, days in self.changes}]
            turns += [at for change, _ in self.changes[1:] for at in (change, change + GRACE)]
            turns = sorted(each for each in turns if each.date() > received_on)
            covered = [True, *(self.covers(received_on, each) for each in turns)]
            self._ends[received_on] = [
                each
                for each, was, still in zip(turns, covered, covered[1:], strict=False)
                if was and not still
            ]
        return self._ends[received_on]
