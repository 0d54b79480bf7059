"""docs/api.md, exports of search results."""

import json
import urllib.request
from datetime import timedelta
from typing import Any

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = "An export has all events of its query, in their order, and another account cannot see it."
A_MINUTE = timedelta(minutes=1)
ROUNDS = 8


def run(here: Deployed) -> None:
    ada, bob = here.two
    lines = [f"exported {number}" for number in range(9)]
    for customer in here.two:
        events = [{"message": line, "service": "exported"} for line in lines]
        here.api.done("POST /v1/drain?wait=true", customer.key, {"events": events})
        customer.sent += lines
    form = {"query": "service:exported", "format": "ndjson", "compression": "none"}
    asked = here.api.done("POST /v1/search/export", ada.token, form)
    path = f"GET /v1/search/exports/{asked['id']}"
    shown: dict[str, Any] = {}
    for _ in range(ROUNDS):
        here.schedules.forward(A_MINUTE)
        shown = here.api.done(path, ada.token)
        if shown["status"] == "ready":
            break
    expect(shown["status"] == "ready", f"the export is {shown} after {ROUNDS} minutes")
    expect(here.api.ask(path, bob.token).status == 404, "another account sees the export")
    with urllib.request.urlopen(shown["link"], timeout=60) as answer:  # noqa: S310 - loopback
        rows = [json.loads(line) for line in answer.read().splitlines()]
    expect([row["message"] for row in rows] == lines, f"the file has {rows}")
