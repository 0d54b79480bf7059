"""Tables as deployments have them that began with an earlier version."""

from dataclasses import replace

from functions.shared.schema.migration_files import Migration, migrations


def migrations_before_bulk() -> list[Migration]:
    """The migrations of a table whose partitions have an expiry day only: it got the column `bulk` later."""
    first, *others = migrations()
    statement = first.statement.replace("    bulk UInt8 CODEC(ZSTD(1)),\n", "")
    return [replace(first, statement=statement.replace("(expires_on, bulk)", "expires_on")), *others]
