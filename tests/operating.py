"""`python -m operate` in this process: against moto's tables, which have the topology's names."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from infra.topology import OUTPUTS, StageNames
from operate.__main__ import main
from operate.console import Console
from operate.installation import Installation
from operate.session import Session

NAMES = {name: reference.partition(":")[2] for name, reference in OUTPUTS.items()}
"""Each resource is called by its name in the topology."""


class FoundInstallation(Installation):
    """An installation whose outputs are known."""

    def __init__(self, outputs: dict[str, str]) -> None:
        super().__init__(StageNames(), "us-east-1", None)
        self.known = outputs

    def stack(self, name: str) -> dict[str, str]:
        return {"StackName": name, "StackStatus": "CREATE_COMPLETE"}

    def outputs_of(self, stack: str) -> dict[str, str]:
        assert stack == self.names.data_stack
        return self.known


def operate(
    *arguments: str, client: Any = None, clock: Callable[[], float] = time.time, **outputs: str
) -> int:
    """The exit code. `client`: for DynamoDB; None for one that the command makes."""

    def connect(asked: argparse.Namespace) -> Session:
        console = Console(as_json=asked.json, assume_yes=asked.yes)
        session = Session(FoundInstallation({**NAMES, **outputs}), console, clock)
        if client:
            session.dynamodb = client
        return session

    return main(arguments, connect)
