"""docs/uploads.md: a file in each of three formats."""

import gzip
import io
import json
import urllib.request
from collections.abc import Callable

import pyarrow
from pyarrow import parquet

from rehearsal.api_client import expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed

PROVES = "Files as NDJSON (gzip), CSV and Parquet are put by a presigned URL, read and found; each row once."
ROWS = 40
SECONDS = 90.0


def run(here: Deployed) -> None:
    ada, bob = here.two
    ids = {}
    for customer in (ada, bob):
        for name, encode in FORMATS.items():
            lines = customer.lines(ROWS, f"file {name}")
            ids[customer.name, name] = put(here, customer, name, encode(lines))
            customer.sent += lines
    for customer in (ada, bob):
        for name in FORMATS:
            _done(here, customer, ids[customer.name, name])
        customer.finds_exactly(customer.sent)
    foreign = here.api.ask(f"GET /v1/uploads/{ids['ada', 'rows.csv']}", bob.key)
    expect(foreign.status == 404, f"another account's upload was answered with {foreign.status}")


def put(here: Deployed, customer: Customer, name: str, body: bytes) -> str:
    """Announce and put a file; its id."""
    announced = here.api.done("POST /v1/uploads", customer.key, {"filename": name, "size": len(body)})
    for attempt, wanted in (("first", 200), ("second", 412)):
        request = urllib.request.Request(  # noqa: S310 - loopback
            announced["url"], data=body, method=announced["method"], headers=announced["headers"]
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                status = answer.status
        except urllib.error.HTTPError as refused:
            status = refused.code
        expect(status == wanted, f"the {attempt} PUT of {name} answered {status} instead of {wanted}")
    return str(announced["id"])


def _done(here: Deployed, customer: Customer, upload_id: str) -> None:
    def state() -> str:
        shown = here.api.done(f"GET /v1/uploads/{upload_id}", customer.key)
        expect(shown["state"] not in ("failed", "partly"), f"an upload ended as {shown}")
        return str(shown["rows_stored"]) if shown["state"] == "done" else ""

    stored = wait_for(f"{customer.name}'s upload is done", state, SECONDS)
    expect(stored == str(ROWS), f"an upload of {ROWS} rows stored {stored}")


def _ndjson(lines: list[str]) -> bytes:
    return gzip.compress(b"".join(json.dumps({"message": line}).encode() + b"\n" for line in lines))


def _csv(lines: list[str]) -> bytes:
    return "\n".join(["message,level", *(f'"{line}",warn' for line in lines)]).encode() + b"\n"


def _parquet(lines: list[str]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"message": lines, "level": ["info"] * len(lines)}), file)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[str]], bytes]] = {
    "rows.ndjson.gz": _ndjson,
    "rows.csv": _csv,
    "rows.parquet": _parquet,
}
