"""Invocations are shared among accounts: a flood of one's files holds up no file of another."""

import heapq
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.dropin import answer_to
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import DropInMessage, notification_body, tenant_of
from functions.uploads.queue import LONGEST_PAUSE_SECONDS, DropQueue
from functions.uploads.turns import MAX_DEFERRALS, FairTurns, NoSlot
from tests.unit.uploads.world import ACME, GLOBEX, Sqs, World, sqs_batch


def body(tenant: str, name: str, size: int = 100, deferrals: int = 0) -> str:
    file = DroppedFile("drop", dropin_prefix(TenantId(tenant)) + name, "e", size)
    return notification_body(file, "tests", deferrals)


def names(bodies: list[str]) -> list[str]:
    return [json.loads(each)["Records"][0]["s3"]["object"]["key"].rpartition("%2F")[2] for each in bodies]


@dataclass
class RecordingWorker:
    """A worker whose accounts have so many slots; it notes the order of what happens."""

    sqs: Sqs
    free: Counter[str]
    happened: list[str] = field(default_factory=list)
    fault: Exception | None = None
    keeps_slots: bool = False

    def owner(self, file: DroppedFile) -> TenantId | None:
        return tenant_of(file.key)

    def take_slot(self, tenant: TenantId) -> str | NoSlot:
        self.happened.append(f"ask {tenant}")
        if isinstance(self.fault, StoreUnavailableError):
            raise self.fault
        if not self.free[tenant]:
            return NoSlot()
        self.free[tenant] -= 1
        return str(tenant)

    def work(self, file: DroppedFile, slot: str, message: DropInMessage) -> int | None:
        if self.fault:
            raise self.fault
        self.happened.append(f"{message.message_id} after {self.sqs.released} and {len(self.sqs.deferred)}")
        assert tenant_of(file.key) == slot
        return None

    def release_slot(self, slot: str) -> None:
        self.free[slot] += not self.keeps_slots


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()


def turns(sqs: Sqs, clock: Any = lambda: 1000.0) -> FairTurns[str]:
    return FairTurns(DropQueue("dropped", "tests", sqs), 10, clock)


def failures(answer: dict[str, Any]) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_messages_of_an_account_without_a_free_slot_are_sent_anew_and_the_others_file_is_read(
    sqs: Sqs,
) -> None:
    worker = RecordingWorker(sqs, Counter(small=1))
    bodies = [body("flood", f"f{number}") for number in range(9)]
    answer = turns(sqs).answer_to(sqs_batch([*bodies, body("small", "mine")]), worker)

    assert failures(answer) == []
    assert worker.happened == ["ask flood", "ask small", "m9 after 0 and 9"], "before anything is read"
    assert sorted(names([each for each, _ in sqs.deferred])) == [f"f{number}" for number in range(9)]


def test_that_slots_are_taken_is_remembered_for_a_second(sqs: Sqs) -> None:
    now = [1000.0]
    shared, worker = turns(sqs, lambda: now[0]), RecordingWorker(sqs, Counter())
    for _ in range(50):
        shared.answer_to(sqs_batch([body("flood", "f")] * 10), worker)
    assert worker.happened == ["ask flood"]
    assert len(sqs.deferred) == 500
    now[0] += 1.1
    shared.answer_to(sqs_batch([body("flood", "f")]), worker)
    assert worker.happened == ["ask flood"] * 2


def test_files_of_an_account_that_may_have_a_slot_are_handed_back_before_another_is_read(sqs: Sqs) -> None:
    worker = RecordingWorker(sqs, Counter(first=1, second=1))
    answer = turns(sqs).answer_to(sqs_batch([body("first", "a"), body("second", "b")]), worker)
    assert failures(answer) == ["m1"]
    assert worker.happened == ["ask first", "m0 after 1 and 0"]


def test_small_files_of_an_account_are_read_one_after_the_other_and_large_ones_alone(sqs: Sqs) -> None:
    worker = RecordingWorker(sqs, Counter(acme=1))
    sizes = [10**9, 100, 100, 10**7, 100]
    answer = turns(sqs).answer_to(
        sqs_batch([body("acme", str(number), size) for number, size in enumerate(sizes)]), worker
    )
    assert [each.split()[0] for each in worker.happened] == ["ask", "m1", "m2", "m4"]
    assert failures(answer) == ["m0", "m3"]
    assert worker.free["acme"] == 1


def test_a_deferred_message_has_not_failed_and_is_redelivered_ever_later(sqs: Sqs) -> None:
    worker, event, delays = RecordingWorker(sqs, Counter()), sqs_batch([body("acme", "a")], receives=3), []
    for deferrals in range(1, 20):
        assert failures(turns(sqs).answer_to(event, worker)) == []
        ((sent, delay),) = sqs.deferred
        sqs.deferred.clear()
        delays.append(delay)
        assert (json.loads(sent)["deferrals"], json.loads(sent)["receives"]) == (deferrals, 2)
        event = sqs_batch([sent], receives=1)
    assert delays[0] == 1
    assert max(delays) <= LONGEST_PAUSE_SECONDS
    assert min(delays[-3:]) >= LONGEST_PAUSE_SECONDS / 2


