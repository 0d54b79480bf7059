"""The whole matrix, or some of it, with its verdict as a table."""

import contextlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from local import moto_lookups
from tests import dynamodb_without_http
from tests.crash import controls
from tests.crash.faults import POINTS
from tests.crash.runs import Make, Verdict, real, run
from tests.crash.scenarios import SCENARIOS
from tests.crash.world import World, world

CONTROLS: dict[str, Make] = {
    "token from grouping": controls.TokenFromGrouping,
    "record per object": controls.RecordPerObject,
}
CONTROLS_FAIL_AT_LEAST = 0.3
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(slots=True)
class Tally:
    """How many runs there were of something, and what went wrong in them."""

    runs: int = 0
    unclean: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    littered: int = 0
    miscounted: int = 0
    crashed: int = 0

    def add(self, verdict: Verdict) -> None:
        self.runs += 1
        self.unclean += not verdict.clean
        for name, value in asdict(verdict).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(slots=True)
class Report:
    """`cells`: unclean runs by (point, scenario); `controls`: tallies of the ways that must fail."""

    total: Tally = field(default_factory=Tally)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    controls: dict[str, Tally] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        rates = [tally.unclean / tally.runs for tally in self.controls.values()]
        return self.clean and all(rate >= CONTROLS_FAIL_AT_LEAST for rate in rates)

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled, stuck, littered or miscounted, and sync really died in every run."""
        return not self.total.unclean and self.total.crashed == self.total.runs

    def as_json(self) -> dict[str, Any]:
        return {
            "total": asdict(self.total),
            "controls": {name: asdict(tally) for name, tally in self.controls.items()},
            "passed": self.passed,
        }

    def as_table(self) -> Iterator[str]:
        names = [scenario.name for scenario in SCENARIOS]
        yield " " * 18 + " ".join(f"{name:>16}" for name in names)
        for point in POINTS:
            cells = (str(self.cells[point, name] or "·") for name in names)
            yield f"{point:<18}" + " ".join(f"{cell:>16}" for cell in cells)
        for name, tally in {"sync": self.total, **self.controls}.items():
            rate = f"{100 * tally.unclean / max(tally.runs, 1):.1f} %"
            yield f"{name}: {tally.runs} runs, {tally.crashed} crashed, {rate} unclean:"
            yield f"  rows lost {tally.lost}, rows doubled {tally.doubled}"
            yield f"  messages stuck {tally.stuck}, objects littered {tally.littered}"
            yield f"  rows miscounted {tally.miscounted}"


def measure(seeds: Sequence[int], control_seeds: Sequence[int], tell: Any) -> Report:
    """Run every point with every scenario for each of `seeds`; `tell` gets a line after each point."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="tests", AWS_SECRET_ACCESS_KEY="tests", AWS_DEFAULT_REGION="us-east-1"
    )
    moto_lookups.install()
    dynamodb_without_http.install()
    report = Report()
    with world() as here:
        for point in POINTS:
            for scenario, seed in product(SCENARIOS, seeds):
                verdict = _quietly(here, real, point, scenario, seed)
                report.total.add(verdict)
                report.cells[point, scenario.name] += not verdict.clean
            tell(f"{point}: {report.total.runs} runs, {report.total.unclean} unclean")
        for name, make in CONTROLS.items():
            tally = report.controls[name] = Tally()
            for point, scenario, seed in product(controls.POINTS, SCENARIOS, control_seeds):
                tally.add(_quietly(here, make, point, scenario, seed, log=None))
            tell(f"control, {name}: {tally.unclean} of {tally.runs} runs unclean")
    return report


def _quietly(here: World, make: Make, *arguments: Any, **choices: Any) -> Verdict:
    """Sync's journal goes to standard output, which is ours here."""
    with contextlib.redirect_stdout(io.StringIO()):
        return run(here, make, *arguments, **choices)
