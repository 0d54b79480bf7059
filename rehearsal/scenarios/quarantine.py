"""docs/api.md, quarantined events."""

import json
import urllib.request
from typing import Any

from rehearsal.api_client import expect, wait_for
from rehearsal.deployed import Deployed

PROVES = "A row that ClickHouse rejects is quarantined and replayed once; no other account sees it."
ALARMS = frozenset({"QuarantinedRows"})

CANNOT_PARSE_INPUT = 27
ATTEMPTS = 3
"""Sync asks three times whether a single row is rejected: as a batch, as an object, as a row."""


def run(here: Deployed) -> None:
    ada, bob = here.two
    _order(here, {"mode": "busy", "code": CANNOT_PARSE_INPUT, "count": ATTEMPTS, "statement": "INSERT"})
    (line,) = ada.send(1, "rejected", wait=False)

    def documents() -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = here.api.done("GET /v1/quarantine", ada.token)["documents"]
        return shown

    found = wait_for("the row is quarantined", documents)
    _order(here, {"mode": "none"})
    expect(len(found) == 1 and found[0]["rows"] == 1, f"quarantined: {found}")
    expect(not ada.find(f'"{line}"'), "a quarantined row is found by searches")
    expect(not here.api.done("GET /v1/quarantine", bob.token)["documents"], "another account sees it")
    path = f"POST /v1/quarantine/{found[0]['id']}/replay"
    expect(here.api.ask(path, bob.token).status == 404, "another account replayed it")
    for _ in range(2):
        replayed = here.api.ask(path, ada.token)
        expect(replayed.status in (202, 404), f"a replay answered {replayed.status}: {replayed.body}")
    wait_for("the replayed row is found", lambda: ada.find(f'"{line}"'))
    ada.finds_exactly(ada.sent)


def _order(here: Deployed, fault: dict[str, Any]) -> None:
    """Make ClickHouse reject statements: see local.faults."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{here.site.clickhouse}/_fault", data=json.dumps(fault).encode()
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - loopback
