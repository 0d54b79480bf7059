"""Measure what a hostile tenant costs another one: `python -m tests.fairness`.

Starts a stack of its own. Exits with 1 when the second tenant's p95 is more than twice that of alone, beyond
what an equally busy machine explains, or when an attack could not be measured to its end. The report has both
ratios. What was compared so far is printed after each attack, and `--report` writes the whole report so far.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path

from tests.fairness.attacks import ATTACKS
from tests.fairness.measure import ROUNDS, SECONDS, Erasures, measure
from tests.fairness.report import Report
from tests.integration.stack import running_stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fairness", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"each phase lasts (default {SECONDS:.0f})"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each attack (default {ROUNDS})")
    parser.add_argument("--attack", choices=ATTACKS, action="append", help="only this one; may be repeated")
    erasures = parser.add_mutually_exclusive_group()
    for name, chosen, purpose in (
        ("--no-erasures", Erasures.NONE, "do not measure erasures"),
        ("--only-erasures", Erasures.ONLY, "measure erasures and nothing else, in one round"),
    ):
        erasures.add_argument(name, dest="erasures", action="store_const", const=chosen, help=purpose)
    parser.set_defaults(erasures=Erasures.TOO)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--report", type=Path, help="write the report to this file after each attack")
    arguments = parser.parse_args()
    notify = partial(print, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        numbers = count(1)
        reports = measure(
            lambda: running_stack(Path(folder) / f"stack-{next(numbers)}"),
            arguments.attack or list(ATTACKS),
            arguments.seconds,
            arguments.rounds,
            erasures=arguments.erasures,
            notify=notify,
        )
        report = last_written(reports, arguments.report, as_json=arguments.json, notify=notify)
    print(text_of(report, as_json=arguments.json))
    return 0 if report.is_fair else 1


def last_written(
    reports: Iterable[Report], path: Path | None, *, as_json: bool, notify: Callable[[str], None]
) -> Report:
    """The last of `reports`; each is written to `path` and notified as it comes."""
    report = Report([], [], [])
    for report in reports:
        if path:
            path.write_text(text_of(report, as_json=as_json) + "\n")
        notify("\n".join(report.compared_lines()))
    return report


def text_of(report: Report, *, as_json: bool) -> str:
    return report.as_json() if as_json else "\n".join(report.lines())


if __name__ == "__main__":
    sys.exit(main())
