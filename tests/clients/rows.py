"""What the clients' runs left in the stack."""

import json
from typing import Any
from uuid import uuid4

from tests.integration.stack import RunningStack, wait_until


def new_run(client: str) -> str:
    """A name for the records of one test."""
    return f"{client}-{uuid4().hex[:8]}"


def accounts(stack: RunningStack) -> list[tuple[str, str]]:
    """Two tenants, each with a key."""
    return [("acme", stack.keys["ingest"]), ("globex", stack.second_keys["ingest"])]


def stored(stack: RunningStack, run: str, count: int) -> list[dict[str, Any]]:
    """The rows of a run, when `count` are there and nothing is on its way; in the order of `event_id`."""
    statement = (
        "SELECT tenant_id, service, level, message, toString(timestamp) AS timestamp, metadata, "
        "JSONExtractString(metadata, 'event_id') AS event_id FROM events "
        "WHERE JSONExtractString(metadata, 'run') = {run:String} ORDER BY toUInt32OrZero(event_id)"
    )
    wait_until(lambda: len(stack.rows(statement, run=run)) >= count, 60, f"{count} rows of {run}")
    stack.wait_until_settled()
    rows = stack.rows(statement, run=run)
    assert len(rows) == count
    return rows


def columns(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Tenant, service and level of the rows."""
    return {(row["tenant_id"], row["service"], row["level"]) for row in rows}


def of_message(stack: RunningStack, message: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Tenant, service, level and metadata of the rows with a message, when nothing is on its way."""
    statement = "SELECT tenant_id, service, level, metadata FROM events WHERE message = {message:String}"
    stack.wait_until_settled()
    rows = stack.rows(statement, message=message)
    return [(row["tenant_id"], row["service"], row["level"], json.loads(row["metadata"])) for row in rows]
