"""The numbered SQL files: what the schema became, step by step.

A file holds one statement, because ClickHouse has no transaction around several: it is applied wholly or
not at all. The statement does nothing the second time (`IF NOT EXISTS`), so two runs at once do no harm.
A file that has landed is never edited; the next number says what changed, why and when.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from functions.shared.errors import PermanentError

DIRECTORY = Path(__file__).parent / "sql"

_NAME = re.compile(r"(?P<version>\d{4})_[a-z0-9_]+\.sql")


class NumberingError(PermanentError):
    """A file's name is no number and name, or the numbers are not 1, 2, 3 …"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. `statement` still has its `{engine}` placeholder."""

    version: int
    name: str
    statement: str

    def on(self, engine: str) -> str:
        """The statement for tables of `engine`, such as MergeTree or ReplicatedMergeTree."""
        return self.statement.replace("{engine}", engine)


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Every migration of `directory`, in order.

    Raises
    ------
    NumberingError: a gap, a number used twice, or a file that is none of ours.
    """
    found = [_read(path) for path in sorted(directory.glob("*.sql"))]
    numbers = [migration.version for migration in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise NumberingError(f"migrations are numbered 1, 2, 3 … without a gap, not {numbers}")
    return found


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if not match:
        raise NumberingError(f"{path.name} is not of the form 0001_what_it_does.sql")
    return Migration(int(match["version"]), path.stem, path.read_text(encoding="utf-8"))
