"""ClickHouse is killed with SIGKILL while it inserts: a batch has all of its rows afterwards, or none."""

import os
import random
import shutil
import signal
import threading
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from backports import zstd

from bench.children import child
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.errors import RetryableError
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import migrations
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
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
            loader = EventsTable(_warehouse(engine.port))
            if number:
                found.append(loader.count(batch))
                if not found[-1]:
                    batch = _inserted_again(loader, batch, body)
                assert loader.count(batch) == ROWS, "the retry is exact"
            else:
                apply_missing(_warehouse(engine.port), migrations(), "MergeTree")
            if number < rounds:
                batch = _batch(f"batch-{number}")
                _insert_and_kill(loader, batch, body, engine.pid, chance.uniform(0.0, 0.12))
    return found


def _inserted_again(loader: EventsTable, batch: Batch, body: bytes) -> Batch:
    """As functions.sync.batch_processor: under another name if the kill left only the token."""
    loader.insert(batch, body)
    if loader.swallowed(batch):
        batch = _batch(f"{batch.batch_id}-again")
        loader.insert(batch, body)
    return batch


def _insert_and_kill(loader: EventsTable, batch: Batch, body: bytes, pid: int, after_seconds: float) -> None:
    def insert() -> None:
        with suppress(RetryableError):
            loader.insert(batch, body)

    inserting = threading.Thread(target=insert)
    inserting.start()
    time.sleep(after_seconds)
    os.kill(pid, signal.SIGKILL)
    inserting.join()


def _warehouse(port: int) -> Warehouse:
    return Warehouse(
        ClickHouseAddress("127.0.0.1", port, False, "tests", SecretText("tests"), "astralog"), 30
    )


def _batch(batch_id: str) -> Batch:
    return Batch(Manifest("managed", date(EXPIRES_ON.year, 1, 1), ()), batch_id, "sealed", ())


def test_a_batch_has_all_of_its_rows_or_none_after_a_kill(tmp_path: Path) -> None:
    found = killed_while_inserting(tmp_path, 6)
    assert set(found) <= {0, ROWS}, found


def test_a_kill_between_token_and_rows_is_noticed_by_the_retry(tmp_path: Path) -> None:
    """Between the two are microseconds: the disk is made to look as it does then, without the part."""
    body = zstd.compress(b"".join(row_of(TenantId("acme"), f"line {number}") for number in range(10)), 1)
    places, batch = {"data": str(tmp_path / "data"), "spool": str(tmp_path / "spool")}, _batch("batch")
    with child("local.clickhouse", **places, users=USERS) as engine:
        warehouse = _warehouse(engine.port)
        apply_missing(warehouse, migrations(), "MergeTree")
        EventsTable(warehouse).insert(batch, body)
        assert not EventsTable(warehouse).swallowed(batch)
        (part,) = warehouse.select("SELECT path FROM system.parts WHERE table = 'events' AND active").rows
        os.kill(engine.pid, signal.SIGKILL)
    assert Path(part["path"]).is_relative_to(tmp_path)
    shutil.rmtree(part["path"])
    with child("local.clickhouse", **places, users=USERS) as engine:
        loader = EventsTable(_warehouse(engine.port))
        loader.insert(batch, body)
        assert loader.count(batch) == 0, "this engine does not need what is tested here any more"
        assert loader.swallowed(batch)
        assert loader.count(_inserted_again(loader, batch, body)) == 10


@pytest.mark.soak
def test_the_same_a_hundred_times(tmp_path: Path) -> None:
    found = killed_while_inserting(tmp_path, 100)
    assert set(found) == {0, ROWS}, "kills must fall on both sides of the commit"
