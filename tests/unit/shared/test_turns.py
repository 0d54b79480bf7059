"""Tenants share a run by their last turns; a run that dies costs one tenant its place in the order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.transaction import write_all
from functions.shared.tenancy import TenantId
from functions.shared.turn_log import FORGET_DAYS, DynamoTurnLog
from functions.shared.turns import TurnClock, fair_order, interleaved, rotated, take_turns
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.unit.shared.serial import SerialClient
from tests.unit.shared.turns import Turns

ACME, GLOBEX, INITECH = TenantId("acme"), TenantId("globex"), TenantId("initech")
NOON = 1_800_000_000.0


class DiedError(BaseException):
    """The process is gone: out of memory, or out of time."""


def test_the_longest_ago_comes_first_and_a_new_one_waits_its_time() -> None:
    waiting = {ACME: NOON, GLOBEX: NOON + 10, INITECH: NOON + 20}
    assert fair_order(waiting, {}) == [ACME, GLOBEX, INITECH]
    assert fair_order(waiting, {ACME: NOON + 15}) == [GLOBEX, ACME, INITECH]
    assert fair_order(waiting, {ACME: NOON + 15, GLOBEX: NOON - 900}) == [GLOBEX, ACME, INITECH]


@given(st.sets(st.integers(0, 30), min_size=1), st.lists(st.integers(0, 30), max_size=40))
def test_everyone_has_a_turn_before_anyone_has_a_second(numbers: set[int], newcomers: list[int]) -> None:
    """One turn a run, and a new tenant with each: none is passed for longer than those before it take."""
    clock, turns = NOON, Turns(lambda: clock)
    waiting = {TenantId(f"t-{number}"): NOON for number in numbers}
    first = list(waiting)
    for number in [*newcomers, *range(len(first))]:
        order = fair_order(waiting, turns.last(waiting))
        clock += 1
        turns.begin(order[0])
        waiting.setdefault(TenantId(f"t-new-{number}"), clock)
    assert set(turns.begun[: len(first)]) == set(first)


def test_a_run_that_dies_in_a_turn_leaves_that_tenant_behind_all_others() -> None:
    turns, done = Turns(), list[TenantId]()
    waiting = {ACME: NOON, GLOBEX: NOON + 1, INITECH: NOON + 2}

    def work(tenant: TenantId, _turn: int) -> None:
        if tenant == ACME:
            raise DiedError
        done.append(tenant)

    for _ in range(2):
        with pytest.raises(DiedError):
            take_turns(waiting, turns, TurnClock(lambda: 300.0), 60, work)
    assert turns.begun == [ACME, GLOBEX, INITECH, ACME]
    assert done == [GLOBEX, INITECH]


def test_a_turn_has_its_length_and_none_begins_that_does_not_fit() -> None:
    now, turns = 0.0, Turns()
    clock, left = TurnClock(lambda: 300.0 - now, lambda: now), list[float]()

    def work(_tenant: TenantId, _turn: int) -> None:
        nonlocal now
        left.append(clock())
        now += 120

    unreached = take_turns({ACME: 0.0, GLOBEX: 1.0, INITECH: 2.0}, turns, clock, 100, work)
    assert (left, unreached) == ([100.0, 100.0], [INITECH])
    assert clock() == 60.0, "outside of a turn it is the run's time"
    now = 290.0
    assert take_turns({ACME: 0.0}, Turns(), clock, 100, work) == [], "one begins in any case"
    assert left[-1] == 10.0


def test_each_thing_of_a_tenant_is_first_in_one_of_its_turns() -> None:
    assert [rotated("abc", by)[0] for by in range(6)] == [*"abcabc"]
    assert rotated([], 3) == []


def test_a_million_of_one_do_not_hide_three_of_another() -> None:
    mixed = list(interleaved([range(1000), "abc"]))
    assert [mixed.index(each) for each in "abc"] == [1, 3, 5]
    assert len(mixed) == 1003


@pytest.fixture
def client() -> Iterator[Any]:
    transactions.install()
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        made.create_table(**definition(table("turns"), "turns"))
        yield made


def test_turns_are_of_a_function_and_a_tenant_and_name_neither(client: Any) -> None:
    now = NOON
    log, other = (DynamoTurnLog("turns", name, client, lambda: now) for name in ("eraser", "exporter"))
    many = [TenantId(f"t-{number}") for number in range(120)]
    assert [log.begin(ACME), log.begin(ACME), log.begin(GLOBEX)] == [1, 2, 1]
    now += 60.5
    assert log.begin(many[-1]) == 1
    assert log.last([*many, ACME, INITECH]) == {ACME: NOON, many[-1]: NOON + 60.5}
    assert other.last([ACME, GLOBEX]) == {}
    items = client.scan(TableName="turns")["Items"]
    assert "acme" not in repr(items)
    assert {item["forget_at"]["N"] for item in items} == {
        str(int(at) + FORGET_DAYS * 86_400) for at in (NOON, now)
    }


@pytest.mark.parametrize("room", [1, 3])
def test_of_all_that_take_the_next_turn_at_once_as_many_do_as_there_is_room_for(
    client: Any, room: int
) -> None:
    serial: Any = SerialClient(client)
    log = DynamoTurnLog("turns", f"requests-{room}", serial)
    for number in range(0, 3 * room, room):
        assert log.number(ACME) == number
        turn = log.next(ACME, number, room)

        def take(_: int, turn: Any = turn) -> bool:
            try:
                write_all(serial, [turn])
            except ConditionFailedError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(take, range(8))) == room
    assert log.number(GLOBEX) == 0


def test_turns_that_were_deleted_meanwhile_are_no_room(client: Any) -> None:
    """They are deleted after a week: the number that was read is of another count then."""
    log = DynamoTurnLog("turns", "deleted", client)
    for _ in range(5):
        log.begin(ACME)
    turn = log.next(ACME, 5, 10)
    for item in client.scan(TableName="turns")["Items"]:
        client.delete_item(TableName="turns", Key={"turn": item["turn"]})
    log.begin(GLOBEX)
    log.begin(ACME)
    with pytest.raises(ConditionFailedError):
        write_all(client, [turn])
