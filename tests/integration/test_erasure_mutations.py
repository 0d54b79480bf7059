"""An erasure waits for the parts with its own rows, and for no other tenant's."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.privacy.erasure.mutations import Deletion, Mutations
from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import AllRows, Subject
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.crash.erasing import PATIENCE_SECONDS
from tests.crash.privacy_world import QUICK_ENGINE
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
JANE, JOHN = Subject(ACME, "message", "jane@example.org"), Subject(ACME, "message", "john@example.org")
UNTIL = datetime(2029, 1, 1, tzinfo=UTC)
SLOW_ROWS = 20
SLOW_MUTATION = "ALTER TABLE events UPDATE trace_id = toString(sleepEachRow(0.1)) WHERE tenant_id = 'globex'"
"""Occupies the part of GLOBEX for two seconds, as a merge of gigabytes does for longer."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as at:
        Schema(at).bring_up_to_date(migrations())
        warehouse = Warehouse(at, 60)
        warehouse.command(QUICK_ENGINE)
        for verb in ("DETACH", "ATTACH"):
            # Otherwise the first clean-up is half a minute after the table was made.
            warehouse.command(f"{verb} TABLE events")
        yield warehouse
        warehouse.close()


@pytest.fixture
def warehouse(empty: Warehouse) -> Iterator[Warehouse]:
    """Rows about Jane, about John and about neither, of both tenants, each tenant's in a part of its own."""
    empty.command("SYSTEM STOP MERGES events")
    empty.command("TRUNCATE TABLE events")
    for tenant in (ACME, GLOBEX):
        people = [f"to {each}" for each in (JANE.value, JOHN.value)]
        lines = [*people, *(f"row {number}" for number in range(SLOW_ROWS))]
        load(empty, [staged(tenant_id=tenant, message=each) for each in lines], f"{tenant}-{time.time_ns()}")
    empty.command("SYSTEM START MERGES events")
    yield empty
    empty.command("SYSTEM START MERGES events")


@pytest.fixture
def with_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine in this process has one replica; what is sent where there are more works with it, too."""
    monkeypatch.setattr(Mutations, "has_one_replica", lambda _self: False)


def number(warehouse: Warehouse, condition: str) -> int:
    statement = f"SELECT count() AS count FROM system.mutations WHERE table = 'events' AND {condition}"  # noqa: S608
    return warehouse.select(statement).whole("count")


def rows_left(warehouse: Warehouse) -> tuple[int, ...]:
    """Of JANE, of all of ACME, and of all of GLOBEX."""
    rows = EventRows(warehouse, PATIENCE_SECONDS)
    return rows.count(JANE), rows.count(AllRows(ACME)), rows.count(AllRows(GLOBEX))


def test_an_erasure_does_not_wait_for_work_on_another_tenants_parts(warehouse: Warehouse) -> None:
    slow = {"mutations_sync": 0, "allow_nondeterministic_mutations": 1}
    warehouse.command(SLOW_MUTATION, settings=slow)

    assert EventRows(warehouse, PATIENCE_SECONDS).erase(JANE, UNTIL)

    assert number(warehouse, "NOT is_done AND startsWith(command, '(UPDATE')") == 1
    assert rows_left(warehouse) == (0, SLOW_ROWS + 1, SLOW_ROWS + 2)


def test_the_text_of_an_erasure_leaves_with_its_rows(warehouse: Warehouse) -> None:
    rows = EventRows(warehouse, PATIENCE_SECONDS)
    assert rows.erase(JANE, UNTIL)

    assert rows.texts(ACME) == 0
    assert number(warehouse, f"position(command, '{JANE.value}') > 0") == 0


def test_an_erasure_that_takes_longer_is_continued_and_not_repeated(warehouse: Warehouse) -> None:
    rows, before = EventRows(warehouse, 0.2), number(warehouse, "1")
    warehouse.command("SYSTEM STOP MERGES events")
    assert [rows.erase(JANE, UNTIL) for _ in range(2)] == [False, False]
    assert number(warehouse, "1") == before + 1
    assert rows_left(warehouse)[0] == 1

    warehouse.command("SYSTEM START MERGES events")
    assert EventRows(warehouse, PATIENCE_SECONDS).erase(JANE, UNTIL)
    assert rows_left(warehouse) == (0, SLOW_ROWS + 1, SLOW_ROWS + 2)


def test_an_erasure_discards_no_other_persons_mutation(warehouse: Warehouse) -> None:
    mutations = Mutations(warehouse)
    jane, john = (Deletion(*each.condition()) for each in (JANE, JOHN))
    warehouse.command("SYSTEM STOP MERGES events")
    for each in (jane, john):
        mutations.add(each)

    mutations.discard(jane)
    mutations.discard_finished(ACME)

    assert [mutations.is_under_way(each) for each in (jane, john)] == [False, True]
    mutations.discard(john)
    assert mutations.texts(ACME) == 0


def test_a_tag_names_no_value_and_differs_by_person_tenant_and_time() -> None:
    named = [JANE, JOHN, replace(JANE, tenant=GLOBEX), AllRows(ACME)]
    tags = {Deletion(*each.condition()).tag for each in named}
    assert len(tags) == len(named)
    assert not any(each.value in tag for tag in tags for each in (JANE, JOHN))


@pytest.mark.usefixtures("with_replicas")
def test_with_replicas_an_erasure_waits_for_all_parts_and_its_text_is_replaced(warehouse: Warehouse) -> None:
    rows = EventRows(warehouse, PATIENCE_SECONDS)
    assert rows.erase(JANE, UNTIL)
    assert rows_left(warehouse) == (0, SLOW_ROWS + 1, SLOW_ROWS + 2)
    assert number(warehouse, "NOT is_done") == 0
    assert rows.texts(ACME) == 1

    assert rows.forget_texts(ACME)
    for _ in range(100):
        if not rows.texts(ACME):
            break
        time.sleep(0.1)
    assert rows.texts(ACME) == 0
