"""The last file of a data export: its contents, for checking, and what is left out, with reasons. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from functions.privacy.export.record import Export, File
from functions.privacy.holdings import BY_ADDRESS, HOLDINGS, KEPT, NOT_COPIED
from functions.privacy.moments import moment

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


def manifest(export: Export, files: Sequence[File], now: float, waiting: int) -> bytes:
    """`waiting`: staged objects that were not loaded when the logs were read, after a long wait."""
    counts: dict[str, int] = {}
    for each in files:
        if each.entry.name.endswith(".ndjson"):
            name = each.entry.name.rpartition("-")[0]
            counts[name] = counts.get(name, 0) + each.rows
    told: dict[str, Any] = {
        "format": FORMAT,
        "export": export.export_id,
        "account": str(export.tenant),
        "requested_at": moment(export.requested_at),
        "made_at": moment(now),
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
        "held_and_not_copied": NOT_COPIED,
    }
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def _logs(export: Export, waiting: int) -> dict[str, Any] | None:
    if export.logs_from is None or export.logs_to is None:
        return None
    return {
        "from": moment(export.logs_from),
        "to": moment(export.logs_to),
        "received_before": moment(export.began_at),
        "staged_objects_not_included": waiting,
    }


def _withheld() -> list[dict[str, str]]:
    """The attributes of each table that are in no file."""
    return [
        {"table": holding.table, "attribute": name, "because": reason}
        for holding in HOLDINGS
        for name, reason in holding.withholds.items()
    ]
