"""Backlogs under generated schedules: no file is left behind, whatever dies, fails or comes in between.

Two accounts, three environments, slots with leases and a queue in virtual time. An action may run an
invocation that dies at any request, or is interrupted there by a whole invocation of another environment. A
slot may be held by an invocation that died.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.backlog import WaitingFile
from functions.uploads.drop_worker import NoSlot
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import notification_body, tenant_of
from functions.uploads.queue import DropQueue
from functions.uploads.turns import FairTurns
from functions.uploads.wake_ups import WakeUps
from tests.unit.uploads.memory_backlogs import MemoryBacklogs
from tests.unit.uploads.timed_queue import TimedQueue
from tests.unit.uploads.world import ACME, GLOBEX, KilledError

ENVIRONMENTS, SLOTS, LEASE_SECONDS = 3, 2, 310
LARGE, SMALL = 10**8, 100
STEPS = 2_000


@dataclass
class Fuse:
    """What happens before request number `at` of an invocation, once; after a death, no request is done."""

    at: int = -1
    act: Callable[[], None] = lambda: None
    requests: int = 0
    is_dead: bool = False

    def before_request(self) -> None:
        self.requests += 1
        if self.requests - 1 == self.at:
            try:
                self.act()
            except KilledError:
                self.is_dead = True
        if self.is_dead:
            raise KilledError


class Fused:
    """`real`, each of whose methods is a request of the current invocation of `environment`."""

    def __init__(self, real: Any, environment: "Environment") -> None:
        self._real = real
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name == "now":
            return found

        def call(*arguments: Any, **more: Any) -> Any:
            self._environment.fuse.before_request()
            return found(*arguments, **more)

        return call


@dataclass
class Shared:
    """What all environments share. `faults`: what happens to the next files that are read."""

    now: float = 1_000_000.0
    queue: TimedQueue = field(init=False)
    backlogs: MemoryBacklogs = field(init=False)
    slots: dict[TenantId, dict[int, tuple[float, int]]] = field(default_factory=dict)
    put: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    owners: Iterator[int] = field(default_factory=count)
    environments: list["Environment"] = field(init=False)

    def __post_init__(self) -> None:
        self.queue = TimedQueue(lambda: self.now)
        self.backlogs = MemoryBacklogs(lambda: self.now)
        self.environments = [Environment(self) for _ in range(ENVIRONMENTS)]

    def drop(self, tenant: TenantId, size: int) -> None:
        key = f"{dropin_prefix(tenant)}{len(self.put)}"
        self.put.append(key)
        self.queue.send(notification_body(DroppedFile("drop", key, "e", size), "tests"))

    def free_slots(self, tenant: TenantId) -> list[int]:
        leases = self.slots.setdefault(tenant, {})
        return [each for each in range(SLOTS) if leases.get(each, (0.0, 0))[0] < self.now]

    def settle(self) -> None:
        """Run invocations until no message is left."""
        self.faults.clear()
        for step in range(STEPS):
            if not self.queue.messages:
                return
            self.now = max(self.now, self.queue.next_at())
            self.environments[step % ENVIRONMENTS].invoke(Fuse())
        raise AssertionError(f"messages without end: {self.queue.messages}")


class Environment:
    """One execution environment; as the worker of an invocation, it has slots and reads files."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.fuse = Fuse()
        self.is_busy = False
        self.start()

    def start(self) -> None:
        """Begin with an empty memory."""
        backlogs: Any = Fused(self.shared.backlogs, self)
        queue = DropQueue("dropped", "tests", Fused(self.shared.queue, self))
        self.turns = FairTurns[tuple[TenantId, int, int]](queue, backlogs, 10, lambda: self.shared.now)

    def invoke(self, fuse: Fuse) -> None:
        if self.is_busy or not self.shared.queue.visible():
            return
        event = self.shared.queue.receive(4)
        self.is_busy, self.fuse = True, fuse
        try:
            answer = self.turns.answer_to(event, self)
        except KilledError:
            self.start()
        else:
            self.shared.queue.settle(event, answer)
        finally:
            self.is_busy = False

    def owner(self, file: DroppedFile) -> TenantId | None:
        return tenant_of(file.key)

    def lease_seconds(self) -> float:
        return LEASE_SECONDS

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        self.fuse.before_request()
        return None if self.shared.free_slots(tenant) else NoSlot()

    def take_slot(self, tenant: TenantId) -> tuple[TenantId, int, int] | NoSlot:
        if self.is_busy:
            self.fuse.before_request()
        for number in self.shared.free_slots(tenant):
            owner = next(self.shared.owners)
            self.shared.slots[tenant][number] = self.shared.now + LEASE_SECONDS, owner
            return tenant, number, owner
        return NoSlot()

    def reject(
        self,
        files: Sequence[WaitingFile],
        slot: tuple[TenantId, int, int],  # noqa: ARG002
    ) -> list[WaitingFile]:
        return list(files)

    def work(self, file: WaitingFile, slot: tuple[TenantId, int, int]) -> int | None:
        self.fuse.before_request()
        assert tenant_of(file.dropped.key) == slot[0]
        fault = self.shared.faults.pop() if self.shared.faults else ""
        if fault == "later":
            return 20
        if fault == "pending":
            raise UsagePendingError(60)
        self.shared.read.append(file.dropped.key)
        return None

    def release_slot(self, slot: tuple[TenantId, int, int]) -> None:
        with suppress(KilledError):
            self.fuse.before_request()
            tenant, number, owner = slot
            if self.shared.slots[tenant][number][1] == owner:
                self.shared.slots[tenant][number] = 0.0, owner


