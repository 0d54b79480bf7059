"""docs/api.md, tail."""

from typing import Any
from urllib.parse import quote

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = "A tail shows each event of its account once, over cursors, and none of another account's."
POLLS = 6


def run(here: Deployed) -> None:
    begun = {each.name: here.api.done("GET /v1/tail?wait=0", each.key)["cursor"] for each in here.two}
    for customer in here.two:
        lines = [f"followed {customer.mark} {number}" for number in range(5)]
        events = [{"message": line} for line in lines]
        here.api.done("POST /v1/drain?wait=true", customer.key, {"events": events})
        customer.sent += lines
        shown: list[Any] = []
        cursor = begun[customer.name]
        for _ in range(POLLS):
            path = f"GET /v1/tail?wait=5&limit=2&cursor={quote(cursor, safe='')}"
            found = here.api.done(path, customer.key)
            shown += [event["message"] for event in found["events"]]
            cursor = found["cursor"]
            if len(shown) >= len(lines):
                break
        expect(shown == lines, f"the tail of {customer.name} shows {shown} instead of {lines}")
