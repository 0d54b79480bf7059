"""ClickHouse is killed with SIGKILL while it inserts: a batch has all of its rows afterwards, or none."""

import os
import random
import signal
import threading
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from backports import zstd

from bench.children import child
from functions.shared.address import Address
from functions.shared.errors import RetryableError
from functions.shared.schema.history import apply_missing
from functions.shared.schema.numbered import migrations
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import Batch
from functions.sync.load import Loader
from functions.sync.plan import Manifest
from tests.crash.world import EXPIRES_ON, row_of

ROWS = 20_000
USERS = {"tests": {"password": "tests", "database": "astralog"}}


def killed_while_inserting(directory: Path, rounds: int) -> list[int]:
    """How many rows of each round's batch were there after ClickHouse was killed and started again."""
    chance = random.Random(rounds)
    body = zstd.compress(b"".join(row_of(TenantId("acme"), f"line {number}") for number in range(ROWS)), 1)
    places = {"data": str(directory / "data"), "spool": str(directory / "spool")}
    found = []
    batch = _batch("")
    for number in range(rounds + 1):
        with child("local.clickhouse", **places, users=USERS) as engine:
            loader = Loader(_warehouse(engine.port))
            if number:
                found.append(loader.count(batch))
                if not found[-1]:
                    loader.insert(batch, body)
                assert loader.count(batch) == ROWS, "the retry is exact"
            else:
                apply_missing(_warehouse(engine.port), migrations(), "MergeTree")
            if number < rounds:
                batch = _batch(f"batch-{number}")
                _insert_and_kill(loader, batch, body, engine.pid, chance.uniform(0.0, 0.12))
    return found


def _insert_and_kill(loader: Loader, batch: Batch, body: bytes, pid: int, after_seconds: float) -> None:
    def insert() -> None:
        with suppress(RetryableError):
            loader.insert(batch, body)

    inserting = threading.Thread(target=insert)
    inserting.start()
    time.sleep(after_seconds)
    os.kill(pid, signal.SIGKILL)
    inserting.join()


def _warehouse(port: int) -> Warehouse:
    return Warehouse(Address("127.0.0.1", port, False, "tests", SecretText("tests"), "astralog"), 30)


def _batch(batch_id: str) -> Batch:
    return Batch(Manifest("managed", date(EXPIRES_ON.year, 1, 1), ()), batch_id, "sealed", ())


def test_a_batch_has_all_of_its_rows_or_none_after_a_kill(tmp_path: Path) -> None:
    found = killed_while_inserting(tmp_path, 6)
    assert set(found) <= {0, ROWS}, found


@pytest.mark.soak
def test_the_same_a_hundred_times(tmp_path: Path) -> None:
    found = killed_while_inserting(tmp_path, 100)
    assert set(found) == {0, ROWS}, "kills must fall on both sides of the commit"