def die() -> None:
    raise KilledError


tenants = st.sampled_from([ACME, GLOBEX])
environments = st.integers(0, ENVIRONMENTS - 1)
requests = st.integers(0, 14)
drops = st.tuples(st.just("drop"), tenants, st.sampled_from([SMALL, LARGE]), st.integers(1, 6))
actions = st.one_of(
    drops,
    st.tuples(st.just("invoke"), environments),
    st.tuples(st.just("die"), environments, requests),
    st.tuples(st.just("interrupt"), environments, requests, environments),
    st.tuples(st.just("hold"), tenants),
    st.tuples(st.just("fault"), st.sampled_from(["later", "pending"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 70, 320, 2000])),
)


def act(shared: Shared, action: tuple[Any, ...]) -> None:
    match action:
        case ("drop", tenant, size, files):
            for _ in range(files):
                shared.drop(tenant, size)
        case ("invoke", number):
            shared.environments[number].invoke(Fuse())
        case ("die", number, at):
            shared.environments[number].invoke(Fuse(at, die))
        case ("interrupt", number, at, other):
            shared.environments[number].invoke(Fuse(at, lambda: shared.environments[other].invoke(Fuse())))
        case ("hold", tenant):
            shared.environments[0].take_slot(tenant)
        case ("fault", fault):
            shared.faults.append(fault)
        case ("wait", seconds):
            shared.now += seconds


def check(shared: Shared) -> None:
    shared.settle()
    assert set(shared.read) == set(shared.put)
    for tenant in (ACME, GLOBEX):
        assert shared.backlogs.look(tenant).batches == []


@settings(max_examples=500, deadline=None)
@given(st.lists(actions, max_size=60))
def test_every_file_is_read_under_any_schedule(schedule: list[tuple[Any, ...]]) -> None:
    shared = Shared()
    for action in schedule:
        act(shared, action)
    check(shared)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.just("drop"), tenants, st.sampled_from([SMALL, LARGE]), st.integers(1, 6)), max_size=20
    )
)
def test_each_file_is_read_once_and_costs_few_messages_when_nothing_fails(
    schedule: list[tuple[Any, ...]],
) -> None:
    shared = Shared()
    for action in schedule:
        act(shared, action)
    check(shared)
    assert sorted(shared.read) == sorted(shared.put)
    assert shared.queue.sent <= 3 * len(shared.put) + 2


def test_without_the_wake_up_of_an_expired_lease_a_schedule_leaves_files_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(WakeUps, "ensure", lambda *_arguments: None)
    shared = Shared()
    held = [("hold", ACME)] * SLOTS
    for action in (*held, ("drop", ACME, LARGE, 3), ("drop", GLOBEX, SMALL, 1), ("invoke", 1)):
        act(shared, action)
    with pytest.raises(AssertionError):
        check(shared)
    assert {tenant_of(each) for each in shared.put if each not in shared.read} == {ACME}
