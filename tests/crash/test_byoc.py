"""BYOC destinations side by side: each gets its own rows once, and a failure of one affects no other."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from threading import Barrier, Event, Lock, Thread
from typing import Any

import boto3
import pytest
from backports import zstd
from moto import mock_aws
from obstore.store import MemoryStore

from bench.children import child
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.byoc.health import SLOTS, HealthStore, Slot, SlotWait
from functions.shared.byoc.role_sessions import RoleClient, RoleRefusedError, RoleSession
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId, own_destination
from functions.shared.warehouse import Warehouse, WarehouseRefusedError
from functions.sync import byoc_schema
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.byoc import answer_to
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from local import transactions
from tests.aws_environment import set_aws_environment
from tests.crash.byoc_world import (
    ACME,
    EXPIRES_ON,
    GLOBEX,
    HEALTH,
    INSERT_TIMEOUT_SECONDS,
    PASSWORDS,
    Clouds,
    closed_port,
    hanging_server,
    record,
    refusing_server,
)
from tests.crash.world import create_ledger, row_of


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    directory: Path = tmp_path_factory.mktemp("clickhouse")
    users = {str(tenant): {"password": word, "database": "default"} for tenant, word in PASSWORDS.items()}
    users["acme-rotated"] = {"password": "rotated", "database": "default"}
    places = {"data": str(directory / "data"), "spool": str(directory / "spool")}
    with child("local.clickhouse", **places, users=users) as engine:
        yield engine.port


DATABASE_NOT_EMPTY = 219


@pytest.fixture
def clouds(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    transactions.install()
    monkeypatch.setattr(byoc_schema, "STATEMENT_TIMEOUT_SECONDS", 3)
    set_aws_environment(monkeypatch)
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        create_ledger(dynamodb)
        dynamodb.create_table(
            TableName=HEALTH,
            KeySchema=[{"AttributeName": "destination", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "destination", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        buckets = {}
        for tenant in (ACME, GLOBEX):
            s3.create_bucket(Bucket=f"theirs-{tenant}")
            buckets[tenant] = CustomerBucket(s3, f"theirs-{tenant}")
        here = Clouds(port, buckets)  # type: ignore[arg-type]
        yield here
        for tenant in (ACME, GLOBEX):
            _drop(here, tenant)


def _drop(here: Clouds, tenant: TenantId) -> None:
    """An abandoned thread may be making a table at this moment, and then the database is not empty."""
    owner = Warehouse(here.destination(tenant, database="default").warehouse, 10)
    for pause in (0.2, 0.5, 1, 2, 0):
        try:
            owner.command(f"DROP DATABASE IF EXISTS of_{tenant}")
            break
        except WarehouseRefusedError as fault:
            if fault.engine_code != DATABASE_NOT_EMPTY or not pause:
                raise
            time.sleep(pause)
    owner.close()


def test_each_gets_its_own_rows_once_in_tables_made_on_first_use(clouds: Clouds) -> None:
    acme, globex = clouds.stage(ACME, 4), clouds.stage(GLOBEX, 3)
    assert clouds.deliver((ACME, acme), (GLOBEX, globex)) == set()
    assert clouds.deliver((ACME, acme + acme), (GLOBEX, globex)) == set(), "once more"
    for tenant, other in ((ACME, GLOBEX), (GLOBEX, ACME)):
        assert clouds.stored(tenant) == clouds.expected[tenant]
        assert clouds.stored(tenant, database_of=other) == Counter()
        assert list(clouds.buckets[tenant].under("staged/")) == []


def test_managed_tenants_share_the_ledger_and_nothing_else(clouds: Clouds) -> None:
    """One of each kind of destination, and one whose tenant has the same objects under both."""
    ours, managed = PlatformBucket(MemoryStore()), TenantId("managed-one")
    key = str(StagedKey(managed, date(2029, 12, 2), time_ordered_id(), 1, 300, EXPIRES_ON))
    body = zstd.compress(row_of(managed, "managed line"), 1)
    staged = StagedObject(key, ours.create(key, body) or "", len(body))
    address = clouds.destination(ACME, database="ours").warehouse
    Schema(address, "MergeTree").bring_up_to_date(migrations())
    warehouse = Warehouse(address, 10)
    settler = Settler(
        clouds.ledger, BatchProcessor(clouds.ledger, StagingBucket(ours), EventsTable(warehouse))
    )
    acme, globex = clouds.stage(ACME, 2), clouds.stage(GLOBEX, 2)

    assert settler.settle([staged], Deadline(lambda: 60.0, 30.0)) == {key}
    assert clouds.deliver((ACME, acme), (GLOBEX, globex)) == set()
    rows = warehouse.select("SELECT tenant_id, message FROM events").rows
    assert rows == [{"tenant_id": "managed-one", "message": "managed line"}]
    for tenant in (ACME, GLOBEX):
        assert clouds.stored(tenant) == clouds.expected[tenant]
        assert clouds.stored(managed, database_of=tenant) == Counter()
    claims = clouds.ledger.claims([key, acme[0].key, globex[0].key])
    destinations = {clouds.ledger.batch(each).manifest.destination for each in claims.values()}
    assert destinations == {"managed", "byoc:acme", "byoc:globex"}
    warehouse.command("DROP DATABASE ours")
    warehouse.close()


def test_nothing_of_what_is_loaded_rests_or_shows_on_our_side(
    clouds: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the ledger, in the table of health, in the journal: loaded, rejected by ClickHouse, quarantined."""
    canary = "canary-71c3"
    acme, poisoned = clouds.stage(ACME, 2, canary), poison(clouds, canary)
    held_up = clouds.stage(GLOBEX, 1, canary)
    clouds.destinations.stored[GLOBEX] = clouds.destination(GLOBEX, password=SecretText("canary-password"))
    assert clouds.deliver((ACME, [*acme, poisoned]), (GLOBEX, held_up)) == {"globex"}
    assert clouds.stored(ACME) == clouds.expected[ACME]
    assert [each.key for each in clouds.buckets[ACME].under("quarantine/")], "it rests in their own bucket"
    dynamodb = boto3.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        items = dynamodb.scan(TableName=table)["Items"]
        assert items
        assert "canary" not in str(items)
    output = capsys.readouterr()
    assert "canary" not in output.out + output.err


