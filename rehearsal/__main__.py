"""The command line: `python -m rehearsal [--json] [--only … | --break <fault> | --break-each]`.

`python -m rehearsal upgrade [--from REF] [--json]` deploys an earlier version and then this one.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

from local.naming import PROJECT_ROOT
from rehearsal import report
from rehearsal.faults import FAULTS, Broken, Fault
from rehearsal.run import DEPLOY, Order, Outcome, Say, rehearse
from rehearsal.scenarios import SCENARIOS
from rehearsal.upgrade import report as upgraded
from rehearsal.upgrade.run import upgrade

ROOT = PROJECT_ROOT / ".local" / "rehearsal"
UPGRADE_ROOT = PROJECT_ROOT / ".local" / "rehearsal-upgrade"
PREVIOUS = "2b4cbd8"
"""The last version without a rehearsal."""

TERMINATED = 143


def main() -> int:
    if sys.argv[1:2] == ["upgrade"]:
        return _upgrade(_upgrade_parser().parse_args(sys.argv[2:]))
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    say = _progress(sys.stderr if arguments.json else sys.stdout)
    if arguments.break_each:
        return _break_each(say, as_json=arguments.json)
    fault = next((each for each in FAULTS if each.name == arguments.fault), None)
    outcome = _broken(fault, say) if fault else rehearse(ROOT, say, _order(arguments))
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
        metavar="SCENARIO",
        choices=[each.name for each in SCENARIOS],
        help="run these scenarios (the first one always runs: it signs up the customers)",
    )
    parser.add_argument(
        "--as-documented",
        action="store_true",
        help="deploy by the commands of docs/deployment.md",
    )
    faults = parser.add_mutually_exclusive_group()
    faults.add_argument(
        "--break",
        dest="fault",
        choices=[each.name for each in FAULTS],
        help="break the templates first: the rehearsal must fail and name what failed",
    )
    faults.add_argument(
        "--break-each", action="store_true", help="a rehearsal for each fault; exits 0 if each is caught"
    )
    return parser


def _order(arguments: argparse.Namespace) -> Order:
    return Order(only=arguments.only, as_documented=arguments.as_documented)


def _upgrade_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal upgrade",
        description="Deploy an earlier version with data in it, and then this one while logs arrive.",
    )
    parser.add_argument("--from", dest="ref", default=PREVIOUS, help="the earlier version (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the report as JSON; progress goes to stderr")
    return parser


def _upgrade(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _terminated)
    say = _progress(sys.stderr if arguments.json else sys.stdout)
    outcome = upgrade(UPGRADE_ROOT, say, arguments.ref)
    shown = json.dumps(upgraded.as_json(outcome), indent=2) if arguments.json else upgraded.as_text(outcome)
    print(shown)
    if outcome.failures:
        print(f"\nLogs: {UPGRADE_ROOT / 'logs'}", file=sys.stderr)
    return 1 if outcome.failures else 0


def _broken(fault: Fault, say: Say) -> Outcome:
    """A rehearsal of templates with the fault, with the scenarios that should notice it."""
    broken = Broken(fault)
    outcome = rehearse(ROOT, say, Order([broken.edit], fault.scenarios, stop_at_a_failure=True))
    broken.check()
    return outcome


def _break_each(say: Say, *, as_json: bool) -> int:
    """Try all faults; 0 if each rehearsal deploys and then fails.

    Each in a process of its own: CDK stages an asset once in a process.
    """
    rows = []
    for fault in FAULTS:
        say(f"{fault.name}: {fault.what}")
        command = [sys.executable, "-m", "rehearsal", "--json", "--break", fault.name]
        ended = subprocess.run(command, stdout=subprocess.PIPE, cwd=PROJECT_ROOT, check=False)
        shown = json.loads(ended.stdout or "{}")
        caught = shown["failures"] if DEPLOY in shown.get("phases", {}) else []
        rows.append({"fault": fault.name, "what": fault.what, "caught": caught})
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print(f"{row['fault']:<28} {str((row['caught'] or ['NOT CAUGHT'])[0]).splitlines()[0][:180]}")
    return 0 if all(row["caught"] for row in rows) else 1


def _progress(stream: Any) -> Say:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:6.1f} s  {line}", file=stream, flush=True)


def _terminated(_number: int, _frame: Any) -> NoReturn:
    sys.exit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
