"""Tables with rows get the identity of events; every pair of old and new code and table works until then.

Two tenants are in each table: ours has both, and each has a ClickHouse of their own.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, cast

import pytest
from backports import zstd

from bench.in_process import EmbeddedEngine, InProcess, embedded_engine
from functions.destinations.tables import missing_columns
from functions.query.compile.metadata import FIRST_ESCAPE, WORDS
from functions.shared.byoc.table_identity import has_identity
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.events.encoding import encode_rows
from functions.shared.events.row import Row
from functions.shared.events.staged_key import COLUMNS, IDENTITY, time_ordered_id
from functions.shared.insert_statement import insert
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import Warehouse, WarehouseRefusedError, refusal
from functions.sync import byoc_schema
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest
from tests.integration.loading import staged
from tests.integration.query_requests import QueryRequests

BEFORE = [each for each in migrations() if each.version <= 2]
EXPIRES_ON = date(2030, 1, 1)
EVER = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "order": "asc"}
TENANTS = ("acme", "globex")


@pytest.fixture(scope="module")
def room() -> Iterator[EmbeddedEngine]:
    with embedded_engine() as made:
        yield made


@pytest.fixture
def table(room: EmbeddedEngine, request: pytest.FixtureRequest) -> Warehouse:
    """A database of the version before, with rows of both tenants."""
    name = request.node.name.partition("[")[0][-50:]
    InProcess(room._engine, "default", room._spool).command(f"DROP DATABASE IF EXISTS {name}")
    InProcess(room._engine, "default", room._spool).command(f"CREATE DATABASE {name}")
    made = cast(Warehouse, InProcess(room._engine, name, room._spool))
    apply_missing(made, BEFORE, "MergeTree")
    for tenant in TENANTS:
        insert_of_the_version_before(made, [old_row(tenant, number) for number in range(12)], f"{tenant}0")
    return made


def old_row(tenant: str, number: int) -> bytes:
    """A row without identity; three have the same time."""
    at = f"2026-11-01 12:00:{number // 3:02d}.000000000"
    return staged(tenant_id=tenant, message=f"{tenant} old {number}", timestamp=at)


def new_rows(tenant: str, count: int = 5) -> bytes:
    """An object of this version, whose rows have the time of old ones."""
    empty = json.loads(staged(tenant_id=tenant, timestamp="2026-11-01 12:00:01.000000000"))
    rows = []
    for number in range(count):
        fields = {**empty, "message": f"{tenant} new {number}", "metadata": {}}
        rows.append(Row(**fields))
    return zstd.compress(encode_rows(rows, time_ordered_id(1_793_534_401_000), 0).lines, 1)


def insert_of_the_version_before(warehouse: Warehouse, rows: list[bytes], batch_id: str) -> None:
    """The statement of the version before, without identity."""
    insert(warehouse, zstd.compress(b"".join(rows), 1), batch_id, "2030-01-01", with_identity=False)


def migrate(warehouse: Warehouse) -> None:
    apply_missing(warehouse, migrations(), "MergeTree")


def insert_new(warehouse: Warehouse, frames: bytes, batch_id: str, *, with_identity: bool = True) -> None:
    batch = Batch(Manifest("managed", EXPIRES_ON, ()), batch_id, "sealed", ())
    EventsTable(warehouse, with_identity=with_identity).insert(batch, frames)


def seen(queries: QueryRequests, tenant: str, plan: str = "managed_30", limit: int = 4) -> list[str]:
    return [event["message"] for event in queries.pages(tenant, plan, limit=limit, **EVER)]


def test_a_migrated_table_returns_old_rows_before_new_ones_of_their_time(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(table)
    for tenant in TENANTS:
        insert_new(table, new_rows(tenant), f"{tenant}1")
    queries = QueryRequests(monkeypatch, table)
    for tenant in TENANTS:
        found = seen(queries, tenant)
        assert sorted(found[:6]) == [f"{tenant} old {number}" for number in range(6)]
        assert found[6:11] == [f"{tenant} new {number}" for number in range(5)]
        assert sorted(found[11:]) == sorted(f"{tenant} old {number}" for number in range(6, 12))
        backwards = [
            event["message"] for event in queries.pages(tenant, limit=3, **{**EVER, "order": "desc"})
        ]
        assert backwards == found[::-1]


def test_old_rows_have_no_id_and_new_ones_have_old_neighbours(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(table)
    insert_new(table, new_rows("acme"), "acme1")
    queries = QueryRequests(monkeypatch, table)
    events = queries.pages("acme", limit=1000, **EVER)
    assert [event["id"] is None for event in events] == [" old " in event["message"] for event in events]
    first = next(event for event in events if event["id"])
    status, result = queries.context(first["id"], before=100, after=2)
    assert status == 200
    assert [*result["before"], result["event"], *result["after"]] == events[:9]


def test_the_migration_can_be_repeated_at_any_point_while_inserts_continue(table: Warehouse) -> None:
    """As after a run that died before it noted what it did, and with one that runs at the same time."""
    changes = [each for each in migrations() if each.version > 2]
    with ThreadPoolExecutor(3) as pool:
        loads = [
            pool.submit(insert_of_the_version_before, table, [old_row("acme", 100 + n)], f"during{n}")
            for n in range(10)
        ]
        runs = [pool.submit(table.command, each.on("MergeTree")) for each in changes for _ in range(2)]
        for each in (*loads, *runs):
            each.result()
    migrate(table)
    migrate(table)
    assert has_identity(table)
    assert table.select("SELECT count() AS rows FROM events").whole("rows") == 2 * 12 + 10
    insert_new(table, new_rows("acme"), "after")
    assert table.select("SELECT count() AS rows FROM events WHERE object_id != ''").whole("rows") == 5


def test_code_of_the_version_before_loads_and_reads_the_new_table(table: Warehouse) -> None:
    migrate(table)
    insert_of_the_version_before(table, [old_row("acme", 50)], "late")
    names = ", ".join(name for name in COLUMNS if name not in IDENTITY)
    result = table.select(
        f"SELECT {names}, batch_id FROM events WHERE tenant_id = 'acme' AND batch_id = 'late'"  # noqa: S608
    ).rows
    assert [row["message"] for row in result] == ["acme old 50"]


def test_objects_that_were_staged_before_are_loaded_after(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one batch with objects of this version, whose identity they do not disturb."""
    migrate(table)
    frames = zstd.compress(old_row("acme", 60) + old_row("acme", 61), 1) + new_rows("acme")
    insert_new(table, frames, "mixed")
    events = QueryRequests(monkeypatch, table).pages("acme", limit=1000, **EVER)
    new = [event for event in events if event["id"]]
    assert [event["message"] for event in new] == [f"acme new {number}" for number in range(5)]
    assert [event["id"].rpartition("-")[2] for event in new] == list("01234")
    assert len(events) == 12 + 2 + 5


