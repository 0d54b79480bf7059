"""The zips of this version with a migration more that ClickHouse rejects."""

import os
import zipfile
from pathlib import Path

SCHEMA = "functions/shared/schema/sql/"
STATEMENT = "CREATE TABLE events_broken (column NoSuchType) ENGINE = {engine} ORDER BY column"


def with_broken_migration(zips: Path, target: Path) -> Path:
    """Write the zips to `target`; `migrate.zip` has the broken migration, with the next number."""
    target.mkdir()
    for each in zips.glob("*.zip"):
        copied = target / each.name
        if each.stem == "migrate":
            copied.write_bytes(each.read_bytes())
            _add_migration(copied)
        else:
            os.link(each, copied)
    return target


def _add_migration(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as archive:
        known = [name for name in archive.namelist() if name.startswith(SCHEMA) and name.endswith(".sql")]
        entry = zipfile.ZipInfo(f"{SCHEMA}{len(known) + 1:04}_broken.sql")
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, STATEMENT)
