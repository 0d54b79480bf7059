"""The numbered SQL and the order it is applied in."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from functions.shared.events.staged_key import COLUMNS
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import Migration, NumberingError, migrations
from functions.shared.warehouse import Selection

FIRST = Migration(1, "0001_first", "CREATE TABLE IF NOT EXISTS a ENGINE = {engine}")
SECOND = Migration(2, "0002_second", "CREATE TABLE IF NOT EXISTS b ENGINE = {engine}")


class Remembering:
    """A database that remembers statements, and fails at one that holds `failing`."""

    def __init__(self, noted: list[int], failing: str | None = None) -> None:
        self.noted = noted
        self.statements: list[str] = []
        self._failing = failing

    def command(self, statement: str, parameters: dict[str, str] | None = None) -> None:
        if self._failing and self._failing in statement:
            raise RuntimeError("refused")
        self.statements.append(statement)
        if parameters:
            self.noted.append(int(parameters["version"]))

    def select(self, _statement: str) -> Selection:
        rows: list[dict[str, Any]] = [{"version": version} for version in self.noted]
        return Selection(rows, 0, 0.0)


def test_what_is_missing_is_applied_in_order_and_noted() -> None:
    database = Remembering([])
    assert apply_missing(database, [FIRST, SECOND], "MergeTree") == ["0001_first", "0002_second"]
    assert database.noted == [1, 2]


def test_what_was_noted_is_not_applied_again() -> None:
    database = Remembering([1, 1])
    assert apply_missing(database, [FIRST, SECOND], "MergeTree") == ["0002_second"]


def test_a_migration_that_fails_is_not_noted_and_stops_those_after_it() -> None:
    database = Remembering([], failing=" a ENGINE")
    with pytest.raises(RuntimeError):
        apply_missing(database, [FIRST, SECOND], "MergeTree")
    assert database.noted == []
    assert not any(" b ENGINE" in statement for statement in database.statements)


def test_every_table_is_made_with_the_engine_that_is_set() -> None:
    database = Remembering([])
    apply_missing(database, migrations(), "ReplicatedMergeTree")
    created = [statement for statement in database.statements if "CREATE TABLE" in statement]
    kept = [statement for statement in created if "ENGINE = Null" not in statement]
    assert all("ENGINE = ReplicatedMergeTree" in statement for statement in kept)
    assert not any("{engine}" in statement for statement in created)


@pytest.mark.parametrize(
    "names", [["0002_a.sql"], ["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"]]
)
def test_gaps_doubles_and_strange_names_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(NumberingError):
        migrations(tmp_path)


@pytest.mark.parametrize("migration", migrations(), ids=lambda migration: migration.name)
def test_a_file_has_its_day_and_reason_and_does_nothing_twice(migration: Migration) -> None:
    assert migration.statement.startswith("-- 20")
    assert " EXISTS " in migration.statement
    assert ";" not in "\n".join(
        line for line in migration.statement.splitlines() if not line.startswith("--")
    ), "one statement a file"


def test_a_file_that_has_landed_was_not_edited() -> None:
    """But the key of the partitions, once, before the first deployment: it cannot be altered (ADR 63)."""
    landed = {
        "0001_events": "0fb59f606a39ecaec0dfef9b7d11e0d3cf3677586464eede4fbbeaf3a255225f",
        "0002_events_trial": "cce1d78c56c9d978b0efc402056643dd7826f816d577b1539df3ee6a3deb38cf",
        "0003_event_identity": "e74a217ed489da0dba1bc21aa56472156fb7e92e2f83ad3900e10e1a953fef46",
        "0004_event_identity_trial": "dbf277055b3987f54a189081ac038eb74428e9960cc767c8460c3e7a95a4ce45",
        "0005_rare_values": "dbfb3c1252e97868af47739387b7a925a6c1bd46c8534357cc5553ba4610d37a",
        "0006_bulk": "34b7fd4a7cf22c559e0672bec7bc465974d086f396be5e451002cc2d09a46d84",
        "0007_escaped_metadata": "f6154705a287ebbe74bd41b7b0a3a829fe544e94edfd7c86c2ef75f6f6f2ef26",
    }
    for migration in migrations():
        digest = hashlib.sha256(migration.statement.encode()).hexdigest()
        assert landed[migration.name] == digest, f"{migration.name}: write a new number instead"


def test_the_events_table_has_every_staged_column() -> None:
    for created, altered in ((0, 2), (1, 3)):
        table, change = migrations()[created].statement, migrations()[altered].statement
        assert all(
            f"\n    {name} " in table or f"ADD COLUMN IF NOT EXISTS {name} " in change for name in COLUMNS
        )
