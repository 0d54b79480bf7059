"""The customers of an upgrade: what they store in the old version, and expect of the new one."""

import json
from dataclasses import dataclass
from typing import Any

from rehearsal.api_client import expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.scenarios import byoc, first_log, plans, uploads
from rehearsal.upgrade.held_back import HeldBack
from rehearsal.upgrade.previous import Previous

IN_FLIGHT_FUNCTIONS = ("sync-byoc", "dropin")
BATCHES = 20
SECONDS = 120.0


@dataclass(slots=True)
class Stored:
    """What was stored in the old version. `upload`: of a file that the new version has to read."""

    carol: Customer
    destination: Any
    upload: str = ""


def store(here: Deployed, previous: Previous) -> Stored:
    """Two managed customers with rows, files, keys and a plan; a third one with a BYOC destination."""
    first_log.run(here)
    uploads.run(here)
    previous.sync_catalogue(here.site)
    plans.connect_webhook(here)
    ada, bob = here.two
    for customer in (ada, bob):
        plans.buy(here, customer, "managed_30")
    carol = here.joins("carol")
    carol.has_own_clickhouse = True
    byoc.configure(here, carol, byoc.bucket_and_user(here, carol.mark))
    plans.buy(here, carol, "byoc")
    carol.send(4, "byoc")
    carol.finds_exactly(carol.sent)
    return Stored(carol, here.api.done("GET /v1/destination", carol.token))


def leave_in_flight(here: Deployed, stored: Stored) -> HeldBack:
    """Batches and a file that the old version accepted and did not load."""
    held_back = HeldBack(here.cloud, IN_FLIGHT_FUNCTIONS)
    held_back.hold()
    for _ in range(BATCHES):
        stored.carol.send(5, "in flight", wait=False)
    ada, _bob = here.two
    lines = ada.lines(30, "file in flight")
    body = b"".join(json.dumps({"message": line}).encode() + b"\n" for line in lines)
    stored.upload = uploads.put(here, ada, "in-flight.ndjson", body)
    ada.sent += lines
    waiting = here.stored_at_the_customer(stored.carol.tenant)
    expect(waiting == len(stored.carol.sent) - 5 * BATCHES, f"{waiting} rows were loaded, though held back")
    return held_back


def expect_all(here: Deployed, stored: Stored) -> None:
    """What was there before the upgrade works after it.

    Raises
    ------
    RehearsalError: it does not.
    """
    carol, (ada, bob) = stored.carol, here.two
    for customer in (ada, bob):
        found = here.api.done("GET /v1/account", customer.token)["plan"]
        expect(found == "managed_30", f"{customer.name} has the plan {found} after the upgrade")
    shown = here.api.done("GET /v1/destination", carol.token)
    expect(
        # A new version may show more.
        all(stored.destination[part].items() <= shown[part].items() for part in ("bucket", "clickhouse")),
        "the destination is another one after the upgrade",
    )
    wait_for("batches in flight are loaded", lambda: _loaded(here, carol), SECONDS)
    wait_for("the file in flight is read", lambda: _read(here, ada, stored.upload), SECONDS)
    carol.send(3, "after the upgrade")
    carol.finds_exactly(carol.sent)
    for customer in (ada, bob):
        lines = customer.send(3, "after the upgrade")
        customer.finds_exactly(lines, "after the upgrade")
        made = customer.new_key("after the upgrade")
        expect(made["key"] != customer.key, "a new key is the old one")
    plans.buy(here, here.joins("dave"), "managed_15")


def _loaded(here: Deployed, carol: Customer) -> bool:
    return here.stored_at_the_customer(carol.tenant) == len(carol.sent)


def _read(here: Deployed, ada: Customer, upload: str) -> bool:
    return bool(here.api.done(f"GET /v1/uploads/{upload}", ada.key)["state"] == "done")