@pytest.mark.parametrize("tried_with_identity", [False, True])
def test_a_batch_is_loaded_once_whichever_statement_its_attempts_use(
    table: Warehouse, tried_with_identity: bool
) -> None:
    migrate(table)
    frames = new_rows("acme")
    for with_identity in (tried_with_identity, not tried_with_identity):
        insert_new(table, frames, "once", with_identity=with_identity)
    assert table.select("SELECT count() AS rows FROM events WHERE batch_id = 'once'").whole("rows") == 5


class Forbidding:
    """A ClickHouse whose user may not alter tables, or whose own table cannot be altered so."""

    def __init__(self, warehouse: Warehouse, engine_code: int) -> None:
        self._warehouse = warehouse
        self._engine_code = engine_code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def command(self, statement: str, *others: Any) -> None:
        lines = [line for line in statement.splitlines() if not line.startswith("--")]
        if lines[0].startswith("ALTER TABLE") and " ADD " in statement:
            raise refusal(self._engine_code)
        self._warehouse.command(statement, *others)

    def close(self) -> None:
        pass


class Permitting(Forbidding):
    """The same ClickHouse, whose user may alter tables now."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse, 0)

    def command(self, statement: str, *others: Any) -> None:
        self._warehouse.command(statement, *others)


class Refusing(Forbidding):
    """A ClickHouse that rejects every statement."""

    def command(self, *_: Any) -> None:
        raise refusal(self._engine_code)


class OneDestination:
    """The clients of a tenant whose ClickHouse is that one."""

    warehouse = ClickHouseAddress("h", 1, False, "u", SecretText("p"), "d")

    def __init__(self, database: Any) -> None:
        self._database = database

    def open_warehouse(self, *_: Any) -> Any:
        return self._database


def prepare(database: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the tables have the identity after what sync does before the first batch."""
    monkeypatch.setattr(Schema, "create_database", lambda _self: False)
    clients: Any = OneDestination(database)
    byoc_schema.prepare_tables(clients, clients)
    return has_identity(database)


@pytest.mark.parametrize("engine_code", [497, 48])
def test_a_customers_table_that_we_may_not_alter_is_loaded_and_searched_as_it_is(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, engine_code: int
) -> None:
    assert not prepare(Forbidding(table, engine_code), monkeypatch)
    assert missing_columns(table) == []
    for tenant in TENANTS:
        insert_new(table, new_rows(tenant), f"{tenant}1", with_identity=False)
    assert EventsTable(table, with_identity=False).accepts(new_rows("acme"))
    queries = QueryRequests(monkeypatch, table, dict.fromkeys(TENANTS, table))
    queries.managed_until = 0
    for tenant in TENANTS:
        events = queries.pages(tenant, "byoc", limit=3, **EVER)
        assert {event["id"] for event in events} == {None}
        assert sorted(event["message"] for event in events) == sorted(
            [f"{tenant} old {n}" for n in range(12)] + [f"{tenant} new {n}" for n in range(5)]
        )
        assert queries.event(f"{time_ordered_id()}-0", tenant, "byoc")[0] == 404


