"""The local stack's command line: `python -m local up`, `python -m local invoke`, `python -m local demo`."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local import overrides
from local.demo.command import DEFAULT_LINES, MIN_LINES, demo
from local.endpoints import Endpoints
from local.execution_environment import InvocationError
from local.invoker import Invoker
from local.naming import PROJECT_ROOT, python_module
from local.stack import Places, PortTakenError
from local.supervisor import StackError
from local.up import up
from local.variables import operators_variables

DEFAULT_PORT = "8080"
CANNOT_START = 2


def main() -> int:
    arguments = _parser().parse_args()
    places = Places(arguments.state.resolve())
    if arguments.command == "demo":
        return demo(arguments.lines, as_json=arguments.json)
    if arguments.command == "up":
        return _up(places, keep=arguments.keep)
    if arguments.command == "operate":
        return _operate(places, arguments.arguments)
    return asyncio.run(_invoke(places, arguments.function, arguments.event))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="AstraLog on one machine.")
    parser.add_argument(
        "--state",
        type=Path,
        default=PROJECT_ROOT / ".local",
        help="folder for tables, logs and stack.json (default: .local)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser(
        "up",
        help="run the whole service in the foreground",
        description="Run the whole service in the foreground; PORT is the gateway's port (default 8080).",
    )
    start.add_argument("--keep", action="store_true", help="keep ClickHouse's tables of the last run")
    invoke = commands.add_parser(
        "invoke",
        help="invoke one function against the running stack",
        description="Invoke one function in a fresh execution environment and print its answer.",
    )
    invoke.add_argument("function", choices=[each.name for each in overrides.functions()])
    invoke.add_argument("--event", type=json.loads, default={}, help="the event, as JSON (default: {})")
    operate = commands.add_parser(
        "operate",
        help="run an operator's command against the running stack",
        description="Run `python -m operate` against the running stack: operate notice-status",
    )
    operate.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the command")
    show = commands.add_parser(
        "demo",
        help="run real log lines through a separate stack",
        description="Run real log lines through a separate stack (ignores --state) and count the lines "
        "sent, accepted, stored and found. Exit status 0 if all four are equal.",
    )
    show.add_argument("--lines", type=_lines, default=DEFAULT_LINES, help=f"default: {DEFAULT_LINES}")
    show.add_argument("--json", action="store_true", help="print the figures as JSON, the rest on stderr")
    return parser


def _lines(text: str) -> int:
    if not text.isdecimal() or int(text) < MIN_LINES:
        raise argparse.ArgumentTypeError(f"must be a number of at least {MIN_LINES}")
    return int(text)


def _up(places: Places, *, keep: bool) -> int:
    port = os.environ.get("PORT") or DEFAULT_PORT
    if not port.isdecimal():
        print("PORT must be a number", file=sys.stderr)
        return CANNOT_START
    try:
        up(places, int(port), keep=keep)
    except PortTakenError as fault:
        print(fault, file=sys.stderr)
        return CANNOT_START
    except (StackError, InvocationError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _operate(places: Places, arguments: Sequence[str]) -> int:
    page = _page(places)
    if page is None:
        return CANNOT_START
    command = python_module("operate", *arguments)
    return subprocess.run(command, env=operators_variables(page["aws_endpoint"]), check=False).returncode


def _page(places: Places) -> dict[str, Any] | None:
    try:
        page: dict[str, Any] = json.loads(places.page.read_text())
    except FileNotFoundError:
        print("No stack is running. Start one with `python -m local up`", file=sys.stderr)
        return None
    return page


async def _invoke(places: Places, name: str, event: object) -> int:
    page = _page(places)
    if page is None:
        return CANNOT_START
    endpoints = Endpoints(page["aws_endpoint"], {name: page[name] for name in ("api", "stripe")})
    invoker = Invoker((overrides.function(name),), endpoints, places.logs)
    try:
        print(json.dumps(await invoker.invoke(name, event), indent=2))
    except InvocationError as fault:
        print(f"{fault} (see {places.logs / name}.log)", file=sys.stderr)
        return 1
    finally:
        await invoker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
