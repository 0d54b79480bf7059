"""What a command works with: the installation, the console, the clock and one DynamoDB client."""

import time
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeVar

from functions.shared.tables.transaction import open_client
from operate.console import Console
from operate.installation import Installation

T = TypeVar("T")


class Session:
    """One run of a command. `clock`: Unix seconds."""

    def __init__(
        self, installation: Installation, console: Console, clock: Callable[[], float] = time.time
    ) -> None:
        self.installation = installation
        self.console = console
        self.clock = clock

    @cached_property
    def dynamodb(self) -> Any:
        """A boto3 client."""
        return open_client()

    def settings(self, kind: type[T]) -> T:
        """`kind`, a dataclass of strings, from the outputs: `key_lists_table` is the output KeyListsTable.

        Raises
        ------
        OperatorError
        """
        names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
        return kind(**{name: self.installation.output(_output(name)) for name in names})


def _output(setting: str) -> str:
    return "".join(part.title() for part in setting.split("_"))
