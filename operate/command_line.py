"""The parser of `python -m operate`: options of every command, and the commands of all modules."""

import argparse
import inspect

from operate import accounts, billing, erasures, notices, platform_secrets, quarantine, stacks
from operate.command import Command

COMMANDS: tuple[Command, ...] = (
    *stacks.COMMANDS,
    *platform_secrets.COMMANDS,
    *accounts.COMMANDS,
    *billing.COMMANDS,
    *notices.COMMANDS,
    *quarantine.COMMANDS,
    *erasures.COMMANDS,
)

DEFAULTS = {"stage": "", "region": None, "endpoint_url": None, "output": (), "json": False, "yes": False}


def _common() -> argparse.ArgumentParser:
    """The options of every command; a new parser each time, because `set_defaults` changes its options."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    options = common.add_argument_group("installation and output")
    options.add_argument("--stage", help="the stage it was deployed with (default: none)")
    options.add_argument("--region", help="AWS region (default: that of the AWS CLI)")
    options.add_argument("--endpoint-url", help="URL of AWS, for an emulator or the local stack")
    options.add_argument(
        "--output",
        action="append",
        metavar="NAME=VALUE",
        help="use another resource than the stack's, such as a restored table; repeatable",
    )
    options.add_argument("--json", action="store_true", help="print one JSON object per line")
    options.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return common


def parser() -> argparse.ArgumentParser:
    """The options may be before or after the command."""
    whole = argparse.ArgumentParser(
        prog="python -m operate",
        description="Operate an installation of AstraLog Cloud. Names of its resources are read from its "
        "stacks; credentials are found as by the AWS CLI.",
        parents=[_common()],
    )
    whole.set_defaults(**DEFAULTS)
    commands = whole.add_subparsers(dest="command", required=True, metavar="command")
    for each in COMMANDS:
        own = commands.add_parser(
            each.name,
            help=each.help,
            description=inspect.getdoc(each.run) or each.help,
            parents=[_common()],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        each.arguments(own)
        own.set_defaults(run=each.run)
    return whole
