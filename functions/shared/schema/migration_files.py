"""The numbered SQL files of the schema.

A file holds one statement, because ClickHouse has no transactions around several: it is applied completely or
not at all. A second run of the statement has no effect (`IF NOT EXISTS`), so concurrent runs are safe. A
deployed file is never edited; the file with the next number says what changed, why and when.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from functions.shared.errors import PermanentError

DIRECTORY = Path(__file__).parent / "sql"

_NAME = re.compile(r"(?P<version>\d{4})_[a-z0-9_]+\.sql")


class NumberingError(PermanentError):
    """A file's name is not `<number>_<name>`, or the numbers are not 1, 2, 3 …"""


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
    NumberingError: a gap, a number used twice, or a file that is not a migration.
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