def poison(clouds: Clouds, mark: str) -> StagedObject:
    """An object with a row that no table takes."""
    row = row_of(ACME, f"poison {mark}").replace(b"2029-12-02T10:00:00.000000001Z", b"no time at all")
    key = str(StagedKey(ACME, date(2029, 12, 2), time_ordered_id(), 1, 300, EXPIRES_ON))
    body = zstd.compress(row, 1)
    return StagedObject(key, clouds.buckets[ACME].create(key, body) or "", len(body))


def test_a_message_that_names_another_tenants_object_is_not_followed(clouds: Clouds) -> None:
    theirs = clouds.stage(GLOBEX, 1)
    assert clouds.deliver((ACME, theirs)) == {"acme"}
    assert len(list(clouds.buckets[GLOBEX].under("staged/"))) == 1


def test_an_unreadable_message_is_redelivered_and_delays_no_other(clouds: Clouds) -> None:
    acme = clouds.stage(ACME, 1)
    answer = answer_to({"Records": [record("bad", "not json")]}, lambda: 20.0, clouds.sync)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["bad"]
    assert clouds.deliver((ACME, acme)) == set()


def broken(clouds: Clouds, how: str, stack: ExitStack) -> None:
    """Break acme's cloud until the stack ends."""
    match how:
        case "connection refused":
            changes: dict[str, Any] = {"port": closed_port()}
        case "hangs":
            changes = {"port": stack.enter_context(hanging_server())[0]}
        case "wrong password":
            changes = {"password": SecretText("wrong")}
        case "too many parts":
            changes = {"port": stack.enter_context(refusing_server(252))[0]}
        case "role refused":
            changes = {}
            opened: Any = clouds.buckets[ACME]
            stack.callback(partial(setattr, opened, "_client", opened._client))
            opened._client = RoleClient(_refused_role, lambda key: key)
        case _:
            changes = {}
            bucket: Any = clouds.buckets[ACME]

            def refuse(*_: Any) -> Any:
                raise BucketUnavailableError("down")

            bucket.get = refuse
            stack.callback(lambda: vars(bucket).pop("get"))
    clouds.destinations.stored[ACME] = clouds.destination(ACME, **changes)
    clouds.destinations.evict(ACME)


def _refused_role() -> RoleSession:
    raise RoleRefusedError("AccessDenied")


BREAKAGES = {
    "connection refused": "unreachable",
    "hangs": "no_answer",
    "wrong password": "refused_credentials",
    "too many parts": "busy",
    "bucket down": "bucket_unreachable",
    "role refused": "role_refused",
}


