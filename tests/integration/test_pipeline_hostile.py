"""Hostile bodies by the thousand: none breaks ingest or fills its memory, and what it accepts is loaded."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from functions.shared.events.package import frame
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import SEALED, Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest
from infra.topology import function
from tests.integration.execution_environment import Environment, environment
from tests.integration.hostile_bodies import bodies
from tests.integration.hostile_environment import FOLDER
from tests.integration.http_events import drain_event
from tests.integration.sent_body import Sent
from tests.integration.warehouse_process import clickhouse

MAX_GROWTH_KB = 64 * 1024
ORDINARY = Sent("ordinary", json.dumps([{"message": "m" * 100, "metadata": {"n": 1}}] * 500).encode())
SEED = 20261123
MAX_CPU_SECONDS = 5
CHUNK_BYTES = 16 * 1024 * 1024
"""Hostile rows shrink a hundredfold: a file of 8 MB may hold a gigabyte, which is no insert of a minute."""


def answer(ingest: Environment, sent: Sent) -> dict[str, Any]:
    """The handler's answer."""
    return ingest.invoke(drain_event(sent.body, sent.headers))


def faults_of(answer: dict[str, Any]) -> list[str]:
    """In what an answer breaks the contract."""
    status, body = answer["statusCode"], json.loads(answer["body"])
    counted = {"accepted", "rejected", "errors"} & body.keys()
    is_success = status == 202 and body["status"] == "accepted" and body["accepted"] > 0 and len(counted) == 3
    is_refusal = status in (400, 409, 413, 415) and all(
        isinstance(body.get(name), str) and body[name] for name in ("error", "code", "request_id")
    )
    faults = []
    if not (is_success or is_refusal):
        faults.append(f"{status} {answer['body'][:200]}")
    if counted and len(body["errors"]) != min(body["rejected"], 1000):
        faults.append("the errors listed are not as many as there were")
    if answer["headers"].get("content-type") != "application/json":
        faults.append("it is not said to be JSON")
    return faults


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_hostile_bodies_break_nothing_and_what_is_accepted_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    statuses = Counter[int]()
    faults: dict[str, list[str]] = {}
    rows = 0
    memory_mb = function("ingest").memory_mb
    handler, variables = "tests.integration.hostile_environment.handler", {FOLDER: str(tmp_path)}
    with environment(handler, memory_mb, tmp_path, variables) as ingest:
        for _ in range(50):
            rows += json.loads(answer(ingest, ORDINARY)["body"])["accepted"]
        warm_kb = ingest.memory_kb("VmRSS")
        for number, sent in enumerate(bodies(SEED, count)):
            answered = answer(ingest, sent)
            statuses[answered["statusCode"]] += 1
            rows += json.loads(answered["body"]).get("accepted", 0)
            if wrong := faults_of(answered):
                faults[f"{number}: {sent.name}"] = wrong
        growth_kb = ingest.memory_kb("VmHWM") - warm_kb
        costs = ingest.costs()
    with capsys.disabled():
        print(f"\ningest: {dict(statuses)}, {rows} rows, {costs}, {growth_kb // 1024} MB above when warm")
    assert faults == {}
    assert ingest.max_cpu_seconds <= MAX_CPU_SECONDS
    assert growth_kb <= MAX_GROWTH_KB
    assert loaded(tmp_path) == rows


def loaded(folder: Path) -> int:
    """Load what lies in `folder` by sync's statement, CHUNK_BYTES at a time; how many rows there are then."""
    with clickhouse(folder / "clickhouse") as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 60)
        loader = EventsTable(warehouse)
        found = 0
        for path in sorted(folder.glob("*.zst")):
            for number, lines in enumerate(chunks(path)):
                manifest = Manifest("managed", date(2030, 1, 1), ())
                batch = Batch(manifest, f"{path.stem}-{number}", SEALED, ())
                loader.insert(batch, frame(lines))
                found += loader.count(batch)
        warehouse.close()
    return found


def chunks(path: Path) -> Iterator[bytes]:
    """The file's lines, CHUNK_BYTES and the rest of a line at a time."""
    with zstd.ZstdFile(path) as rows:
        while text := rows.read(CHUNK_BYTES):
            yield text + rows.readline()


def test_chunks_are_all_lines_of_a_file_and_cut_none(tmp_path: Path) -> None:
    """Two lines of which the first one crosses the border, in frames of their own."""
    lines = [b"a" * (CHUNK_BYTES + 10) + b"\n", b"b\n"]
    (tmp_path / "0.zst").write_bytes(b"".join(frame(each) for each in lines))
    assert list(chunks(tmp_path / "0.zst")) == lines
