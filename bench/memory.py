"""`make bench-memory`: measures what decides the memory sizes of functions, into bench/memory.json.

Measured: the CPU of a cold start (import and first clients) and of a call, and the memory of a process after
its cold start. Assumed: how long a call waits for others. bench.memory_curve makes the table.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, cast

from backports import zstd

from bench.answers import finder
from bench.events import START, expiry, ndjson
from bench.in_process import embedded_engine, load
from bench.ingest import COLD, bodies, cold_environment, requests_ms
from bench.measuring import ROUNDS, in_turns
from functions.accounts import keys
from functions.accounts.account import Account
from functions.accounts.authorizer import Authorizer
from functions.accounts.stored_key import Key
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from infra.cost.usage import INGEST_SECONDS

MEASURED = Path(__file__).with_name("memory.json")
RESULTS = MEASURED.with_name("results.json")

ACME = TenantId("acme")
CALLS = 2_000
"""Of the authorizer, in a round."""

EVENTS_OF_A_BATCH = 100_000
EVENTS_OF_A_FILE = 150_000
"""Those that bars 5 and 8 measure."""

EVENTS_SEARCHED = 10_000
PAGES = 50
"""Of query, in a round."""

TAIL_WAIT_MS = 10_000
"""The longest that a tail waits for new events."""

PEAK_MB = {"ingest": 104, "sync": 167, "query": 48, "dropin": 424}
"""Of the largest work, where it is more than after the cold start: a body of 64 MB, a batch of 110,000 rows,
hostile searches and hostile files (docs/security.md)."""

COLD_STARTS = {
    **COLD,
    "tail": "from functions.query import tail_handler; import boto3; boto3.client('dynamodb'); "
    "from functions.shared.signed_json_client import connect; connect('https', 'h', 1)",
    "dropin": "from functions.uploads import dropin; import boto3; dropin.open_bucket('b'); "
    "[boto3.client(each) for each in ('s3', 'sqs', 'dynamodb')]",
}
"""The imports of a function, and the clients that its first call makes."""

_IN_CHILD = """
import sys, time
began = time.process_time()
exec(sys.argv[1])
cpu_ms = (time.process_time() - began) * 1000
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(cpu_ms, int(peak.split()[1]) // 1024)
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function: CPU of its process, and waiting for others."""

    what: str
    cpu_ms: float
    wait_ms: float


def measure() -> dict[str, Any]:
    """The content of bench/memory.json."""
    functions = {name: {**_cold(name), **_fields(call)} for name, call in _calls()}
    return {"measured_on": datetime.now(UTC).date().isoformat(), "functions": functions}


def _calls() -> Iterator[tuple[str, Call]]:
    yield "authorizer", Call("key in its cache", _authorizer_ms(), 0)
    yield "ingest", Call("100 events", requests_ms(bodies(100, 100)), INGEST_SECONDS * 1000)
    batch, file, page = (
        _bar("5", "objects of 1,000"),
        _bar("8 NDJSON", "Elastic"),
        _bar("11", "latest 100, 24 h of 7 days"),
    )
    batch_ms = EVENTS_OF_A_BATCH / 1000
    yield "sync", Call("100,000 events", batch["ours"] * batch_ms, batch["peer"] * batch_ms)
    page_ms = _page_ms()
    yield "query", Call("page of 100", page_ms, page["ours"] * 1000)
    yield "tail", Call("nothing new", page_ms, TAIL_WAIT_MS)
    yield "dropin", Call(f"file of {EVENTS_OF_A_FILE:,} events", file["ours"] * 1000, INGEST_SECONDS * 2000)


def _fields(call: Call) -> dict[str, Any]:
    return {"what": call.what, "cpu_ms": round(call.cpu_ms, 3), "wait_ms": round(call.wait_ms)}


def _bar(number: str, what: str) -> Mapping[str, Any]:
    """The bar of the last complete run with that number and those words."""
    bars = json.loads(RESULTS.read_text())["bars"]
    return next(each for each in bars if each["bar"] == number and what in each["what"])


def _cold(name: str) -> dict[str, float]:
    runs = [_cold_run(COLD_STARTS[name]) for _ in range(ROUNDS + 1)][1:]
    cpu_ms = median(cpu_ms for cpu_ms, _ in runs)
    return {
        "cold_cpu_ms": round(cpu_ms, 1),
        "peak_mb": max(PEAK_MB.get(name, 0), *(peak_mb for _, peak_mb in runs)),
    }


def _cold_run(statement: str) -> tuple[float, int]:
    command = [sys.executable, "-c", _IN_CHILD, statement]
    done = subprocess.run(command, env=cold_environment(), capture_output=True, text=True, check=True)
    cpu_ms, peak_mb = done.stdout.split()
    return float(cpu_ms), int(peak_mb)


class _Lookups:
    """What DynamoDB has of one key, and nothing of people."""

    def key(self, _key_hash: str) -> Key | None:
        return Key(ACME, "k1", frozenset({"ingest"}), "shop")

    def account(self, tenant: TenantId) -> Account | None:
        return Account(tenant, AccountStatus("managed_30", 30, 10**9))

    def note_use(self, _key_hash: str, _now: int) -> None:
        return


def _authorizer_ms() -> float:
    lookups: Any = _Lookups()
    authorizer = Authorizer(lookups, lookups, lookups, lookups)
    headers = {"authorization": f"Bearer {keys.generate()}"}

    def run() -> None:
        for _ in range(CALLS):
            authorizer.context(headers, 1_800_000_000, "192.0.2.1")

    return in_turns({"ours": run})["ours"] / CALLS * 1000


class _Recorded:
    """A warehouse that answers each statement as the first time, without an engine."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._answers: dict[str, bytes] = {}
        self.engine_version = cache(warehouse.engine_version)

    def select_json(self, sql: str, *bound: Any) -> bytes:
        if sql not in self._answers:
            self._answers[sql] = self._warehouse.select_json(sql, *bound)
        return self._answers[sql]


def _page_ms() -> float:
    """Our own Python for a page: the statement, and the JSON of 100 events from that of the engine."""
    with embedded_engine() as room:
        table = room.database("searched")
        load(table, zstd.compress(ndjson(EVENTS_SEARCHED, ACME), 1), "made", expiry())
        find = finder(cast(Warehouse, _Recorded(table)), {"from": f"{START:%Y-%m-%d}"})

        def run() -> None:
            for _ in range(PAGES):
                find()

        return in_turns({"ours": run})["ours"] / PAGES * 1000


if __name__ == "__main__":
    MEASURED.write_text(json.dumps(measure(), indent=2, ensure_ascii=False) + "\n")