@pytest.mark.parametrize("how", BREAKAGES)
def test_one_broken_destination_delays_no_other_and_recovers_by_itself(
    clouds: Clouds, how: str, capsys: Any
) -> None:
    assert clouds.deliver((ACME, clouds.stage(ACME, 1)), (GLOBEX, clouds.stage(GLOBEX, 1))) == set()
    acme = clouds.stage(ACME, 3, "held up")
    with ExitStack() as stack:
        broken(clouds, how, stack)
        pauses, taken, quiet = [], [], []
        for round_number in range(5):
            quiet.append(_seconds_to_load(clouds))
            globex = clouds.stage(GLOBEX, 2, f"round {round_number}")
            assert clouds.deliver((ACME, acme), (GLOBEX, globex), receives=round_number + 1) == {"acme"}
            taken.append(clouds.sync.seconds_taken[GLOBEX])
            condition = clouds.health.of(own_destination(ACME))
            assert (condition.failures, condition.reason) == (round_number + 1, BREAKAGES[how])
            pauses.append(clouds.queue.pauses["acme"])
            clouds.now = condition.resume_at + 60
        assert pauses[-1] > pauses[0]
        assert pauses[-1] >= 16
    clouds.destinations.stored[ACME] = clouds.destination(ACME)
    assert clouds.deliver((ACME, acme)) == set(), "it heals when it is tried the next time"
    assert clouds.health.of(own_destination(ACME)).failures == 0
    for tenant in (ACME, GLOBEX):
        assert clouds.stored(tenant) == clouds.expected[tenant]
    # Each round tries the broken destination, so an outage that is felt is felt in most of them. Just before,
    # as many rows are loaded alone: what else the machine does delays both.
    alone = median(quiet)
    assert median(taken) <= max(5 * alone, 1.5), "another's outage was felt"
    with capsys.disabled():
        print(
            f"\n{how}: alone {alone * 1000:.0f} ms, beside it {max(taken) * 1000:.0f} ms, pauses {pauses} s"
        )


def _seconds_to_load(clouds: Clouds) -> float:
    clouds.deliver((GLOBEX, clouds.stage(GLOBEX, 2, "alone")))
    return clouds.sync.seconds_taken[GLOBEX]


def test_an_open_circuit_means_no_connection_and_messages_that_wait_for_it(clouds: Clouds) -> None:
    acme = clouds.stage(ACME, 1)
    with refusing_server(252) as (port, asked):
        clouds.destinations.stored[ACME] = clouds.destination(ACME, port=port)
        clouds.deliver((ACME, acme))
        first = len(asked)
        assert first > 0
        assert clouds.deliver((ACME, acme), sync=clouds.process()) == {"acme"}
        assert len(asked) == first
        until = clouds.health.of(own_destination(ACME)).resume_at - clouds.now
        assert until <= clouds.queue.pauses["acme"] <= until + 7


def test_in_an_outage_messages_are_let_go_and_the_bucket_keeps_the_logs(clouds: Clouds) -> None:
    acme = clouds.stage(ACME, 2)
    clouds.destinations.stored[ACME] = clouds.destination(ACME, port=closed_port())
    assert clouds.deliver((ACME, acme)) == {"acme"}
    clouds.now += 301
    assert clouds.deliver((ACME, acme)) == set(), "let go after an attempt that failed"
    assert clouds.deliver((ACME, acme)) == set(), "and without one"
    assert len(list(clouds.buckets[ACME].under("staged/"))) == 2

    clouds.destinations.stored[ACME] = clouds.destination(ACME)
    clouds.now += 901
    assert clouds.deliver((ACME, acme)) == set(), "as the sweeper reports"
    assert clouds.stored(ACME) == clouds.expected[ACME]


def test_credentials_that_are_rotated_on_the_way_lose_and_double_nothing(clouds: Clouds) -> None:
    first, second = clouds.stage(ACME, 3, "before"), clouds.stage(ACME, 3, "after")
    assert clouds.deliver((ACME, first)) == set()
    warehouse = clouds.sync.clouds._byoc_clients.warehouse(ACME, INSERT_TIMEOUT_SECONDS)
    warehouse.close()
    warehouse._address = clouds.destination(ACME, password=SecretText("no longer good")).warehouse
    clouds.destinations.stored[ACME] = clouds.destination(
        ACME, user="acme-rotated", password=SecretText("rotated")
    )
    assert clouds.deliver((ACME, [*first, *second])) == {"acme"}
    assert clouds.health.of(own_destination(ACME)).reason == "refused_credentials"
    clouds.now += 120
    assert clouds.deliver((ACME, [*first, *second])) == set()
    assert clouds.stored(ACME) == clouds.expected[ACME]


