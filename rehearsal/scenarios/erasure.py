"""docs/privacy.md, erasure of a person and of an account. The last scenario: hours pass for the functions."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from rehearsal.api_client import RehearsalError, expect
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.scenarios.plans import buy

PROVES = "A person's rows and a whole account are erased by schedule, with receipts; all other rows stay."
A_MINUTE = timedelta(minutes=1)
HALF_AN_HOUR = timedelta(minutes=31)
"""The longest pause between two rounds of an erasure."""
TWO_HOURS = timedelta(hours=2)
ROUNDS = 14
VERIFIED = "verified"


def run(here: Deployed) -> None:
    ada, bob = here.two
    dora = here.joins("dora")
    buy(here, dora, "managed_15")
    dora.send(3, "to be erased")
    person = f"jane-{ada.mark}@rehearsal.example"
    for customer in (ada, bob):
        lines = [f"mail to {person} from {customer.name}", f"another line of {customer.mark}"]
        here.api.done("POST /v1/drain?wait=true", customer.key, {"events": [{"message": m} for m in lines]})
        customer.sent += lines
    _hasten_the_engine(here)
    # Time then jumps: rows that are not counted yet would be late.
    here.schedules.forward(A_MINUTE)
    erased = here.api.done("POST /v1/erasures", ada.token, {"field": "message", "value": person})["id"]
    closed = here.api.done("DELETE /v1/account", dora.token, {"confirm": dora.tenant})["id"]
    _run_until_verified(here, [(erased, ada), (closed, dora)])
    ada.sent = [line for line in ada.sent if person not in line]
    _person_receipt(here, erased, ada, person)
    _account_receipt(here, closed, dora)
    for customer in (ada, bob):
        stored = here.stored(customer.tenant)
        expect(stored == len(customer.sent), f"{customer.name} has {stored} rows of {len(customer.sent)}")


def _run_until_verified(here: Deployed, erasures: list[tuple[str, Customer]]) -> None:
    """Let schedules fire and time pass; in the middle the two hours after which nothing can arrive."""
    states: dict[str, Any] = {}
    for number in range(ROUNDS):
        here.schedules.pass_time(TWO_HOURS if number == ROUNDS // 2 else HALF_AN_HOUR)
        states = {who.name: here.api.done(f"GET /v1/erasures/{one}") for one, who in erasures}
        if all(state["state"] == VERIFIED for state in states.values()):
            return
    open_ones = here.cloud.client("dynamodb").scan(TableName=here.cloud.outputs["ErasuresTable"])["Items"]
    waiting = [json.loads(each["progress"]["S"])["waits_for"] for each in open_ones if "progress" in each]
    raise RehearsalError(f"after {ROUNDS} rounds erasures are not verified; they wait for {waiting}")


def _hasten_the_engine(here: Deployed) -> None:
    """Let ClickHouse merge now, and remove replaced parts at once instead of after eight minutes.

    An erasure is verified once they are gone. A part that an erasure empties stays longer; parts of the size
    of a day have many accounts' rows.
    """
    for statement in (
        "OPTIMIZE TABLE events FINAL",
        "ALTER TABLE events MODIFY SETTING old_parts_lifetime = 1",
    ):
        here.command(statement)


def _person_receipt(here: Deployed, erasure_id: str, ada: Customer, person: str) -> None:
    receipt = here.api.done(f"GET /v1/erasures/{erasure_id}")["receipt"]
    expect(receipt["counts"].get("rows") == 1, f"the receipt counts {receipt['counts']}")
    hashed = hashlib.sha256(json.dumps([erasure_id, ada.tenant, "message", person]).encode()).hexdigest()
    expect(receipt["person"] == hashed, "the receipt is of another person")


def _account_receipt(here: Deployed, erasure_id: str, dora: Customer) -> None:
    receipt = here.api.done(f"GET /v1/erasures/{erasure_id}")["receipt"]
    expect(receipt["counts"].get("rows") == len(dora.sent), f"the receipt counts {receipt['counts']}")
    hashed = hashlib.sha256(json.dumps([erasure_id, dora.tenant]).encode()).hexdigest()
    expect(receipt["account"] == hashed, "the receipt is of another account")
    status = here.api.ask("POST /v1/search", dora.key, {}).status
    expect(status == 401, f"a key of the erased account was answered with {status}")
    left = [
        f"{bucket}/{key}"
        for bucket in here.cloud.named("AWS::S3::Bucket")
        for key in here.cloud.keys(bucket)
        if dora.tenant in key
    ]
    expect(not left, f"objects of the erased account are left: {left[:3]}")
    tables = {
        table.rpartition("/")[2]
        for table in here.cloud.named("AWS::DynamoDB::Table")
        if _mentions(here, table, dora.tenant)
    }
    ledger = {here.cloud.outputs["LedgerTable"]}
    expect(tables <= ledger, f"tables still have the erased account: {tables - ledger}")
    dora.sent = []


def _mentions(here: Deployed, table: str, text: str) -> bool:
    pages = here.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return any(text in json.dumps(item, default=str) for page in pages for item in page["Items"])
