"""Output for people or programs, and the confirmation before a change that cannot be undone."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from operate.errors import OperatorError


class Console:
    """Results go to standard output, notes and questions to standard error.

    Parameters
    ----------
    as_json: print each result as one JSON object per line.
    assume_yes: answer every question with yes.
    """

    def __init__(self, *, as_json: bool = False, assume_yes: bool = False) -> None:
        self.as_json = as_json
        self._assume_yes = assume_yes

    def show(self, result: Mapping[str, Any], text: str) -> None:
        """Print a result: `text` for people, or `result` as JSON."""
        print(json.dumps(result, default=_encoded) if self.as_json else text, flush=True)

    def note(self, text: str) -> None:
        """Print a sentence for people that is no result."""
        print(text, file=sys.stderr, flush=True)

    def confirm(self, question: str) -> None:
        """Return once the operator agreed.

        Raises
        ------
        OperatorError: the answer is not yes, or there is no terminal to ask on.
        """
        if self._assume_yes:
            return
        if not sys.stdin.isatty():
            raise OperatorError(f"{question} Nothing was changed. Repeat the command with --yes to confirm.")
        self.note(f"{question} Type yes to continue:")
        if sys.stdin.readline().strip() != "yes":
            raise OperatorError("Nothing was changed.")


def _encoded(value: Any) -> Any:
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
