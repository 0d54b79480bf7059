"""The tables of bar 11: one has a day of events, the other seven. Each day is one part."""
# ruff: noqa: S608 - the statements are of this module alone

from datetime import timedelta

from backports import zstd

from bench.events import START, expiry, ndjson
from bench.in_process import EmbeddedEngine, load
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse

EVENTS_A_DAY = 400_000
LARGE_EVENTS_A_DAY = 1_650_000
"""11.55 million in seven days."""

DAYS = 7
ROUNDS = 9
ACME = TenantId("acme")
FIRST = START.replace(hour=0, minute=0, second=0, microsecond=0)
LAST_DAY = {
    "from": f"{FIRST + timedelta(days=DAYS - 1):%Y-%m-%d}",
    "to": f"{FIRST + timedelta(days=DAYS):%Y-%m-%d}",
}
ALL_DAYS = {**LAST_DAY, "from": f"{FIRST:%Y-%m-%d}"}
METHOD = f"medians of {ROUNDS} rounds in turns"


def tables(room: EmbeddedEngine, events_a_day: int) -> tuple[Warehouse, Warehouse]:
    """A table of the last day, and one of all days.

    Events keep their order in time: all services log at all times, though the table is sorted by service.
    """
    day, week = room.database("day"), room.database("week")
    load(day, zstd.compress(ndjson(events_a_day, ACME), 1), "made", expiry())
    others = (
        "tenant_id, project_id, received_at, level, service, message, trace_id, span_id, metadata, batch_id"
    )
    for number in range(DAYS):
        first = f"{FIRST + timedelta(days=number):%Y-%m-%d %H:%M:%S}"
        step = 86_400_000 // events_a_day
        at = f"toDateTime64('{first}', 9, 'UTC') + toIntervalMillisecond(number * {step})"
        week.command(
            f"INSERT INTO events ({others}, timestamp, expires_on, object_id, position) "
            f"SELECT {others}, {at}, toDate('{expiry(days=number)}'), concat('o{number}', toString(intDiv("
            f"number, 100))), number % 100 FROM (SELECT *, rowNumberInAllBlocks() AS number "
            "FROM (SELECT * FROM day.events ORDER BY timestamp)) "
            f"SETTINGS max_threads = 1, max_block_size = {events_a_day}, "
            f"min_insert_block_size_rows = {events_a_day}"
        )
    for table in (day, week):
        table.command("SYSTEM START MERGES events")
    day.command("TRUNCATE TABLE events")
    last = f"SELECT * FROM week.events WHERE expires_on = '{expiry(days=DAYS - 1)}'"
    day.command(f"INSERT INTO events {last}")
    for table in (day, week):
        table.command("OPTIMIZE TABLE events FINAL")
    return day, week
