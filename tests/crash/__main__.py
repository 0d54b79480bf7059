"""Run the crash matrix and print it: `python -m tests.crash --seeds 15`."""

import argparse
import json
import sys

from tests.crash.matrix import measure


def main() -> int:
    """0 when nothing was lost or doubled and the controls failed as they must."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seeds", type=int, default=15, help="runs of each cell (170 cells; default 15)")
    parser.add_argument("--control-seeds", type=int, default=2, help="the same for the negative controls")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    report = measure(
        range(arguments.seeds),
        range(arguments.control_seeds),
        lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps(report.as_json()) if arguments.json else "\n".join(report.as_table()))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
