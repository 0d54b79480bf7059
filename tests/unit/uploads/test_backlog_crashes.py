"""No file of a backlog is lost or stored twice, whenever an invocation dies or another one comes in between.

With the drop-in function as it is, S3 and DynamoDB in memory, and a queue in virtual time. No sweeper runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.shared.tenancy import TenantId
from functions.uploads import turn_reader
from functions.uploads.backlog import Backlogs, WaitingFile
from functions.uploads.dropin import DropIn, answer_to
from functions.uploads.queue import DropQueue
from functions.uploads.turns import FairTurns
from functions.uploads.wake_ups import WakeUps
from tests.unit.uploads.timed_queue import TimedQueue
from tests.unit.uploads.world import ACME, GLOBEX, KilledError, World

LEASE_SECONDS = 311
STEPS = 300
FILES = {ACME: ["a1", "a2", "a3"], GLOBEX: ["g1", "g2"]}


@dataclass
class Machine:
    """The drop-in function on a queue; an environment that died is replaced by a new one."""

    here: World
    queue: TimedQueue
    environment: DropIn

    @property
    def now(self) -> float:
        return self.here.clock() + self.here.later

    def put(self, name: str, tenant: TenantId = ACME) -> None:
        self.queue.send(self.here.put(name, f"{name}\n".encode(), tenant))

    def invoke(self, environment: DropIn, most: int = 10) -> None:
        event = self.queue.receive(most)
        try:
            answer = answer_to(event, lambda: 300.0, environment)
        except KilledError:
            self.here.mortal.writes_left = None
            self.environment = self.here.drop_in
            return
        self.queue.settle(event, answer)

    def run(self) -> float:
        """Until no message is left; the seconds that took in virtual time."""
        began = self.here.later
        for _ in range(STEPS):
            if not self.queue.messages:
                return self.here.later - began
            self.here.later += max(0.0, self.queue.next_at() - self.now + 0.001)
            self.invoke(self.environment, 3)
        raise AssertionError(f"messages without end: {self.queue.messages}")

    def check(self, files: dict[TenantId, list[str]]) -> None:
        for tenant, names in files.items():
            assert sorted(self.here.messages(tenant)) == sorted(names)
            assert {each["state"] for each in self.here.statuses(tenant)} == {"done"}
            assert self.here.backlog(tenant) == []
            assert self.here.slots.has_free(tenant)


@pytest.fixture
def machine(here: World) -> Machine:
    here.slots_a_tenant = 1
    here.clock = lambda: 1_800_000_000.0
    queue = TimedQueue(lambda: here.clock() + here.later)
    here.sqs = queue  # type: ignore[assignment]
    return Machine(here, queue, here.drop_in)


def flood_and_die(machine: Machine, writes: int, *, after: bool) -> bool:
    """ACME's slot belongs to a dead process, its files come and go to the backlog; one more process dies.

    It dies at write number `writes`, or `after` it. False when there were not so many writes.
    """
    assert machine.here.slots.take(ACME, LEASE_SECONDS) is not None
    for pair in zip(FILES[ACME], FILES[GLOBEX], strict=False):
        for name, tenant in zip(pair, (ACME, GLOBEX), strict=True):
            machine.put(name, tenant)
    machine.put(FILES[ACME][-1])
    mortal = machine.here.mortal
    mortal.writes_left, mortal.writes, mortal.after = writes, 0, after
    machine.run()
    died, mortal.writes_left = mortal.writes_left is None, None
    return died


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_at_any_write_loses_and_doubles_no_file(machine: Machine, after: bool) -> None:
    writes = 0
    while flood_and_die(machine, writes, after=after):
        machine.check(FILES)
        writes += 1
        empty(machine)
    machine.check(FILES)
    assert writes > 30


def empty(machine: Machine) -> None:
    here = machine.here
    here.staging.delete([each.key for each in here.staging.under("")])
    for item in here.dynamodb.scan(TableName="uploads")["Items"]:
        key = {name: item[name] for name in ("tenant_id", "entry")}
        here.dynamodb.delete_item(TableName="uploads", Key=key)
    machine.environment = here.drop_in


def test_without_the_wake_up_of_an_expired_lease_files_stay_behind(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above notices it."""
    monkeypatch.setattr(WakeUps, "ensure", lambda *_arguments: None)
    flood_and_die(machine, 10_000, after=False)
    assert machine.here.backlog(ACME)
    with pytest.raises(AssertionError):
        machine.check(FILES)
    assert machine.here.messages(GLOBEX) == FILES[GLOBEX]


class Interrupted:
    """A client whose call number `at` is preceded by `interruption`, once; all calls are counted."""

    def __init__(self, real: Any, at: int, interruption: Callable[[], None]) -> None:
        self._real = real
        self._at = at
        self._interruption = interruption
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)

        def call(*arguments: Any, **more: Any) -> Any:
            self.calls += 1
            if self.calls - 1 == self._at:
                self._interruption()
            return found(*arguments, **more)

        return call


