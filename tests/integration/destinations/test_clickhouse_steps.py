"""What is wrong with a customer's ClickHouse is named with its fix, and no row stays in it."""

import json
from dataclasses import replace

import pytest

from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from tests.integration.destinations.world import (
    World,
    by_step,
    only_failed,
)


@pytest.mark.parametrize(
    ("statement", "code", "step", "fix"),
    [
        ("SELECT version()", 516, "clickhouse.authenticate", "password"),
        ("SELECT version()", 195, "clickhouse.authenticate", "addresses"),
        ("CREATE TABLE", 497, "clickhouse.table", "GRANT"),
        ("CREATE TABLE", 164, "clickhouse.table", "readonly"),
        ("CREATE TABLE IF NOT EXISTS schema", 115, "clickhouse.table", "26.2"),
        ("INSERT INTO events ", 497, "clickhouse.write", "GRANT"),
        ("INSERT INTO events_trial", 452, "clickhouse.write", "constraints"),
        ("SELECT count()", 497, "clickhouse.read", "GRANT"),
        ("ALTER TABLE events DELETE", 497, "clickhouse.delete", "ALTER DELETE"),
        ("ALTER TABLE events DELETE", 48, "clickhouse.delete", "MergeTree"),
    ],
)
def test_a_clickhouse_that_rejects_has_a_fix_and_keeps_nothing(
    world: World, statement: str, code: int, step: str, fix: str
) -> None:
    # The first of what is counted may be the read; the check after the deletion then goes well.
    count = 1 if step == "clickhouse.read" else 1000
    world.order(mode="busy", code=code, count=count, statement=statement)
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    failed = only_failed(report)
    assert (failed["step"], fix in failed["fix"]) == (step, True)
    assert "Ordered by a test" not in json.dumps(report)
    world.order(mode="none")
    assert world.left() == []


def test_a_row_whose_answer_was_lost_is_removed(world: World) -> None:
    world.ask("POST /v1/destination/test", body=world.body())
    world.order(mode="lose_answer", count=1, statement="INSERT INTO events ")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert only_failed(report)["step"] == "clickhouse.write"
    assert by_step(report)["clickhouse.delete"]["ok"]
    assert world.left() == []


def test_a_database_is_created_when_it_is_missing_and_allowed(world: World) -> None:
    server = world.warehouse("default")
    server.command("DROP DATABASE acme")
    world.order(mode="busy", code=497, statement="CREATE DATABASE")
    denied = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (denied["step"], "CREATE DATABASE" in denied["fix"]) == ("clickhouse.table", True)
    assert world.ask("POST /v1/destination/test", body=world.body())[1]["usable"]
    server.close()


def test_a_user_who_may_not_create_databases_needs_one_that_is_there_only(world: World) -> None:
    world.order(mode="busy", code=497, count=1000, statement="CREATE DATABASE")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert report["usable"]
    assert by_step(report)["clickhouse.table"]["detail"] == "The tables were created or brought up to date."


def test_a_user_who_may_create_nothing_needs_what_is_there_only(world: World) -> None:
    Schema(replace(world.engine, database="acme")).bring_up_to_date(migrations())
    world.order(mode="busy", code=497, count=1000, statement="CREATE")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert report["usable"]
    assert "GRANT" in by_step(report)["clickhouse.table"]["fix"].upper()


def test_a_foreign_table_is_reported_with_its_missing_columns(world: World) -> None:
    warehouse = world.warehouse("acme")
    warehouse.command("CREATE TABLE events (tenant_id String) ENGINE = MergeTree ORDER BY tenant_id")
    warehouse.close()
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert failed["step"] == "clickhouse.table"
    assert "events.message" in failed["detail"]
    assert "events.tenant_id" not in failed["detail"]


@pytest.mark.parametrize(
    ("engine", "settings", "word"),
    [
        ("MergeTree", "non_replicated_deduplication_window = 0", "remembers no batches"),
        ("ReplacingMergeTree", "non_replicated_deduplication_window = 100", "merge rows"),
    ],
)
def test_a_table_that_keeps_repeated_batches_is_at_least_once_and_said_so(
    world: World, engine: str, settings: str, word: str
) -> None:
    created = migrations()[0].on(engine).rpartition("SETTINGS")[0]
    warehouse = world.warehouse("acme")
    warehouse.command(f"{created} SETTINGS {settings}, deduplicate_merge_projection_mode = 'drop'")
    warehouse.close()
    status, kept = world.ask("PUT /v1/destination", body=world.body())
    assert (status, kept["guarantee"]) == (200, "at_least_once")
    assert word in by_step(kept)["clickhouse.guarantee"]["detail"]
    assert by_step(kept)["clickhouse.guarantee"]["fix"]
    assert world.left() == []


def test_a_table_that_keeps_nothing_is_refused(world: World) -> None:
    columns = migrations()[1].statement.replace("events_trial", "events").rpartition("expires_on Date")[0]
    more = "expires_on Date, duration_ms Nullable(Float64), metadata_tokens Array(String)) ENGINE = Null"
    warehouse = world.warehouse("acme")
    warehouse.command(columns + more)
    warehouse.close()
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (failed["step"], "MergeTree" in failed["fix"]) == ("clickhouse.delete", True)
