"""Measure what a hostile tenant costs another one: `python -m tests.fairness`.

Starts a stack of its own. Exits with 1 when the second tenant's p95 is more than twice that of alone, beyond
what an equally busy machine explains. The report has both ratios.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.fairness.attacks import ATTACKS
from tests.fairness.measure import ROUNDS, SECONDS, measure
from tests.integration.stack import running_stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fairness", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"each phase lasts (default {SECONDS:.0f})"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each attack (default {ROUNDS})")
    parser.add_argument("--attack", choices=ATTACKS, action="append", help="only this one; may be repeated")
    parser.add_argument("--no-erasures", action="store_true", help="do not measure erasures")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        report = measure(
            stack,
            asked.attack or list(ATTACKS),
            asked.seconds,
            asked.rounds,
            erasures=not asked.no_erasures,
            notify=lambda line: print(line, file=sys.stderr, flush=True),
        )
    if asked.json:
        print(
            json.dumps({"compared": [asdict(each) for each in report.compared], "failures": report.failures})
        )
    else:
        print("\n".join(report.lines()))
    return 0 if report.is_fair else 1


if __name__ == "__main__":
    sys.exit(main())