def test_what_cannot_be_sent_anew_is_hidden(sqs: Sqs) -> None:
    sqs.rejects = True
    answer = turns(sqs).answer_to(sqs_batch([body("acme", "a")]), RecordingWorker(sqs, Counter()))
    assert failures(answer) == ["m0"]
    assert sqs.hidden == [1]


def test_a_message_that_was_deferred_for_days_is_left_to_the_sweeper(sqs: Sqs) -> None:
    event = sqs_batch([body("acme", "a", deferrals=MAX_DEFERRALS)])
    assert failures(turns(sqs).answer_to(event, RecordingWorker(sqs, Counter()))) == []
    assert sqs.deferred == []


def test_an_account_whose_usage_is_not_counted_yet_waits_with_all_of_its_files(sqs: Sqs) -> None:
    worker = RecordingWorker(sqs, Counter(acme=1), fault=UsagePendingError(60))
    answer = turns(sqs).answer_to(sqs_batch([body("acme", name) for name in "abc"]), worker)
    assert failures(answer) == []
    assert [delay >= 60 for _, delay in sqs.deferred] == [True] * 3
    assert worker.free["acme"] == 1


def test_slots_that_cannot_be_asked_about_put_the_messages_back(sqs: Sqs) -> None:
    worker = RecordingWorker(sqs, Counter(acme=1), fault=StoreUnavailableError("DynamoDB: down"))
    assert failures(turns(sqs).answer_to(sqs_batch([body("acme", "a"), body("acme", "b")]), worker)) == [
        "m0", "m1",
    ]  # fmt: skip


def test_a_file_that_ends_its_reader_takes_no_other_message_with_it(sqs: Sqs) -> None:
    worker = RecordingWorker(sqs, Counter(acme=1), fault=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        turns(sqs).answer_to(sqs_batch([body("acme", "a"), body("acme", "b"), body("globex", "c")]), worker)
    assert sqs.released == 2
    assert worker.free["acme"] == 1


ENVIRONMENTS, SLOTS = 20, 2
TURN_SECONDS = 0.02
"""Of an invocation that reads nothing: it sends ten messages anew."""


@dataclass
class Cloud:
    """A queue and environments in virtual time; a file of the flood takes a minute, a small one 0.5 s."""

    now: float = 0.0
    queue: list[tuple[float, int, str]] = field(default_factory=list)
    sqs: Sqs = field(default_factory=Sqs)
    free: Counter[str] = field(default_factory=lambda: Counter(flood=SLOTS, small=SLOTS))
    began: dict[str, float] = field(default_factory=dict)
    invocations: int = 0
    numbers: int = 0

    def send(self, message: str, at: float) -> None:
        self.numbers += 1
        heapq.heappush(self.queue, (at, self.numbers, message))

    def run(self, until: float) -> None:
        shared = [turns(self.sqs, lambda: self.now) for _ in range(ENVIRONMENTS)]
        idle = [(0.0, number) for number in range(ENVIRONMENTS)]
        held: list[tuple[float, str]] = []
        while self.queue and self.now < until:
            free_at, number = heapq.heappop(idle)
            self.now = max(self.now, free_at, self.queue[0][0])
            while held and held[0][0] <= self.now:
                self.free[heapq.heappop(held)[1]] += 1
            batch = []
            while self.queue and len(batch) < 10 and self.queue[0][0] <= self.now:
                batch.append(heapq.heappop(self.queue)[2])
            heapq.heappush(idle, (self._invoke(shared[number], batch, held), number))

    def _invoke(self, shared: FairTurns[str], batch: list[str], held: list[tuple[float, str]]) -> float:
        """When the environment is idle again."""
        self.invocations += 1
        worker = RecordingWorker(self.sqs, self.free, keeps_slots=True)
        answer = shared.answer_to(sqs_batch(batch), worker)
        for sent, delay in self.sqs.deferred:
            self.send(sent, self.now + delay)
        self.sqs.deferred.clear()
        for each in failures(answer):
            self.send(batch[int(each[1:])], self.now)
        worked = [batch[int(each.split()[0][1:])] for each in worker.happened if each.startswith("m")]
        for each in worked:
            self.began.setdefault(each, self.now)
        if not worked:
            return self.now + TURN_SECONDS
        tenant = "small" if "small" in worked[0] else "flood"
        ends_at = self.now + (0.5 if tenant == "small" else 60.0)
        heapq.heappush(held, (ends_at, tenant))
        return ends_at


@pytest.mark.parametrize("size", [100, 10**9])
def test_a_small_file_begins_within_a_second_beside_ten_thousand_of_another_account(size: int) -> None:
    """At whatever time it comes; and what is turned away costs few invocations."""
    cloud = Cloud()
    for number in range(10_000):
        cloud.send(body("flood", f"f{number}", size), number / 3500)
    comes_at = [0.5 + 7.3 * number for number in range(40)]
    for number, at in enumerate(comes_at):
        cloud.send(body("small", f"s{number}"), at)
    cloud.run(until=300)

    waits = [cloud.began[body("small", f"s{number}")] - at for number, at in enumerate(comes_at)]
    assert max(waits) < 1.0, waits
    flood = sum("flood" in each for each in cloud.began)
    assert flood >= SLOTS * 300 / 60 - SLOTS, "and its slots are never idle for long"
    assert cloud.invocations < 60_000, "200 a second, of some milliseconds"


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