def test_a_table_that_was_dropped_is_made_again(clouds: Clouds) -> None:
    assert clouds.deliver((ACME, clouds.stage(ACME, 1)), (GLOBEX, clouds.stage(GLOBEX, 1))) == set()
    owner = Warehouse(clouds.destination(ACME).warehouse, 10)
    owner.command("DROP TABLE events SYNC")
    owner.close()
    clouds.expected[ACME].clear()
    acme = clouds.stage(ACME, 2, "anew")
    assert clouds.deliver((ACME, acme)) == {"acme"}
    assert clouds.health.of(own_destination(ACME)).reason == "table_missing"
    clouds.now += 120
    assert clouds.deliver((ACME, acme)) == set()
    for tenant in (ACME, GLOBEX):
        assert clouds.stored(tenant) == clouds.expected[tenant]


def test_a_cloud_that_hangs_does_not_make_the_invocation_late(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight seconds three are for putting messages back; the thread that hangs would take twenty."""
    monkeypatch.setattr(byoc_schema, "STATEMENT_TIMEOUT_SECONDS", 20)
    clouds.deliver((GLOBEX, clouds.stage(GLOBEX, 1)))
    acme, globex = clouds.stage(ACME, 1), clouds.stage(GLOBEX, 1)
    with hanging_server() as (port, _held):
        clouds.destinations.stored[ACME] = clouds.destination(ACME, port=port)
        clouds.sync.a_batch_seconds = 0.5
        began = time.monotonic()
        assert clouds.deliver((ACME, acme), (GLOBEX, globex), seconds=8) == {"acme"}
        assert time.monotonic() - began < 15
        condition = clouds.health.of(own_destination(ACME))
        assert (condition.failures, condition.reason) == (1, "no_answer")
        assert condition.slots_until[0] > clouds.now, "its thread may be at it still"
    assert clouds.stored(GLOBEX) == clouds.expected[GLOBEX]


def test_a_key_service_that_hangs_is_not_recorded_as_an_outage_of_a_customer(clouds: Clouds) -> None:
    clouds.deliver((GLOBEX, clouds.stage(GLOBEX, 1)))
    acme, globex = clouds.stage(ACME, 1), clouds.stage(GLOBEX, 1)
    real, asked = clouds.destinations.get, Event()

    def get(tenant: TenantId) -> Any:
        if tenant == ACME:
            asked.wait(20)
        return real(tenant)

    clouds.destinations.get = get  # type: ignore[method-assign]
    clouds.sync.a_batch_seconds = 0.5
    assert clouds.deliver((ACME, acme), (GLOBEX, globex), seconds=8) == {"acme"}
    asked.set()
    assert clouds.health.of(own_destination(ACME)).failures == 0
    assert clouds.stored(GLOBEX) == clouds.expected[GLOBEX]


def one_at_a_time(health: HealthStore) -> None:
    """Conditional writes as DynamoDB takes them: moto's, in this process, are no match for threads."""
    lock, update = Lock(), health._items._update

    def locked(*arguments: Any, **condition: Any) -> bool:
        with lock:
            return update(*arguments, **condition)

    health._items._update = locked  # type: ignore[method-assign]


def test_at_most_two_work_on_a_cloud_at_a_time(clouds: Clouds) -> None:
    name, together, got = own_destination(ACME), Barrier(6), []
    one_at_a_time(clouds.health)

    def take(number: int) -> None:
        together.wait()
        got.append(clouds.health.take(name, str(number), 60))

    threads = [Thread(target=take, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    slots = [each for each in got if isinstance(each, Slot)]
    assert len(slots) == SLOTS
    assert len({each.number for each in slots}) == SLOTS
    assert isinstance(clouds.health.take(own_destination(GLOBEX), "g", 60), Slot), "another's are its own"

    clouds.health.release(slots[0])
    assert isinstance(clouds.health.take(name, "next", 60), Slot)
    assert isinstance(clouds.health.take(name, "too many", 60), SlotWait)
    clouds.now += 61
    assert isinstance(clouds.health.take(name, "after the lease", 60), Slot)
