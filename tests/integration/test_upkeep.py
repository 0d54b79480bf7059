"""The scheduled upkeep in the whole stack: each function runs as it is wired, and finds what it should."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.retention.anonymous import WITHHELD
from local.naming import PROJECT_ROOT, physical
from tests.integration.sending import drain
from tests.integration.stack import RunningStack


def invoke(stack: RunningStack, function: str) -> dict[str, Any]:
    """Run a function of the stack once, as its schedule would; what it returned."""
    command = [sys.executable, "-m", "local", "--state", str(stack.logs.parent), "invoke", function]
    ran = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    returned: dict[str, Any] = json.loads(ran.stdout)
    return returned


def test_upkeep_runs_as_it_is_wired(stack: RunningStack) -> None:
    """Nothing is old here, nothing of a BYOC account rests with us, and too few tenants for telemetry."""
    with stack.client() as client:
        drain(client, stack.keys["ingest"], [{"message": "kept"}])
    stack.wait_until_settled()

    purged = invoke(stack, "retention")
    assert (purged["rows"], purged["failed"], purged["overdue"]) == (0, 0, 0)
    assert purged["oldest_left"] >= datetime.now(UTC).date().isoformat()

    checked = invoke(stack, "retention-check")
    assert checked["rows"] > 0
    assert checked["byoc_tenants"] >= 1, "that of the stack, and those that other tests connected"
    assert (
        checked["rows_past_retention"],
        checked["byoc_rows_at_rest"],
        checked["byoc_objects_at_rest"],
    ) == (
        0,
        0,
        0,
    )

    reported = invoke(stack, "telemetry")
    yesterday = (datetime.now(UTC) - timedelta(hours=6)).date() - timedelta(days=1)
    assert {line["kind"] for line in reported[yesterday.isoformat()]} == {WITHHELD}
    reports = stack.aws("s3").list_objects_v2(Bucket=physical("reports"))["Contents"]
    kinds = {each["Key"].partition("/")[0] for each in reports}
    assert kinds >= {"checks", "telemetry"}
