"""A day of five million rows leaves at once, and its bytes with it. It takes minutes to fill: `make soak`."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from bench.events import ndjson
from bench.in_process import EngineRoom, load
from bench.measuring import cpu_seconds
from functions.retention.limits import Limit
from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.shared.tenancy import TenantId

pytestmark = pytest.mark.soak

ROWS_A_DAY = 5_000_000
SEED_ROWS = 250_000
TENANTS = 50
DAY = date(2026, 12, 8)
NEXT = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EngineRoom, Path]]:
    directory = tmp_path_factory.mktemp("engine")
    made = EngineRoom(directory)
    yield made, directory
    made.close()


def on_disk(directory: Path) -> int:
    """Bytes of all files there are, whatever the engine says of them."""
    found = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                found += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return found


def fill(table: Any) -> None:
    """Two days of ROWS_A_DAY each, of TENANTS tenants, received fifteen days before they expire."""
    columns = "project_id, level, service, message, trace_id, span_id, metadata, batch_id"
    for number in range(TENANTS):
        body = ndjson(SEED_ROWS // TENANTS, f"tenant-{number:02}", seed=number)
        load(table, zstd.compress(body, 1), f"seed-{number}", date(2027, 12, 31))
    for day in (DAY, NEXT):
        for copy in range(ROWS_A_DAY // SEED_ROWS):
            table.command(
                f"INSERT INTO events (tenant_id, timestamp, received_at, expires_on, {columns}) "
                f"SELECT tenant_id, timestamp + INTERVAL {copy} MINUTE, '{day - timedelta(days=15)} 12:00:00', "
                f"'{day}', {columns} FROM events WHERE expires_on = '2027-12-31'"
            )
    table.command("ALTER TABLE events DROP PARTITION '2027-12-31'")
    table.command("SYSTEM START MERGES events")
    table.command("OPTIMIZE TABLE events FINAL", settings={"optimize_skip_merged_partitions": 1})


def spent(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What `call` returns, its CPU and its wall seconds."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = call()
    return result, cpu_seconds() - cpu, time.perf_counter() - wall


def test_a_day_of_five_million_rows_is_dropped_at_once_and_its_bytes_are_free(
    room: tuple[EngineRoom, Path],
) -> None:
    engine, directory = room
    table = engine.database("parted")
    mixed = engine.database("mixed")
    fill(table)
    ddl: str = table.select(
        "SELECT create_table_query AS ddl FROM system.tables WHERE database = 'parted' AND name = 'events'"
    ).rows[0]["ddl"]
    mixed.command("DROP TABLE events SYNC")
    mixed.command(ddl.replace("PARTITION BY expires_on ", "").replace("TABLE parted.", "TABLE mixed."))
    mixed.command("INSERT INTO events SELECT * FROM parted.events")
    mixed.command("OPTIMIZE TABLE events FINAL")

    shorter = TenantId("tenant-07")
    _, looking, _ = spent(Partitions(table).census)
    shortened, rewriting, took = spent(
        lambda: purge(
            Partitions(table), NEXT - timedelta(days=5), {shorter: Limit(5, binding=True)}, [shorter]
        )
    )
    assert (shortened.shortened, shortened.rows) == (2, 2 * ROWS_A_DAY // TENANTS)
    print(f"census of {2 * ROWS_A_DAY:,} rows: {looking:.2f} CPU s")
    print(f"shortening one tenant of {TENANTS} in two such days: {rewriting:.1f} CPU s, {took:.1f} s")
    time.sleep(1)

    day_bytes = next(each.bytes for each in Partitions(table).all() if each.expires_on == DAY)
    before = on_disk(directory / "data")
    done, dropping, took = spent(lambda: purge(Partitions(table), NEXT, {}))
    after = on_disk(directory / "data")
    assert (done.partitions, done.rows) == (1, ROWS_A_DAY - ROWS_A_DAY // TENANTS)
    print(f"dropping the day: {dropping * 1000:.0f} CPU ms, {took * 1000:.0f} ms, planned and reported")
    print(f"bytes: {day_bytes:,} of the day, {done.bytes:,} reported, {before - after:,} free on the disk")
    assert done.bytes == day_bytes
    assert before - after > 0.98 * day_bytes

    _, deleting, took = spent(
        lambda: mixed.command(
            "ALTER TABLE events DELETE WHERE expires_on = {day:Date}",
            {"day": str(DAY)},
            {"mutations_sync": 1},
        )
    )
    print(f"ALTER DELETE where days share a partition: {deleting:.1f} CPU s, {took:.1f} s")
    (left,) = Partitions(table).all()
    _, alone, _ = spent(lambda: Partitions(table).drop(left))
    print(f"the drop alone, of the other day: {alone * 1000:.0f} CPU ms; 1/{deleting / max(alone, 0.01):.0f}")
    assert deleting / max(alone, 0.01) > 1000
