"""The demo command: starts its own stack, does one run, and reports the result."""

import json
import signal
import sys
from typing import Any, NoReturn

from rich.console import Console

from local.demo.client import ApiError
from local.demo.output import DemoOutput
from local.demo.run import Run
from local.demo.sandbox import sandbox
from local.supervisor import StackError

DEFAULT_LINES = 50_000
MIN_LINES = 1000
"""With fewer lines, some searches would find nothing."""

INTERRUPTED = 130
TERMINATED = 143


class IncompleteError(Exception):
    """Sent, accepted, stored and found lines differ; the message says how."""


def demo(lines: int, *, as_json: bool) -> int:
    """Run the demo; 0 if all lines sent were accepted, stored and found.

    The report goes to standard output; with `as_json` the figures go there and the report to standard error.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        _run(lines, DemoOutput(Console(stderr=as_json)), as_json=as_json)
    except (ApiError, IncompleteError, StackError) as fault:
        print("\n".join([str(fault), *getattr(fault, "__notes__", ())]), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _run(lines: int, output: DemoOutput, *, as_json: bool) -> None:
    output.say("Starting a stack for the demo …")
    with sandbox() as stack:
        figures = Run(stack, lines, output).figures()
        output.figures(figures)
        if as_json:
            print(json.dumps(figures.as_json(), indent=2))
        if figures.differences:
            raise IncompleteError("\n".join(figures.differences))
    output.say(f"All {figures.sent:,} lines sent were accepted, stored and found.")
    output.whats_next()


def _terminated(_number: int, _frame: Any) -> NoReturn:
    sys.exit(TERMINATED)
