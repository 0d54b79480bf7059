"""`python -m operate <command>`: run one command; exit code 0, 1 after an error, 2 for wrong arguments."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from functions.shared.errors import AstralogError
from infra.topology import StageNames
from operate.access import open_client, use_aws
from operate.command_line import parser
from operate.console import Console
from operate.errors import OperatorError
from operate.installation import Installation
from operate.session import Session


def main(
    arguments: Sequence[str] | None = None, connect: Callable[[argparse.Namespace], Session] | None = None
) -> int:
    """Run the command line. An error is a sentence on standard error.

    `connect`: finds the installation that the options name; None for CloudFormation's.
    """
    asked = parser().parse_args(arguments)
    try:
        asked.run(asked, (connect or find_installation)(asked))
    except AstralogError as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def find_installation(asked: argparse.Namespace) -> Session:
    """The installation of `--stage` and `--region`, with the credentials of the AWS CLI.

    Raises
    ------
    OperatorError
    """
    try:
        names = StageNames(asked.stage)
    except ValueError as fault:
        raise OperatorError(f"--stage: {fault}.") from None
    replaced = dict(_replaced_output(each) for each in asked.output)
    region = use_aws(asked.region, asked.endpoint_url)
    installation = Installation(names, region, open_client("cloudformation"), replaced)
    return Session(installation, Console(as_json=asked.json, assume_yes=asked.yes))


def _replaced_output(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise OperatorError(f"--output must be NAME=VALUE, not {text!r}.")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
