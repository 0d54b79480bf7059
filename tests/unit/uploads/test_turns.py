"""Invocations are shared among accounts: a flood of one's files holds up no file of another."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.backlog import WaitingFile
from functions.uploads.drop_worker import NoSlot
from functions.uploads.dropin import answer_to
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import notification_body, tenant_of, wake_up_body
from functions.uploads.queue import DropQueue
from functions.uploads.turns import FairTurns
from tests.unit.uploads.memory_backlogs import MemoryBacklogs
from tests.unit.uploads.world import ACME, GLOBEX, Sqs, World, sqs_batch


def body(tenant: str, name: str, size: int = 100, receives: int = 0) -> str:
    file = DroppedFile("drop", dropin_prefix(TenantId(tenant)) + name, "e", size)
    return notification_body(file, "tests", receives)


def names(files: Iterable[WaitingFile]) -> list[str]:
    return [each.dropped.key.rpartition("/")[2] for each in files]


@dataclass
class RecordingWorker:
    """A worker whose accounts have so many slots; it notes the order of what happens."""

    sqs: Sqs
    free: Counter[str]
    happened: list[str] = field(default_factory=list)
    fault: Exception | None = None
    keeps_slots: bool = False
    asked: int = 0
    pause: int | None = None
    rejected: frozenset[str] = frozenset()

    def owner(self, file: DroppedFile) -> TenantId | None:
        return tenant_of(file.key)

    def lease_seconds(self) -> float:
        return 310.0

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        self.asked += 1
        return None if self.free[tenant] else NoSlot()

    def take_slot(self, tenant: TenantId) -> str | NoSlot:
        self.happened.append(f"take {tenant}")
        if isinstance(self.fault, StoreUnavailableError):
            raise self.fault
        if not self.free[tenant]:
            return NoSlot()
        self.free[tenant] -= 1
        return str(tenant)

    def reject(self, files: Sequence[WaitingFile], slot: str) -> list[WaitingFile]:
        assert {tenant_of(each.dropped.key) for each in files} == {slot}
        rejected = [each for each in files if names([each])[0] in self.rejected]
        self.happened += [f"reject {names([each])[0]}" for each in rejected]
        return [each for each in files if each not in rejected]

    def work(self, file: WaitingFile, slot: str) -> int | None:
        if self.fault:
            raise self.fault
        assert tenant_of(file.dropped.key) == slot
        self.happened.append(f"read {names([file])[0]}, {self.sqs.released} released")
        return self.pause

    def release_slot(self, slot: str) -> None:
        self.free[slot] += not self.keeps_slots

    @property
    def read(self) -> list[str]:
        """The files that were read, in order."""
        return [each.split()[1].rstrip(",") for each in self.happened if each.startswith("read")]


@dataclass
class Turns:
    """One environment, with a queue and backlogs whose clock is `now`."""

    now: float = 1000.0
    sqs: Sqs = field(default_factory=Sqs)
    backlogs: MemoryBacklogs = field(init=False)
    shared: FairTurns[str] = field(init=False)

    def __post_init__(self) -> None:
        self.backlogs = MemoryBacklogs(lambda: self.now)
        self.shared = self.another()

    def another(self) -> FairTurns[str]:
        """Another environment."""
        return FairTurns(DropQueue("dropped", "tests", self.sqs), self.backlogs, 10, lambda: self.now)

    def worker(self, **free: int) -> RecordingWorker:
        return RecordingWorker(self.sqs, Counter(free))

    def answer_to(self, worker: RecordingWorker, *bodies: str) -> list[str]:
        """The messages that must be redelivered."""
        answer = self.shared.answer_to(sqs_batch(bodies), worker)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def waiting(self, tenant: str) -> list[str]:
        batches = self.backlogs.look(TenantId(tenant)).batches
        return [name for batch in batches for name in names(batch.files)]


WAKE_ACME = wake_up_body(ACME, "tests")


@pytest.fixture
def here_now() -> Turns:
    return Turns()


def test_files_of_an_account_without_a_free_slot_wait_in_its_backlog_and_the_others_file_is_read(
    here_now: Turns,
) -> None:
    worker = here_now.worker(small=1)
    bodies = [body("flood", f"f{number}") for number in range(9)]
    assert here_now.answer_to(worker, *bodies, body("small", "mine")) == []
    assert worker.happened == ["take small", "read mine, 0 released"], "the account with the fewest first"
    assert here_now.waiting("flood") == [f"f{number}" for number in range(9)]
    assert here_now.waiting("small") == []


@pytest.mark.parametrize("messages", [1_000, 5_000])
def test_a_flood_costs_two_requests_for_ten_messages_and_nothing_returns(
    here_now: Turns, messages: int
) -> None:
    worker, requests = here_now.worker(), here_now.backlogs.requests
    for number in range(0, messages, 10):
        bodies = [body("flood", f"f{each}") for each in range(number, number + 10)]
        assert here_now.answer_to(worker, *bodies) == []
        here_now.now += 0.05
    assert requests["append"] == messages / 10
    assert worker.asked == messages / 10, "whether a slot became free"
    assert worker.happened == ["take flood"], "that none is free is noted"
    assert requests["look"] + requests["note"] <= 3
    assert here_now.sqs.bodies == []
    assert (here_now.sqs.released, here_now.sqs.hidden) == (0, [])
    assert len(here_now.sqs.delayed) == 1, "one wake-up for all of them"


def test_a_flood_that_lasts_longer_than_a_lease_has_one_wake_up_for_each_lease(here_now: Turns) -> None:
    worker = here_now.worker()
    for number in range(4 * 310):
        here_now.answer_to(worker, body("flood", f"f{number}"))
        here_now.now += 1
    assert 4 <= len(here_now.sqs.delayed) <= 5


def test_files_of_an_account_that_may_have_a_slot_are_handed_back_before_another_is_read(
    here_now: Turns,
) -> None:
    worker = here_now.worker(first=1, second=1)
    assert here_now.answer_to(worker, body("first", "a"), body("second", "b")) == ["m1"]
    assert worker.happened == ["take first", "read a, 1 released"]


def test_files_of_another_account_without_a_free_slot_are_not_handed_back(here_now: Turns) -> None:
    """They would be received again, to no purpose."""
    worker = here_now.worker(small=2)
    bodies = [body("flood", f"f{number}") for number in range(9)]
    assert here_now.answer_to(worker, body("small", "mine"), *bodies) == []
    assert worker.read == ["mine"]
    assert len(here_now.waiting("flood")) == 9
    assert here_now.sqs.released == 0


def test_small_files_of_an_account_are_read_one_after_the_other_and_large_ones_alone(
    here_now: Turns,
) -> None:
    worker, sizes = here_now.worker(acme=2), [10**9, 100, 100, 10**7, 100]
    bodies = [body("acme", str(number), size) for number, size in enumerate(sizes)]
    assert here_now.answer_to(worker, *bodies) == ["m0", "m3"], "for the other slot"
    assert worker.read == ["1", "2", "4"]
    assert worker.free["acme"] == 2
    worker = here_now.worker(acme=1)
    assert here_now.answer_to(worker, *bodies) == [], "there is no other slot"
    assert here_now.waiting("acme") == ["0", "3"]
    for name in ("3", "0"):
        assert here_now.sqs.bodies == [WAKE_ACME]
        assert here_now.answer_to(worker, here_now.sqs.bodies.pop()) == []
        assert worker.read[-1] == name, "the smaller one first"
    assert here_now.sqs.bodies == []


def test_a_turn_begins_with_the_backlog_and_a_new_file_waits_behind_it(here_now: Turns) -> None:
    full, worker = here_now.worker(), here_now.worker(acme=1, globex=1)
    for name in ("a", "b"):
        here_now.answer_to(full, body("acme", name, 10**7))
    here_now.answer_to(full, body("globex", "theirs"))
    here_now.now += 2
    assert here_now.answer_to(worker, body("acme", "c", 10**7)) == []
    assert worker.read == ["a"]
    while here_now.sqs.bodies:
        here_now.answer_to(worker, here_now.sqs.bodies.pop())
    assert worker.read == ["a", "b", "c"]
    assert here_now.waiting("globex") == ["theirs"]


def test_two_invocations_read_the_backlog_of_an_account_with_two_slots(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), *(body("acme", name, 10**7) for name in "ab"))
    worker = here_now.worker(acme=2)
    here_now.answer_to(here_now.worker(), body("acme", "c", 10**7))
    assert here_now.sqs.bodies == []
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert worker.read == ["a"]
    assert here_now.sqs.bodies[0] == WAKE_ACME, "for the other slot, before the file was read"


def test_a_file_of_the_backlog_that_must_be_tried_again_has_its_own_message_with_its_receive_count(
    here_now: Turns,
) -> None:
    here_now.answer_to(here_now.worker(), body("acme", "a", receives=6), body("acme", "b"))
    here_now.sqs.delayed.clear()
    worker = here_now.worker(acme=1)
    worker.pause = 40
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert worker.read == ["a", "b"]
    delays = {json.loads(each).get("receives", 0): seconds for each, seconds in here_now.sqs.delayed}
    assert delays == {7: 40, 1: 40}
    assert here_now.waiting("acme") == []


def test_a_file_that_cannot_be_published_again_stays_in_the_backlog(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), body("acme", "a"))
    worker = here_now.worker(acme=1)
    worker.pause, here_now.sqs.fault = 40, EndpointConnectionError(endpoint_url="sqs")
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert here_now.waiting("acme") == ["a"]
    assert worker.free["acme"] == 1


def test_a_message_is_redelivered_when_its_backlog_or_a_wake_up_cannot_be_written(here_now: Turns) -> None:
    here_now.sqs.fault = EndpointConnectionError(endpoint_url="sqs")
    assert here_now.answer_to(here_now.worker(), body("acme", "a"), body("acme", "b")) == ["m0", "m1"]
    assert here_now.sqs.hidden == [1, 1]


def test_an_account_whose_usage_is_not_counted_yet_waits_with_all_of_its_files(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    worker.fault = UsagePendingError(60)
    assert here_now.answer_to(worker, *(body("acme", name) for name in "abc")) == []
    assert here_now.waiting("acme") == ["a", "b", "c"]
    assert here_now.sqs.delayed == [(WAKE_ACME, 61)]
    assert here_now.sqs.bodies == []
    assert worker.free["acme"] == 1

    for _ in range(50):  # in any environment, whatever arrives meanwhile: no request for a slot, no wake-up
        here_now.shared = here_now.another()
        assert here_now.answer_to(worker, body("acme", "d"), WAKE_ACME) == []
    assert worker.happened == ["take acme"]
    assert here_now.sqs.delayed == [(WAKE_ACME, 61)]
    here_now.now += 61
    worker.fault = None
    here_now.answer_to(worker, WAKE_ACME)
    while here_now.sqs.bodies:
        here_now.answer_to(worker, here_now.sqs.bodies.pop())
    assert set(worker.read) == set("abcd")
    assert here_now.waiting("acme") == []


def test_a_backlog_whose_usage_is_not_counted_yet_keeps_its_files(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), *(body("acme", name) for name in "abc"))
    worker = here_now.worker(acme=1)
    worker.fault = UsagePendingError(60)
    here_now.answer_to(worker, WAKE_ACME)
    assert here_now.waiting("acme") == ["a", "b", "c"]
    assert (WAKE_ACME, 61) in here_now.sqs.delayed
    assert here_now.sqs.bodies == []


def test_slots_that_cannot_be_asked_about_put_the_messages_back(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    worker.fault = StoreUnavailableError("DynamoDB: down")
    assert here_now.answer_to(worker, body("acme", "a"), body("acme", "b")) == ["m0", "m1"]


def test_a_file_that_ends_its_reader_takes_no_message_of_another_account_with_it(here_now: Turns) -> None:
    worker = here_now.worker(acme=1, globex=1)
    worker.fault = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        here_now.answer_to(worker, body("acme", "a"), body("globex", "c"))
    assert here_now.sqs.released == 1
    assert worker.free["acme"] == 1


def test_a_wake_up_for_nothing_ends_there(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    assert here_now.answer_to(worker, WAKE_ACME, WAKE_ACME) == []
    assert worker.happened == []
    assert here_now.sqs.bodies == []
    assert here_now.sqs.delayed == []


@pytest.mark.parametrize("wakes", ["", "a/b", 7, None, ["acme"]])
def test_a_wake_up_that_names_no_account_is_unreadable(here_now: Turns, wakes: object) -> None:
    sent = json.dumps({"Records": [], "wakes": wakes})
    assert here_now.answer_to(here_now.worker(), sent) == ["m0"]


def test_a_wake_up_that_also_names_a_file_of_another_account_reads_nothing(here_now: Turns) -> None:
    worker = here_now.worker(acme=1, globex=1)
    sent = json.dumps({**json.loads(body("globex", "theirs")), "wakes": "acme"})
    assert here_now.answer_to(worker, sent) == []
    assert worker.happened == []
    assert here_now.waiting("acme") == here_now.waiting("globex") == []


ENVIRONMENTS, SLOTS = 20, 2
TURN_SECONDS = 0.02
"""Of an invocation that reads nothing: it moves ten messages to a backlog."""


@dataclass
class Cloud:
    """A queue and environments in virtual time; a file of the flood takes a minute, a small one 0.5 s."""

    turns: Turns = field(default_factory=lambda: Turns(0.0))
    queue: list[tuple[float, int, str]] = field(default_factory=list)
    free: Counter[str] = field(default_factory=lambda: Counter(flood=SLOTS, small=SLOTS))
    began: dict[str, float] = field(default_factory=dict)
    invocations: int = 0
    received: int = 0
    numbers: int = 0

    def send(self, message: str, at: float) -> None:
        self.numbers += 1
        heapq.heappush(self.queue, (at, self.numbers, message))

    def run(self, until: float) -> None:
        turns = self.turns
        shared = [turns.another() for _ in range(ENVIRONMENTS)]
        idle = [(0.0, number) for number in range(ENVIRONMENTS)]
        held: list[tuple[float, str]] = []
        while self.queue and turns.now < until:
            free_at, number = heapq.heappop(idle)
            turns.now = max(turns.now, free_at, self.queue[0][0])
            while held and held[0][0] <= turns.now:
                tenant = heapq.heappop(held)[1]
                self.free[tenant] += 1
                # The holder's look at the backlog after its release: here it is woken in any case.
                self.send(wake_up_body(TenantId(tenant), "tests"), turns.now)
            batch: list[str] = []
            while self.queue and len(batch) < 10 and self.queue[0][0] <= turns.now:
                batch.append(heapq.heappop(self.queue)[2])
            heapq.heappush(idle, (self._invoke(shared[number], batch, held), number))

    def _invoke(self, shared: FairTurns[str], batch: list[str], held: list[tuple[float, str]]) -> float:
        """When the environment is idle again."""
        self.invocations += 1
        self.received += len(batch)
        turns = self.turns
        turns.shared = shared
        worker = RecordingWorker(turns.sqs, self.free, keeps_slots=True)
        for each in turns.answer_to(worker, *batch):
            self.send(batch[int(each[1:])], turns.now)
        for sent, delay in turns.sqs.delayed:
            self.send(sent, turns.now + delay)
        for sent in turns.sqs.bodies:
            self.send(sent, turns.now)
        turns.sqs.delayed.clear()
        turns.sqs.bodies.clear()
        for each in worker.read:
            self.began.setdefault(each, turns.now)
        if not worker.read:
            return turns.now + TURN_SECONDS
        tenant = "small" if worker.read[0].startswith("s") else "flood"
        ends_at = turns.now + (0.5 if tenant == "small" else 60.0)
        heapq.heappush(held, (ends_at, tenant))
        return ends_at


@pytest.mark.parametrize("size", [100, 10**9])
def test_a_small_file_begins_within_a_second_beside_ten_thousand_of_another_account(size: int) -> None:
    """At whatever time it comes; and a message of the flood is received once."""
    cloud = Cloud()
    for number in range(10_000):
        cloud.send(body("flood", f"f{number}", size), number / 3500)
    comes_at = [0.5 + 7.3 * number for number in range(40)]
    for number, at in enumerate(comes_at):
        cloud.send(body("small", f"s{number}"), at)
    cloud.run(until=300)

    waits = [cloud.began[f"s{number}"] - at for number, at in enumerate(comes_at)]
    assert max(waits) < 0.2, waits
    flood = [each for each in cloud.began if each.startswith("f")]
    assert len(flood) >= SLOTS * 300 / 60 - SLOTS, "and its slots are never idle for long"
    assert cloud.received < 10_000 + 40 + 200, "and some wake-ups"
    assert cloud.invocations < 3_000


def test_an_account_has_its_slots_and_no_more_and_others_have_theirs(here: World) -> None:
    """With the table of uploads, between two functions: leases, not memory."""
    here.slots_a_tenant = 2
    held = [here.slots.take(ACME, 100) for _ in range(3)]
    assert [each is not None for each in held] == [True, True, False]
    message, other = here.put("x", b"one\n"), here.put("x", b"two\n", GLOBEX)
    assert here.deliver(message) == [message]
    assert here.statuses() == [], "nothing is read or written down before there is a slot"
    assert here.deliver(other) == []
    assert held[0] is not None
    here.slots.release(held[0])
    assert here.deliver(message) == []
    assert here.slots.take(ACME, 100) is not None, "and gives it back"


def test_a_slot_of_a_process_that_died_is_free_when_its_lease_is_over(here: World) -> None:
    here.slots_a_tenant = 1
    first = here.slots.take(ACME, 100)
    assert here.slots.take(ACME, 100) is None
    here.later = 102
    second = here.slots.take(ACME, 100)
    assert first is not None
    assert second is not None
    here.slots.release(first)
    assert here.slots.take(ACME, 100) is None, "a late release takes no slot from its new owner"
    assert here.slots.take(GLOBEX, 100) is not None


def test_a_file_that_continues_releases_its_slot_in_between(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    here.slots_a_tenant, here.seconds = 1, 0.0
    message = here.put("x", b"".join(b"line %d\n" % number for number in range(50_000)))
    answer_to(sqs_batch([message]), lambda: 0.0, here.drop_in)
    assert len(here.sqs.bodies) == 1
    assert here.slots.take(ACME, 100) is not None


def test_a_turn_rejects_four_batches_at_once_and_leaves_what_is_not_rejected(here_now: Turns) -> None:
    for number in range(5):
        bodies = [body("capped", f"f{number}-{each}") for each in range(10)]
        assert here_now.answer_to(here_now.worker(), *bodies) == []
    here_now.answer_to(here_now.worker(), body("other", "theirs"))
    here_now.now += 5
    here_now.backlogs.requests.clear()
    worker = here_now.worker(capped=1)
    worker.rejected = frozenset(f"f{number}-{each}" for number in range(5) for each in range(10)) - {"f2-7"}
    assert here_now.answer_to(worker, wake_up_body(TenantId("capped"), "tests")) == []
    assert len([each for each in worker.happened if each.startswith("reject")]) == 39
    assert worker.read == []
    assert here_now.backlogs.requests == {"look": 2, "lease": 4, "finish": 4}
    assert here_now.waiting("capped") == ["f2-7", *(f"f4-{each}" for each in range(10))]
    assert here_now.waiting("other") == ["theirs"]

    assert here_now.sqs.bodies == [wake_up_body(TenantId("capped"), "tests")]
    assert here_now.answer_to(worker, *here_now.sqs.bodies) == []
    assert worker.read == ["f2-7"]


@pytest.mark.parametrize("waits", [False, True], ids=["messages", "backlog"])
def test_files_that_are_rejected_together_are_not_read_and_the_others_are(
    here_now: Turns, waits: bool
) -> None:
    bodies = [body("capped", name) for name in ("f0", "f1", "f2")]
    if waits:
        assert here_now.answer_to(here_now.worker(), *bodies) == []
        here_now.now += 5
        bodies = [wake_up_body(TenantId("capped"), "tests")]
    worker = here_now.worker(capped=1, small=1)
    worker.rejected = frozenset({"f0", "f2"})
    assert here_now.answer_to(worker, *bodies) == []
    assert worker.happened[0] == "take capped"
    assert (worker.happened[1:3], worker.read) == (["reject f0", "reject f2"], ["f1"])
    assert here_now.waiting("capped") == []
    assert here_now.answer_to(worker, body("small", "f0")) == []
    assert worker.read == ["f1", "f0"], "a single file of another account is not asked about"
