"""What cannot be loaded as it is: refused rows, broken batches, vanished objects; on the real engine."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from backports import zstd

from functions.quarantine.documents import QuarantineStore
from functions.quarantine.handler import answer_to
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from tests.crash.faults import Crash, Trap, TrappedLedger, TrappedLoader, TrappedStaged
from tests.crash.world import EXPIRES_ON, World, later, listed, row_of

TIME = Deadline(lambda: 60.0, 30.0)
NOW = datetime(2029, 12, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_time(here: World) -> None:
    later(here, days=1)


def settler(here: World, trap: Trap | None = None) -> Settler:
    trap = trap or Trap(None)
    ledger = TrappedLedger(here.ledger, trap)
    return Settler(
        ledger, BatchProcessor(ledger, TrappedStaged(here.bucket, trap), TrappedLoader(here.warehouse, trap))
    )


def put(here: World, tenant: str, rows: list[bytes], count: int | None = None) -> StagedObject:
    key = str(StagedKey(TenantId(tenant), EXPIRES_ON, time_ordered_id(), count or len(rows), 300, EXPIRES_ON))
    body = zstd.compress(b"".join(rows), 1)
    return StagedObject(key, here.bucket.create(key, body) or "", len(body))


def rows(tenant: str, count: int, start: int = 0) -> list[bytes]:
    return [row_of(TenantId(tenant), f"line {number}") for number in range(start, start + count)]


def poison(tenant: str) -> bytes:
    return row_of(TenantId(tenant), "poison").replace(b"2029-12-02T10:00:00.000000001Z", b"no time at all")


def stored(here: World, tenant: str) -> int:
    result = here.warehouse.select(
        "SELECT count() AS rows, uniqExact(message) AS lines FROM events WHERE tenant_id = {tenant:String}",
        {"tenant": tenant},
    ).rows[0]
    assert int(result["rows"]) == int(result["lines"]), "doubled"
    return int(result["rows"])


def ask(here: World, tenant: str, route: str, now: datetime = NOW, **path: str) -> tuple[int, Any]:
    caller = {
        "verdict": "ok",
        "tenant_id": tenant,
        "key_id": "k",
        "project_id": "p",
        "scopes": "admin",
        "retention_days": "30",
        "bytes_per_second": "1",
        "actor": "key:key_1",
        "plan": "managed_30",
        "refusal": "",
    }
    event = {
        "routeKey": route,
        "pathParameters": path,
        "requestContext": {"requestId": "r", "authorizer": {"lambda": caller}},
    }
    try:
        response = answer_to(event, QuarantineStore(here.bucket), now)
    except Exception as refusal:  # noqa: BLE001 - a refusal is an answer here
        return getattr(refusal, "status", 0), getattr(refusal, "code", str(refusal))
    return response["statusCode"], json.loads(response["body"])


def test_one_poison_row_in_a_hundred_thousand_is_quarantined_alone(here: World) -> None:
    tenant, other = "poisoned", "bystander"
    bad = [*rows(tenant, 600), poison(tenant), *rows(tenant, 399, 600)]
    objects = [put(here, tenant, bad)]
    objects += [put(here, tenant, rows(tenant, 1000, 1000 * number)) for number in range(1, 50)]
    objects += [put(here, other, rows(other, 1000, 1000 * number)) for number in range(50)]
    settled = settler(here).settle(objects, TIME)
    assert settled == {each.key for each in objects}
    assert (stored(here, tenant), stored(here, other)) == (49_999, 50_000)

    status, listed = ask(here, tenant, "GET /v1/quarantine")
    (document,) = listed["documents"]
    assert status == 200
    assert (document["rows"], document["positions"]) == (1, [600])
    assert document["source"] == objects[0].key
    assert document["engine_code"] > 0
    assert "poison" in document["sample"][0]
    assert ask(here, other, "GET /v1/quarantine")[1] == {"documents": [], "unreadable": []}


def test_a_replay_loads_what_can_be_loaded_by_now_and_only_once(here: World) -> None:
    tenant = "mended"
    first = put(here, tenant, [*rows(tenant, 3), poison(tenant)])
    assert settler(here).settle([first], TIME) == {first.key}
    document_id = ask(here, tenant, "GET /v1/quarantine")[1]["documents"][0]["id"]
    document = QuarantineStore(here.bucket).read(TenantId(tenant), document_id)
    document.rows[0] = row_of(TenantId(tenant), "mended")

    QuarantineStore(here.bucket).replay(TenantId(tenant), document, NOW.date())
    (again,) = listed(here, tenant)
    assert settler(here).settle([again], TIME) == {again.key}
    QuarantineStore(here.bucket).replay(TenantId(tenant), document, NOW.date())
    (twice,) = listed(here, tenant)
    assert settler(here).settle([twice], TIME) == {twice.key}
    assert stored(here, tenant) == 4
    assert listed(here, tenant) == []


def test_good_rows_and_replayed_ones_keep_their_identity(here: World) -> None:
    """Whatever objects they are in by then; the same of another tenant's object, in the same batch."""
    tenants = ("identified", "identified-too")
    objects = []
    for tenant in tenants:
        some = [*rows(tenant, 3), poison(tenant), *rows(tenant, 2, 3)]
        objects.append(put(here, tenant, identified(some)))
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    for tenant in tenants:
        assert places(here, tenant) == {f"line {n}": n + (n >= 3) for n in range(5)}
        document_id = ask(here, tenant, "GET /v1/quarantine")[1]["documents"][0]["id"]
        document = QuarantineStore(here.bucket).read(TenantId(tenant), document_id)
        document.rows[0] = document.rows[0].replace(b"no time at all", b"2029-12-02T10:00:00.000000001Z")
        QuarantineStore(here.bucket).replay(TenantId(tenant), document, NOW.date())
        (again,) = listed(here, tenant)
        assert settler(here).settle([again], TIME) == {again.key}
        assert places(here, tenant)["poison"] == 3
        assert len(places(here, tenant)) == 6


