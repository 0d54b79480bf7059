"""The command `put-secret`: store one of the installation's secrets, checked before it is in use."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from functions.billing.stripe_secret import stripe_secret
from functions.shared.clickhouse_address import ClickHouseAddress
from infra.topology import SECRETS, output_name
from operate.access import open_client
from operate.command import Command
from operate.errors import OperatorError
from operate.session import Session

CHECKS: dict[str, Callable[[str], Any]] = {
    "warehouse": ClickHouseAddress.from_json,
    "search": ClickHouseAddress.from_json,
    "stripe": stripe_secret,
}
"""Secret -> raises a SettingsError for a value that the functions could not read."""


def _put_secret(asked: argparse.Namespace, session: Session) -> None:
    """Create a secret, or replace its value; running functions use a new value within five minutes.

    The value is a JSON object, read from a file or with `--file -` from standard input. Secrets can be stored
    before the first deployment.
    """
    value = _value(asked.file)
    CHECKS[asked.secret](value)
    name = asked.name or _name(asked.secret, session)
    secrets = open_client("secretsmanager")
    try:
        session.installation.ask(lambda: secrets.put_secret_value(SecretId=name, SecretString=value))
        done = "replaced"
    except OperatorError as fault:
        if "ResourceNotFoundException" not in str(fault):
            raise
        session.installation.ask(lambda: secrets.create_secret(Name=name, SecretString=value))
        done = "created"
    session.console.show({"secret": name, "done": done}, f"{done} {name}")


def _name(secret: str, session: Session) -> str:
    """As deployed; before the first deployment the default of the stage."""
    installation = session.installation
    if installation.stack(installation.names.data_stack) is None:
        return installation.names.secret(secret)
    return installation.output(output_name("secret", secret))


def _value(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise OperatorError(f"{file} cannot be read as text: {type(fault).__name__}.") from None


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("secret", choices=SECRETS, help="which secret")
    parser.add_argument("--file", required=True, help="the file with the JSON object; - for standard input")
    parser.add_argument("--name", help="another name in Secrets Manager, as chosen with -c …_secret=…")


COMMANDS = (Command("put-secret", "store an address or keys of the installation", _put_secret, _arguments),)
