"""One environment of the drop-in with its queue and backlogs in memory; many in virtual time."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.backlog import WaitingFile
from functions.uploads.drop_worker import NoSlot
from functions.uploads.notifications import notification_body, tenant_of, wake_up_body
from functions.uploads.queue import DropQueue
from functions.uploads.turns import FairTurns
from tests.unit.uploads.memory_backlogs import MemoryBacklogs
from tests.unit.uploads.world import ACME, Sqs, sqs_batch


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
ENVIRONMENTS, SLOTS = 20, 2
TURN_SECONDS = 0.02
"""Of an invocation that reads nothing: it moves ten messages to a backlog."""


@dataclass
class DropSimulation:
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