def interrupted(machine: Machine, at: int, act: Callable[[DropIn], None], by: Callable[[], None]) -> bool:
    """`act` with an environment that is interrupted before its request number `at` to DynamoDB."""
    real = machine.here.dynamodb
    client = Interrupted(real, at, by)
    machine.here.dynamodb = client
    environment = machine.here.drop_in
    machine.here.dynamodb = real
    act(environment)
    return client.calls > at


@pytest.mark.parametrize(("has_backlog", "is_sound"), [(False, True), (True, True), (False, False)])
def test_a_message_that_arrives_at_any_moment_of_a_turn_is_not_left_behind(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, has_backlog: bool, is_sound: bool
) -> None:
    """Nor does its file wait until a lease expires. Unsound: no look at the backlog after the release."""
    if not is_sound:
        monkeypatch.setattr(FairTurns, "hand_on", lambda *_arguments: None)
    at, is_reached, longest = 0, True, 0.0
    while is_reached:
        if has_backlog:
            held = machine.here.slots.take(ACME, LEASE_SECONDS)
            assert held
            machine.put("first")
            machine.invoke(machine.here.drop_in)
            machine.here.slots.release(held)
        machine.put("mine")
        machine.put("theirs", GLOBEX)

        def arrive() -> None:
            machine.put("late")
            machine.invoke(machine.here.drop_in)

        is_reached = interrupted(machine, at, machine.invoke, arrive)
        longest = max(longest, finish(machine))
        names = ["mine", *["first"] * has_backlog, *["late"] * is_reached]
        machine.check({ACME: names, GLOBEX: ["theirs"]})
        empty(machine)
        at += 1
    assert at > 12
    assert (longest < 20) == is_sound


@pytest.mark.parametrize("is_sound", [True, False])
def test_a_slot_that_is_released_at_any_moment_of_an_append_wakes_the_backlog(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, is_sound: bool
) -> None:
    """Unsound: no question for a free slot after the append. The file then waits until a lease expires."""
    if not is_sound:
        append = Backlogs.append

        def only_append(self: FairTurns[Any], tenant: TenantId, messages: Any, worker: Any) -> None:
            files = [WaitingFile(each, 1) for message in messages for each in message.files]
            append(self._backlogs, tenant, files)
            self._wake_ups.ensure(tenant, worker.lease_seconds())

        monkeypatch.setattr(FairTurns, "_append", only_append)
    at, is_reached, longest = 0, True, 0.0
    while is_reached:
        holder, slot = machine.here.drop_in, machine.here.slots.take(ACME, LEASE_SECONDS)
        assert slot

        def end_turn(holder: DropIn = holder, slot: Any = slot) -> None:
            machine.here.slots.release(slot)
            holder.turns.hand_on(ACME)

        machine.put("mine")
        is_reached = interrupted(machine, at, machine.invoke, end_turn)
        if not is_reached:
            end_turn()
        longest = max(longest, finish(machine))
        machine.check({ACME: ["mine"]})
        empty(machine)
        at += 1
    assert at > 4
    assert (longest < 20) == is_sound


def finish(machine: Machine) -> float:
    """Run until all is read; the virtual seconds until the last file was, without wake-ups for nothing."""
    began, read_at = machine.here.later, 0.0
    for _ in range(STEPS):
        if not machine.queue.messages:
            return read_at
        before = len(machine.here.messages())
        machine.here.later += max(0.0, machine.queue.next_at() - machine.now + 0.001)
        machine.invoke(machine.environment)
        if len(machine.here.messages()) > before:
            read_at = machine.here.later - began
    raise AssertionError("messages without end")


def test_a_backlog_costs_one_message_for_each_turn(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files it has, and whether its holder is alive or not."""
    monkeypatch.setattr(turn_reader, "MORE_SECONDS", 1_000.0)
    held = machine.here.slots.take(ACME, LEASE_SECONDS)
    assert held
    for number in range(60):
        machine.put(f"{number}")
    sent = machine.queue.sent
    while machine.queue.visible():
        machine.invoke(machine.environment)
    assert machine.queue.sent == sent + 1
    assert len(machine.queue.messages) == 1, "the wake-up"
    machine.run()
    machine.check({ACME: [str(number) for number in range(60)]})
    assert machine.queue.sent <= sent + 2 + 60 / 10 + 1


def test_an_appended_file_survives_an_outage_of_the_queue(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is deleted before a wake-up was published."""
    held = machine.here.slots.take(ACME, LEASE_SECONDS)
    assert held

    def fail(*_arguments: Any) -> None:
        raise KilledError

    machine.put("mine")
    with monkeypatch.context() as patch:
        patch.setattr(DropQueue, "wake", fail)
        machine.invoke(machine.environment)
    assert len(machine.queue.messages) == 1
    machine.here.slots.release(held)
    machine.run()
    machine.check({ACME: ["mine"]})
