"""docs/usage.md, caps."""

from datetime import timedelta

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed
from rehearsal.scenarios.plans import CACHED

PROVES = "Usage is counted; a hard cap stops the logs of its account only; searches continue."
A_MINUTE = timedelta(minutes=1)
ROUNDS = 5


def run(here: Deployed) -> None:
    ada, bob = here.two
    here.schedules.forward(A_MINUTE)
    usage = here.api.done("GET /v1/usage", ada.key)
    rows = sum(day["rows"] for day in usage["days"])
    expect(rows == len(ada.sent), f"{rows} rows are counted of {len(ada.sent)}")
    here.api.done("PATCH /v1/billing", ada.token, {"hard_cap_gb": 0.000001})
    ada.send(20, "beyond the cap of 1,000 bytes")
    code = ""
    for _ in range(ROUNDS):
        here.schedules.forward(A_MINUTE)
        here.schedules.pass_time(CACHED)
        if (code := _code(here, ada.key)) == "quota_exceeded":
            break
    expect(code == "quota_exceeded", f"beyond the cap logs are answered with {code}")
    ada.finds_exactly(ada.sent)
    bob.send(1, "not capped")
    here.api.done("PATCH /v1/billing", ada.token, {"hard_cap_gb": None})
    here.schedules.pass_time(CACHED)
    ada.send(1, "after the cap")


def _code(here: Deployed, key: str) -> str:
    """The code with which logs are rejected. An empty list is rejected without storing anything."""
    answer = here.api.ask("POST /v1/drain", key, {"events": []})
    return str(answer.body.get("code", ""))
