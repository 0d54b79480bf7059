"""A day of five million rows leaves at once, and its bytes with it. It takes minutes to fill: `make soak`."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from bench.events import ndjson
from bench.in_process import EmbeddedEngine, load
from bench.measuring import cpu_seconds
from functions.retention.limits import Limit
from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.shared.tenancy import TenantId

pytestmark = pytest.mark.soak

ROWS_A_DAY = 5_000_000
SEED_ROWS = 250_000
MORE_DAYS = 3
"""That the table without partitions keeps besides: a share of the fifteen or thirty that there are."""

TENANTS = 50
DAY = date(2026, 12, 8)
NEXT = DAY + timedelta(days=1)
SEED_DAY = date(2027, 12, 31)

CLEARED_SOON = "old_parts_lifetime = 1, merge_tree_clear_old_parts_interval_seconds = 1"
"""Parts that were merged or rewritten, which are kept for eight minutes elsewhere."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedEngine, Path]]:
    directory = tmp_path_factory.mktemp("engine")
    made = EmbeddedEngine(directory)
    yield made, directory
    made.close()


def fill(table: Any) -> None:
    """Two days of ROWS_A_DAY each, of TENANTS tenants, received fifteen days before they expire."""
    columns = "project_id, level, service, message, trace_id, span_id, metadata, batch_id"
    for number in range(TENANTS):
        body = ndjson(SEED_ROWS // TENANTS, f"tenant-{number:02}", seed=number)
        load(table, zstd.compress(body, 1), f"seed-{number}", SEED_DAY)
    for day in (DAY, NEXT):
        for copy in range(ROWS_A_DAY // SEED_ROWS):
            table.command(
                f"INSERT INTO events (tenant_id, timestamp, received_at, expires_on, {columns}) "  # noqa: S608
                f"SELECT tenant_id, timestamp + INTERVAL {copy} MINUTE, toDateTime('{day}', 'UTC') "
                f"- INTERVAL 15 DAY, '{day}', {columns} FROM events WHERE expires_on = '{SEED_DAY}'"
            )
    table.command(f"ALTER TABLE events DROP PARTITION ('{SEED_DAY}', 0)")
    settle(table)


def settle(table: Any) -> None:
    """One part a partition, and none on the disk that only waits to be removed."""
    table.command(f"ALTER TABLE events MODIFY SETTING {CLEARED_SOON}")
    table.command("SYSTEM START MERGES events")
    table.command("OPTIMIZE TABLE events FINAL", settings={"optimize_skip_merged_partitions": 1})
    time.sleep(2)
    # A drop, be it of nothing, also clears away what has been waiting for that.
    table.command("ALTER TABLE events DROP PARTITION ('1970-01-01', 0)")


def on_disk(directory: Path, day: date) -> int:
    """Bytes of all files in the parts of that day, whatever the engine says of them."""
    parts = list((directory / "data").glob(f"store/*/*/{day:%Y%m%d}_*"))
    return sum(each.lstat().st_blocks * 512 for part in parts for each in part.rglob("*") if each.is_file())


def without_partitions(engine: EmbeddedEngine, table: Any) -> Any:
    """The same rows, and MORE_DAYS as large, in a table whose days share a partition."""
    mixed = engine.database("mixed")
    ddl: str = table.select(
        "SELECT create_table_query AS ddl FROM system.tables WHERE database = 'parted' AND name = 'events'"
    ).rows[0]["ddl"]
    mixed.command("DROP TABLE events SYNC")
    without = ddl.replace("PARTITION BY (expires_on, bulk) ", "")
    mixed.command(without.replace("TABLE parted.", "TABLE mixed."))
    mixed.command("INSERT INTO events SELECT * FROM parted.events")
    for more in range(1, MORE_DAYS + 1):
        mixed.command(
            f"INSERT INTO events SELECT * REPLACE (expires_on + {more} AS expires_on) "  # noqa: S608
            f"FROM parted.events WHERE expires_on = '{NEXT}'"
        )
    mixed.command("OPTIMIZE TABLE events FINAL")
    return mixed


def spent(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What `call` returns, its CPU and its wall seconds."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = call()
    return result, cpu_seconds() - cpu, time.perf_counter() - wall


def test_a_day_of_five_million_rows_is_dropped_at_once_and_its_bytes_are_free(
    room: tuple[EmbeddedEngine, Path],
) -> None:
    engine, directory = room
    table = engine.database("parted")
    fill(table)
    mixed = without_partitions(engine, table)
    _, looking, took = spent(Partitions(table).census)
    print(f"\ncensus of {2 * ROWS_A_DAY:,} rows: {looking:.2f} CPU s, {took:.2f} s")

    day_bytes, before = bytes_of(table, DAY), on_disk(directory, DAY)
    done, dropping, took = spent(lambda: purge(Partitions(table), NEXT, {}))
    after = on_disk(directory, DAY)
    print(f"purge of {done.rows:,} rows, from looking to reporting: {dropping:.2f} CPU s, {took:.2f} s")
    print(f"bytes: {done.bytes:,} reported; on the disk {before:,} before, {after:,} after")
    assert (done.partitions, done.rows, done.bytes) == (1, ROWS_A_DAY, day_bytes)
    assert before >= day_bytes
    assert after < 100_000, "an empty part is what is left"

    delete = "ALTER TABLE events DELETE WHERE expires_on = {day:Date}"
    _, deleting, took = spent(lambda: mixed.command(delete, {"day": str(DAY)}, {"mutations_sync": 1}))
    print(f"ALTER DELETE of the same where days share a partition: {deleting:.1f} CPU s, {took:.1f} s")
    shorter, today = TenantId("tenant-07"), NEXT - timedelta(days=5)
    limits = {shorter: Limit(5, binding=True)}
    shortened, rewriting, took = spent(lambda: purge(Partitions(table), today, limits, [shorter]))
    print(f"one of {TENANTS} tenants taken out of such a day: {rewriting:.1f} CPU s, {took:.1f} s")
    assert (shortened.shortened, shortened.rows) == (1, ROWS_A_DAY // TENANTS)
    longer = {TenantId("tenant-08"): Limit(30)}
    thinned, rewriting, took = spent(lambda: purge(Partitions(table), NEXT + timedelta(days=1), longer))
    print(f"all but one of {TENANTS} taken out of it: {rewriting:.1f} CPU s, {took:.1f} s")
    assert (thinned.thinned, thinned.rows) == (1, ROWS_A_DAY - 2 * ROWS_A_DAY // TENANTS)

    restore(table)
    (left,) = Partitions(table).all()
    _, alone, _ = spent(lambda: Partitions(table).drop(left))
    print(f"dropping such a day: {alone * 1000:.0f} CPU ms, 1/{deleting / max(alone, 0.01):.0f}")
    assert deleting > 1000 * alone, "bar 12"


def bytes_of(table: Any, day: date) -> int:
    return next(each.bytes for each in Partitions(table).all() if each.expires_on == day)


def restore(table: Any) -> None:
    """A whole day again, from the rows that are left in the other table."""
    table.command("TRUNCATE TABLE events")
    table.command(f"INSERT INTO events SELECT * FROM mixed.events WHERE expires_on <= '{NEXT}'")  # noqa: S608
    settle(table)
