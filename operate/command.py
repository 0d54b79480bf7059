"""A command: its name, its help text, its arguments, and what it does."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from operate.session import Session


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Command:
    """`run` gets the parsed arguments; it raises an AstralogError when it fails.

    `help`: one line of the list of commands. The docstring of `run` is the description in `--help`.
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace, Session], None]
    arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments


def tenant_argument(parser: argparse.ArgumentParser) -> None:
    """The argument of commands for one account."""
    parser.add_argument("tenant", help="the account's id")
