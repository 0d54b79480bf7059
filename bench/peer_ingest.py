"""Bars 9 and 10 against VictoriaLogs: what it costs to load, index and merge events, and to store them.

Both get the same events in the same order, in the same batches of zstd frames, and merge all of them. Ours
has the rows that sync inserts, with tenant, time of receipt and identity; VictoriaLogs the events as a client
sends them, its tenant in a header, and one stream for each project and service. What our ingest function
does before, judging and encoding the events, is bar 1.

Run in a separate process (`python -m bench.peer_ingest`), whose CPU is the engine's.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from backports import zstd

from bench.events import START, expiry, ndjson
from bench.in_process import EmbeddedEngine, active_bytes, embedded_engine, load
from bench.measuring import Bar, bar, cpu_seconds
from bench.victorialogs import as_sent, binary, victoria_logs

ROUNDS = 5
TENANTS = 4
BATCHES = 8
BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one tenant, as frames of our rows and of the events as sent."""

    tenant: int
    rows: bytes
    sent: bytes


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all batches, merges included: seconds of CPU and of the clock, and bytes on disk."""

    cpu: float
    clock: float
    disk: int


def bars() -> Iterator[Bar]:
    """Bars 9 and 10, measured in a separate process; none without the peer."""
    if not binary():
        return
    process = subprocess.Popen([sys.executable, "-m", "bench.peer_ingest"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield from map(json.loads, process.stdout)
    if process.wait():
        raise RuntimeError("the bench of ingest against VictoriaLogs failed")


def measured(room: EmbeddedEngine, program: Path, rounds: int = ROUNDS) -> Iterator[Bar]:
    """Both rows. The first round of each only warms up."""
    batches = [_batch(number) for number in range(BATCHES)]
    turns = [(_ours(room, number, batches), _peer(program, batches)) for number in range(rounds + 1)][1:]
    ours, peer = zip(*turns, strict=True)
    clocks = (
        f"clock {median(each.clock for each in ours):.2f} against {median(each.clock for each in peer):.2f} s"
    )
    events = f"{BATCHES * BATCH_ROWS:,} events of {TENANTS} tenants, medians of {rounds} rounds in turns"
    yield bar(
        "9",
        "loading events with all indexes and merges against VictoriaLogs",
        median(each.cpu for each in ours),
        median(each.cpu for each in peer),
        0.60,
        f"{events}; {clocks}",
        "CPU s",
    )
    yield bar(
        "10 VictoriaLogs",
        "bytes on disk after merges against VictoriaLogs",
        float(median(each.disk for each in ours)),
        float(median(each.disk for each in peer)),
        1.10,
        events,
        "bytes",
    )


def _batch(number: int) -> Batch:
    tenant = number % TENANTS
    rows = ndjson(
        BATCH_ROWS, f"tenant-{tenant}", seed=number, start=START + number // TENANTS * timedelta(minutes=5)
    )
    return Batch(tenant, zstd.compress(rows, 1), zstd.compress(as_sent(rows), 1))


def _ours(room: EmbeddedEngine, number: int, batches: list[Batch]) -> Cost:
    warehouse = room.database(f"round{number}")
    cpu, clock = cpu_seconds(), time.monotonic()
    for at, batch in enumerate(batches):
        load(warehouse, batch.rows, f"round{number}-{at}", expiry())
    warehouse.command("SYSTEM START MERGES events")
    warehouse.command("OPTIMIZE TABLE events FINAL")
    cost = Cost(cpu_seconds() - cpu, time.monotonic() - clock, active_bytes(warehouse))
    warehouse.command("DROP TABLE events SYNC")
    return cost


def _peer(program: Path, batches: list[Batch]) -> Cost:
    with victoria_logs(program) as server:
        cpu, clock = server.cpu_seconds(), time.monotonic()
        for batch in batches:
            server.insert(batch.sent, batch.tenant, "zstd")
        server.settle()
        return Cost(server.cpu_seconds() - cpu, time.monotonic() - clock, server.disk_bytes())


if __name__ == "__main__":
    named = binary()
    assert named, "run by bars(), which needs the binary"
    with embedded_engine() as here:
        for each in measured(here, named):
            print(json.dumps(each), flush=True)
