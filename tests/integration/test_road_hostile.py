"""Hostile bodies by the thousand: none breaks ingest or fills its memory, and what it accepts is loaded."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from functions.shared.schema.numbered import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import SEALED, Batch
from functions.sync.load import Loader
from functions.sync.plan import Manifest
from local.environment import LENGTH_BYTES
from local.naming import PROJECT_ROOT
from tests.integration.hostile_bodies import bodies
from tests.integration.hostile_environment import FOLDER
from tests.integration.http_events import drain_event
from tests.integration.sent_body import Sent
from tests.integration.warehouse_process import clickhouse

MAX_GROWTH_KB = 64 * 1024
ORDINARY = Sent("ordinary", json.dumps([{"message": "m" * 100, "metadata": {"n": 1}}] * 500).encode())
SEED = 20261123


class Environment:
    """An execution environment of tests.integration.hostile_environment, and the line to it."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self._line = line
        self._frames = line.makefile("rb")
        self._pid = pid
        assert self._receive() == {"ready": True}

    def answer(self, sent: Sent) -> dict[str, Any]:
        """The handler's answer."""
        invocation = {
            "event": drain_event(sent.body, sent.headers),
            "request_id": "request-1",
            "function_arn": "",
            "deadline_ms": time.time_ns() // 1_000_000 + 29_000,
        }
        encoded = json.dumps(invocation).encode()
        self._line.sendall(len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded)
        answer: dict[str, Any] = self._receive()["answer"]
        return answer

    def memory_kb(self, name: str) -> int:
        """`VmRSS`, what it holds now, or `VmHWM`, the most it ever held."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0])

    def _receive(self) -> dict[str, Any]:
        length = int.from_bytes(self._frames.read(LENGTH_BYTES), "big")
        message: dict[str, Any] = json.loads(self._frames.read(length))
        return message


@contextmanager
def environment(folder: Path) -> Iterator[Environment]:
    """Run one whose staged objects end in `folder`."""
    ours, theirs = socket.socketpair()
    handler = "tests.integration.hostile_environment.handler"
    variables = {
        **os.environ,
        FOLDER: str(folder),
        "PYTHONPATH": str(PROJECT_ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": "ingest",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    with theirs, (folder / "environment.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.environment", handler, str(theirs.fileno())],
            cwd=PROJECT_ROOT,
            env=variables,
            pass_fds=[theirs.fileno()],
            stdout=log,
            stderr=log,
        )
    try:
        with ours:
            yield Environment(ours, process.pid)
            ours.shutdown(socket.SHUT_RDWR)
    finally:
        process.terminate()
        process.wait(timeout=10)


def faults_of(answer: dict[str, Any]) -> list[str]:
    """In what an answer breaks the contract."""
    status, body = answer["statusCode"], json.loads(answer["body"])
    told = {"accepted", "rejected", "errors"} & body.keys()
    is_success = status == 202 and body["status"] == "accepted" and body["accepted"] > 0 and len(told) == 3
    is_refusal = status in (400, 409, 413, 415) and all(
        isinstance(body.get(name), str) and body[name] for name in ("error", "code", "request_id")
    )
    faults = []
    if not (is_success or is_refusal):
        faults.append(f"{status} {answer['body'][:200]}")
    if told and len(body["errors"]) != min(body["rejected"], 1000):
        faults.append("the errors told are not as many as there were")
    if answer["headers"].get("content-type") != "application/json":
        faults.append("it is not said to be JSON")
    return faults


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_hostile_bodies_break_nothing_and_what_is_accepted_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    statuses = Counter[int]()
    faults: dict[str, list[str]] = {}
    rows = 0
    with environment(tmp_path) as ingest:
        for _ in range(50):
            rows += json.loads(ingest.answer(ORDINARY)["body"])["accepted"]
        warm_kb = ingest.memory_kb("VmRSS")
        for number, sent in enumerate(bodies(SEED, count)):
            answer = ingest.answer(sent)
            statuses[answer["statusCode"]] += 1
            rows += json.loads(answer["body"]).get("accepted", 0)
            if wrong := faults_of(answer):
                faults[f"{number}: {sent.name}"] = wrong
        growth_kb = ingest.memory_kb("VmHWM") - warm_kb
    with capsys.disabled():
        print(
            f"\n{dict(statuses)}, {rows} rows, {growth_kb // 1024} MB above {warm_kb // 1024} MB at the peak"
        )
    assert faults == {}
    assert growth_kb <= MAX_GROWTH_KB
    assert loaded(tmp_path) == rows


def loaded(folder: Path) -> int:
    """Load what lies in `folder` as sync would; how many rows there are then."""
    with clickhouse(folder / "clickhouse") as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 60)
        loader = Loader(warehouse)
        batches = [
            (Batch(Manifest("managed", date(2030, 1, 1), ()), path.stem, SEALED, ()), path.read_bytes())
            for path in sorted(folder.glob("*.zst"))
        ]
        for batch, frames in batches:
            loader.insert(batch, frames)
        found = sum(loader.count(batch) for batch, _ in batches)
        warehouse.close()
    return found
