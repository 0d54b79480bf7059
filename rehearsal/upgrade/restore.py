"""The drill of docs/operations.md, "Restore a table from a backup", as far as the emulator can.

Its restored table has the items of now, whatever time is asked for: this shows that the commands work on
restored tables, not that DynamoDB goes back in time.
"""

from collections.abc import Iterator

from infra.topology import TABLES, output_name
from rehearsal.api_client import expect, wait_for
from rehearsal.cloud import Cloud
from rehearsal.deployed import Deployed
from rehearsal.operators_command import operate

SUFFIX = "-restored"


def restore(here: Deployed) -> int:
    """Restore every table that has point-in-time recovery, run the page's commands on them; how many.

    Raises
    ------
    RehearsalError: a table lacks items, or a command failed.
    """
    restored = dict(_restored(here.cloud))
    options = [f"--output={name}={table}" for name, table in restored.items()]
    shown = operate(here.site, "repeat-erasures", "--dry-run", *options)
    expect(shown == {"accounts": 0, "dry_run": True}, f"repeat-erasures printed {shown}")
    shown = operate(here.site, "check-receipts", *options)
    expect("receipts" in shown, f"check-receipts printed {shown}")
    return len(restored)


def _restored(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Name of the output, name of the restored table; of each recoverable table."""
    client = cloud.client("dynamodb")
    for each in TABLES:
        output = output_name("table", each.name)
        source = cloud.outputs[output]
        if not each.recoverable:
            continue
        client.restore_table_to_point_in_time(
            SourceTableName=source, TargetTableName=source + SUFFIX, UseLatestRestorableTime=True
        )
        wait_for(f"{each.name} is restored", lambda name=source + SUFFIX: _is_active(cloud, name))  # type: ignore[misc]
        counts = [_count(cloud, name) for name in (source, source + SUFFIX)]
        expect(counts[0] == counts[1], f"{each.name} was restored with {counts[1]} of {counts[0]} items")
        yield output, source + SUFFIX


def _is_active(cloud: Cloud, table: str) -> bool:
    return bool(cloud.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")


def _count(cloud: Cloud, table: str) -> int:
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
    return sum(page["Count"] for page in pages)


def discard(cloud: Cloud) -> None:
    """Delete the restored tables again."""
    client = cloud.client("dynamodb")
    for each in TABLES:
        if each.recoverable:
            client.delete_table(TableName=cloud.outputs[output_name("table", each.name)] + SUFFIX)
