"""The last file of a data export: its contents, for checking, and what is left out, with reasons. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from functions.privacy.data_inventory import BY_ADDRESS, DATA_INVENTORY, KEPT, NOT_EXPORTED
from functions.privacy.export.record import Export, ExportFile
from functions.privacy.timestamps import to_rfc3339

FORMAT = "astralog-export-1"
NAME = "manifest.json"
README = "README.txt"

README_TEXT = """This is an export of the data that AstraLog Cloud stores of one account, made on request.

account/   records about the account and its people: NDJSON, one JSON object a line, and the same as CSV.
           In the CSV files a cell that a spreadsheet would run as a formula has an apostrophe in front.
logs/      the requested events: NDJSON, in the order of their time.
manifest.json
           each file with its SHA-256, its size and the number of its records; and what is left out,
           with the reasons.

To check a file: run sha256sum account/keys-0001.ndjson and compare the result with manifest.json.
"""


def manifest(export: Export, files: Sequence[ExportFile], now: float, waiting: int) -> bytes:
    """`waiting`: staged objects that were not loaded when the logs were read, after a long wait."""
    counts: dict[str, int] = {}
    for each in files:
        if each.entry.name.endswith(".ndjson"):
            name = each.entry.name.rpartition("-")[0]
            counts[name] = counts.get(name, 0) + each.rows
    document: dict[str, Any] = {
        "format": FORMAT,
        "export": export.export_id,
        "account": str(export.tenant),
        "requested_at": to_rfc3339(export.requested_at),
        "made_at": to_rfc3339(now),
        "logs": _logs(export, waiting),
        "records": counts,
        "files": [
            {
                "name": each.entry.name,
                "sha256": each.sha256,
                "bytes": each.entry.size_bytes,
                "records": each.rows,
                "holds": each.holds,
            }
            for each in files
        ],
        "withheld": _withheld(),
        "held_and_not_found_by_account": {**KEPT, **BY_ADDRESS},
        "held_and_not_copied": NOT_EXPORTED,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _logs(export: Export, waiting: int) -> dict[str, Any] | None:
    if export.logs_from is None or export.logs_to is None:
        return None
    return {
        "from": to_rfc3339(export.logs_from),
        "to": to_rfc3339(export.logs_to),
        "received_before": to_rfc3339(export.began_at),
        "staged_objects_not_included": waiting,
    }


def _withheld() -> list[dict[str, str]]:
    """The attributes of each table that are in no file."""
    return [
        {"table": inventory_entry.table, "attribute": name, "because": reason}
        for inventory_entry in DATA_INVENTORY
        for name, reason in inventory_entry.withholds.items()
    ]
