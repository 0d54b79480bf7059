"""The rehearsal's command line: `python -m rehearsal [--json] [--only <scenario> …]`."""

import argparse
import json
import signal
import sys
import time
from typing import Any, NoReturn

from local.naming import PROJECT_ROOT
from rehearsal import report
from rehearsal.run import Say, rehearse
from rehearsal.scenarios import SCENARIOS

ROOT = PROJECT_ROOT / ".local" / "rehearsal"
TERMINATED = 143


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    outcome = rehearse(ROOT, _progress(sys.stderr if arguments.json else sys.stdout), only=arguments.only)
    print(json.dumps(report.as_json(outcome), indent=2) if arguments.json else report.as_text(outcome))
    if outcome.failures:
        print(f"\nLogs: {ROOT / 'logs'}", file=sys.stderr)
    return 1 if outcome.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Deploy the templates to an emulator of AWS and try every promise against them.",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON; progress goes to stderr")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=[each.name for each in SCENARIOS],
        help="run these scenarios (the first one always runs: it signs up the customers)",
    )
    return parser


def _progress(stream: Any) -> Say:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:6.1f} s  {line}", file=stream, flush=True)


def _terminated(_number: int, _frame: Any) -> NoReturn:
    sys.exit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