OBJECT_ID = time_ordered_id()


def identified(some: list[bytes]) -> list[bytes]:
    """`some` as the rows of one object."""
    return [
        json.dumps({**json.loads(row), "object_id": OBJECT_ID, "position": position}).encode() + b"\n"
        for position, row in enumerate(some)
    ]


def places(here: World, tenant: str) -> dict[str, int]:
    """The position of each stored row, all of which have that object's id."""
    result = here.warehouse.select(
        "SELECT message, object_id, position FROM events WHERE tenant_id = {tenant:String}",
        {"tenant": tenant},
    ).rows
    assert {row["object_id"] for row in result} == {OBJECT_ID}
    return {row["message"]: row["position"] for row in result}


def test_a_replay_through_the_api_and_what_it_refuses(here: World) -> None:
    tenant = "replayer"
    first = put(here, tenant, [poison(tenant)])
    assert settler(here).settle([first], TIME) == {first.key}
    document_id = ask(here, tenant, "GET /v1/quarantine")[1]["documents"][0]["id"]
    route = "POST /v1/quarantine/{id}/replay"
    assert ask(here, "somebody-else", route, id=document_id) == (404, "not_found")
    assert ask(here, tenant, route, id="../x") == (404, "not_found")
    assert ask(here, tenant, route, now=datetime(2030, 1, 2, tzinfo=UTC), id=document_id) == (409, "expired")
    assert ask(here, tenant, route, id=document_id) == (202, {"status": "replayed", "rows": 1})
    assert ask(here, tenant, route, id=document_id) == (404, "not_found")


def test_an_unreadable_object_is_quarantined_whole(here: World) -> None:
    tenant = "garbled"
    key = str(StagedKey(TenantId(tenant), EXPIRES_ON, time_ordered_id(), 5, 300, EXPIRES_ON))
    bad = StagedObject(key, here.bucket.create(key, b"this is no zstd") or "", 15)
    good = put(here, tenant, rows(tenant, 7))
    assert settler(here).settle([bad, good], TIME) == {bad.key, good.key}
    assert stored(here, tenant) == 7
    assert ask(here, tenant, "GET /v1/quarantine")[1]["documents"][0]["source"] == key


@pytest.mark.parametrize(
    "point", ["lease", "fetch", "before insert", "before done", "after done", "after deletes"]
)
def test_quarantining_survives_a_crash_anywhere(here: World, point: str) -> None:
    tenant = f"crash-{point.replace(' ', '-')}"
    objects = [put(here, tenant, rows(tenant, 5, 5 * number)) for number in range(4)]
    objects.append(put(here, tenant, [poison(tenant), *rows(tenant, 5, 100)]))
    with pytest.raises(Crash):
        settler(here, Trap(point)).settle(objects, TIME)
    for _ in range(4):
        later(here, seconds=91)
        settled = settler(here).settle(objects + listed(here, tenant), TIME)
    assert settled >= {each.key for each in objects}
    assert stored(here, tenant) == 25
    assert len(ask(here, tenant, "GET /v1/quarantine")[1]["documents"]) == 1
    assert listed(here, tenant) == []