def test_a_refused_change_of_no_table_at_all_is_an_error(
    room: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WarehouseRefusedError):
        prepare(Refusing(_empty(room), 80), monkeypatch)


def _empty(room: EmbeddedEngine) -> Warehouse:
    InProcess(room._engine, "default", room._spool).command("CREATE DATABASE IF NOT EXISTS none")
    return cast(Warehouse, InProcess(room._engine, "none", room._spool))


def test_a_customers_table_that_is_migrated_later_keeps_what_it_has_and_gains_the_order(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not prepare(Forbidding(table, 497), monkeypatch)
    insert_new(table, new_rows("acme"), "unmigrated", with_identity=False)
    assert prepare(Permitting(table), monkeypatch)
    insert_new(table, new_rows("acme"), "migrated")
    queries = QueryRequests(monkeypatch, table, {"acme": table})
    queries.managed_until = 0
    events = queries.pages("acme", "byoc", limit=4, **EVER)
    assert [event["message"] for event in events if event["id"]] == [f"acme new {n}" for n in range(5)]
    assert len(events) == 12 + 5 + 5


def test_in_the_week_after_a_move_both_stores_are_read_whatever_theirs_has(
    table: Warehouse, room: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is migrated, theirs is not; events and contexts are found in ours."""
    ours = room.database("ours_migrated")
    insert_new(ours, new_rows("acme"), "ours")
    insert_new(ours, new_rows("globex"), "ours2")
    queries = QueryRequests(monkeypatch, ours, dict.fromkeys(TENANTS, table))
    events = queries.pages("acme", "byoc", limit=3, **EVER)
    assert len(events) == 12 + 5
    assert {event["message"].split()[0] for event in events} == {"acme"}
    identified = next(event for event in events if event["id"])
    status, alone = queries.event(identified["id"], "acme", "byoc")
    assert (status, alone["event"]) == (200, identified)
    status, context = queries.context(identified["id"], "acme", "byoc", before=100, after=100)
    assert status == 200
    assert [*context["before"], context["event"], *context["after"]] == events
    assert queries.event(identified["id"], "globex", "byoc")[0] == 404


def test_a_row_whose_position_is_no_number_is_rejected_by_the_trial(table: Warehouse) -> None:
    migrate(table)
    bad = old_row("acme", 1).rstrip(b"\n}") + b', "metadata": {}, "position": "x"}\n'
    assert not EventsTable(table).accepts(zstd.compress(bad, 1))
    assert EventsTable(table).accepts(new_rows("acme"))


@pytest.mark.parametrize(("index", "asked"), [("metadata_words", WORDS), ("escape_range", FIRST_ESCAPE)])
def test_the_expression_that_searches_ask_for_is_the_one_that_is_indexed(
    table: Warehouse, index: str, asked: str
) -> None:
    migrate(table)
    found = table.select(
        "SELECT expr FROM system.data_skipping_indices "
        "WHERE database = currentDatabase() AND table = 'events' AND name = {index:String}",
        {"index": index},
    ).text("expr")
    ours = table.select("SELECT formatQuerySingleLine({sql:String}) AS sql", {"sql": f"SELECT {asked}"})
    assert ours.text("sql").removeprefix("SELECT ") == found


@pytest.mark.parametrize("written", ["order-4711", r"\u006frder-4711", r"order\u002d4711"])
@pytest.mark.parametrize("query", ['ref:"order-4711 sent"', 'ref:"order-4711 s"*'])
def test_an_id_is_found_however_it_is_escaped_in_parts_of_every_version(
    table: Warehouse, monkeypatch: pytest.MonkeyPatch, written: str, query: str
) -> None:
    """One part has no index of metadata, one that of words alone, one both; others have no such id."""
    rows = [
        [
            staged(tenant_id=tenant, message=f"{tenant} {which}", metadata=f'{{"ref":"{ref} sent"}}')
            for tenant in TENANTS
        ]
        for which, ref in (("wanted", written), ("other", r"\u006frder-1234"))
    ]
    for version in (2, 5, len(migrations())):
        apply_missing(table, migrations()[:version], "MergeTree")
        for number, each in enumerate(rows):
            insert_of_the_version_before(table, each, f"v{version}-{number}")
    queries = QueryRequests(monkeypatch, table)
    for tenant in TENANTS:
        found = queries.pages(tenant, limit=10, query=query, **EVER)
        assert [event["message"] for event in found] == [f"{tenant} wanted"] * 3
