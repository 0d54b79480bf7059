"""axiom-py: COUNT events in two requests, the second with an event that fails; prints what it parsed."""

import json
import os
from datetime import UTC, datetime, timedelta

from axiom_py import Client

BEGAN = datetime(2026, 11, 29, 10, tzinfo=UTC)
count, url = int(os.environ["COUNT"]), os.environ["URL"]
place = {"edge_url": url} if os.environ["FORM"] == "edge" else {"url": url}
client = Client(os.environ["KEY"], **place)
events = [
    {
        "_time": (BEGAN + timedelta(milliseconds=number)).isoformat(),
        "level": "warning",
        "message": f"line {number}",
        "run": os.environ["RUN"],
        "event_id": str(number),
    }
    for number in range(count)
]
half = count // 2
bad = {**events[0], "_time": "never"}
found = [client.ingest_events("shop", batch) for batch in (events[:half], [*events[half:], bad])]
print(
    json.dumps(
        {
            "ingested": [each.ingested for each in found],
            "failed": [each.failed for each in found],
            "errors": [failure.error.partition(": ")[0] for each in found for failure in each.failures],
            "bytes": sum(each.processed_bytes for each in found),
        }
    )
)