def test_a_batch_with_some_of_its_rows_is_erased_and_loaded_anew(here: World) -> None:
    tenant, other = "broken", "unharmed"
    objects = [put(here, tenant, rows(tenant, 10)), put(here, other, rows(other, 10))]
    with pytest.raises(Crash):
        settler(here, Trap("before insert")).settle(objects, TIME)
    ledger = here.ledger
    (batch_id,) = set(ledger.claims(each.key for each in objects).values())
    batch = ledger.batch(batch_id)
    some = zstd.compress(b"".join(rows(tenant, 4)), 1)
    EventsTable(here.warehouse).insert(batch, some)
    assert stored(here, tenant) == 4

    later(here, seconds=91)
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    assert (stored(here, tenant), stored(here, other)) == (10, 10)


def test_a_batch_whose_token_outlived_its_rows_is_loaded_under_another_name(here: World) -> None:
    """As in a MergeTree that died once it had noted the token: it takes the insert, and keeps no row."""
    tenant, other = "forgotten", "remembered"
    objects = [put(here, tenant, rows(tenant, 10)), put(here, other, rows(other, 10))]
    with pytest.raises(Crash):
        settler(here, Trap("before done")).settle(objects, TIME)
    (batch_id,) = set(here.ledger.claims(each.key for each in objects).values())
    assert (stored(here, tenant), stored(here, other)) == (10, 10)
    EventsTable(here.warehouse).erase(here.ledger.batch(batch_id))
    assert (stored(here, tenant), stored(here, other)) == (0, 0)

    later(here, seconds=91)
    with pytest.raises(Crash):
        settler(here, Trap("before done")).settle(objects, TIME)
    later(here, seconds=91)
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    assert (stored(here, tenant), stored(here, other)) == (10, 10)
    assert listed(here, tenant) == listed(here, other) == []


def test_objects_that_vanish_after_the_first_insert_began_do_not_delay_the_others(here: World) -> None:
    tenant, other = "vanished", "remains"
    objects = [put(here, tenant, rows(tenant, 3)), put(here, other, rows(other, 3))]
    with pytest.raises(Crash):
        settler(here, Trap("before insert")).settle(objects, TIME)
    here.bucket.delete([objects[0].key])
    later(here, seconds=91)
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    assert (stored(here, tenant), stored(here, other)) == (0, 3)


def test_an_error_of_the_table_quarantines_nothing(here: World) -> None:
    tenant = "innocent"
    here.warehouse.command("RENAME TABLE events TO events_hidden")
    try:
        first = put(here, tenant, rows(tenant, 3))
        assert settler(here).settle([first], TIME) == set()
        assert ask(here, tenant, "GET /v1/quarantine")[1] == {"documents": [], "unreadable": []}
    finally:
        here.warehouse.command("RENAME TABLE events_hidden TO events")
    later(here, seconds=91)
    assert settler(here).settle([first], TIME) == {first.key}
    assert stored(here, tenant) == 3


def test_more_objects_than_a_transaction_takes_are_one_batch(here: World) -> None:
    tenant = "crowd"
    objects = [put(here, tenant, rows(tenant, 1, number)) for number in range(250)]
    with pytest.raises(Crash):
        settler(here, Trap("before insert")).settle(objects[:150], TIME)
    later(here, seconds=91)
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    claims = here.ledger.claims(each.key for each in objects)
    assert len(set(claims.values())) == 2
    assert stored(here, tenant) == 250


def test_a_half_written_batch_is_completed_by_the_next_process(here: World) -> None:
    """The planner dies after half of its claims; others have claimed some of the rest by then."""
    tenant = "half"
    objects = [put(here, tenant, rows(tenant, 1, number)) for number in range(220)]
    ledger = TrappedLedger(here.ledger, Trap("half the claims"))
    with pytest.raises(Crash):
        Settler(
            ledger, BatchProcessor(ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
        ).settle(objects, TIME)
    assert len(here.ledger.claims(each.key for each in objects)) == 110
    assert settler(here).settle(objects[150:], TIME) == {each.key for each in objects[150:]}
    assert settler(here).settle(objects, TIME) == {each.key for each in objects[110:]}
    later(here, seconds=91)
    assert settler(here).settle(objects, TIME) == {each.key for each in objects}
    assert stored(here, tenant) == 220
