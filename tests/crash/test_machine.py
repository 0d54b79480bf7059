"""Two tenants' logs through ingest, sync, sweeper, purge and erasure, in any order, with crashes.

The model is a bag of lines, each with its tenant, its day of expiry and the second it was received. After
each step no line may be there that was not sent, none twice, none that was erased; at the end, when all was
delivered, all others must be there.
"""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.ingest.accept import accept
from functions.ingest.protocols.contract import Window
from functions.ingest.staging_writer import StagingWriter
from functions.privacy.erasure.objects import STILL_BEING_STAGED
from functions.privacy.erasure.subject import MESSAGE, Subject
from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.retention.sweeper import StagingSweep
from functions.shared.events.row import ReceiptContext
from functions.shared.tenancy import TenantId
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject, read_messages
from functions.sync.settle import Settler
from tests.aws_environment import set_aws_environment
from tests.crash.erasing import erase
from tests.crash.faults import POINTS, Crash, Trap, TrappedLedger, TrappedLoader, TrappedStaged
from tests.crash.world import World, later, listed, world

TIME = Deadline(lambda: 60.0, 30.0)
FIRST_DAY = datetime(2029, 12, 1, 12, tzinfo=UTC)
RETENTION_DAYS = 3


mostly = st.sampled_from([True, True, True, False])
some_lines = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


Line = tuple[str, date, str, int]
"""Tenant, day of expiry, message, second of its receipt."""


@dataclass
class Erasure:
    """One that was asked for; `verified` when it said that nothing is left."""

    subject: Subject
    until: datetime
    verified: bool = False

    def covers(self, line: Line) -> bool:
        tenant, _, message, second = line
        return (tenant, message) == (
            self.subject.tenant,
            self.subject.value,
        ) and second < self.until.timestamp()


class Inbox:
    """SQS for the sweeper: what it sends lies in `objects`."""

    def __init__(self) -> None:
        self.objects: list[StagedObject] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        record = {"messageId": QueueUrl, "receiptHandle": "r", "body": MessageBody}
        for message in read_messages(
            {"Records": [{**record, "attributes": {"ApproximateReceiveCount": "1"}}]}
        ):
            self.objects += message.objects or ()


def machine(here: World, counter: list[int]) -> type[RuleBasedStateMachine]:
    """The machine over `here`; each example has tenants of its own in the shared tables."""

    class LoadMachine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            counter[0] += 1
            names = (f"m{counter[0]}-a", f"m{counter[0]}-b")
            self.tenants = tuple(TenantId(name) for name in names)
            self.today = FIRST_DAY
            self.queue: list[StagedObject] = []
            self.known: set[str] = set()
            self.sent: Counter[Line] = Counter()
            self.erasures: list[Erasure] = []
            here.warehouse.command("TRUNCATE TABLE events")

        @rule(requests=st.lists(st.tuples(st.integers(0, 1), some_lines, mostly), min_size=1, max_size=4))
        def ingest(self, requests: list[tuple[int, list[str], bool]]) -> None:
            """Accept some requests; S3's notification of one may get lost."""
            for tenant, lines, notified in requests:
                key = self._accept(self.tenants[tenant], lines)
                if notified:
                    self.queue += [each for each in self._staged() if each.key == key]

        @rule(seed=st.integers(0, 10**6), deaths=st.lists(st.sampled_from(POINTS), max_size=3))
        @precondition(lambda self: self.queue)
        def sync(self, seed: int, deaths: list[str]) -> None:
            """Deliver some of what is queued, some of it twice; sync dies, and what is left returns."""
            chance = random.Random(seed)
            for point in [*deaths, None]:
                group = chance.sample(self.queue, chance.randint(1, len(self.queue)))
                settled = self._deliver(group + group[:1], Trap(point))
                self.queue = [each for each in self.queue if each.key not in settled]
                if not self.queue:
                    return
                later(here, seconds=chance.choice([1, 91]))

        @rule()
        def sweep(self) -> None:
            inbox = Inbox()
            StagingSweep(here.bucket, inbox, "url").run(datetime.now(UTC) + timedelta(minutes=16))
            self.queue += [each for each in inbox.objects if each.key in self.known]

        @rule(days=st.integers(1, 2))
        def tomorrow_and_purge(self, days: int) -> None:
            """Days pass; what has expired is dropped, and must not reappear."""
            self.today += timedelta(days=days)
            later(here, days=days)
            purge(Partitions(here.warehouse), self.today.date(), {})

        @rule(tenant=st.integers(0, 1), line=st.sampled_from("abc"))
        def ask_for_erasure(self, tenant: int, line: str) -> None:
            """Of what was received until now; the same line may be sent again afterwards, and stays."""
            self.today += timedelta(seconds=1)
            self.erasures.append(Erasure(Subject(self.tenants[tenant], MESSAGE, line), self.today))

        @rule()
        @precondition(lambda self: any(not each.verified for each in self.erasures))
        def erase(self) -> None:
            """What is still staged makes an erasure wait; once it is verified nothing may reappear."""
            for each in self.erasures:
                if not each.verified:
                    now = each.until + STILL_BEING_STAGED
                    done = erase(here.warehouse, here.bucket, each.subject, each.until, now)
                    each.verified = done.verified

        @invariant()
        def nothing_is_doubled_nor_reappears(self) -> None:
            if not hasattr(self, "sent"):
                return
            possible = Counter(
                {
                    line: count
                    for line, count in self.sent.items()
                    if not any(each.verified and each.covers(line) for each in self.erasures)
                }
            )
            assert self._stored() <= possible

        def teardown(self) -> None:
            """Everything is delivered in the end: then what neither expired nor was erased is there, once."""
            if not hasattr(self, "sent"):
                return
            for _ in range(12):
                self.sweep()
                if not self.queue:
                    break
                later(here, seconds=91)
                driver = BatchProcessor(here.ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
                settled = Settler(here.ledger, driver).settle(self.queue, TIME)
                self.queue = [each for each in self.queue if each.key not in settled]
            assert self._staged() == []
            purge(Partitions(here.warehouse), self.today.date(), {})
            self.erase()
            assert all(each.verified for each in self.erasures)
            assert self._stored() == Counter(
                {line: count for line, count in self.sent.items() if self._is_alive(line)}
            )

        def _is_alive(self, line: Line) -> bool:
            return line[1] >= self.today.date() and not any(each.covers(line) for each in self.erasures)

        def _accept(self, owner: TenantId, lines: list[str]) -> str:
            self.today += timedelta(seconds=1)
            receipt = ReceiptContext(owner, "p", self.today, RETENTION_DAYS)
            body = b"[%b]" % b",".join(b'{"message":"%b"}' % line.encode() for line in lines)
            key = StagingWriter(here.bucket).put(
                accept([Window(body, ndjson=False)], receipt).package, receipt
            )
            self.known.add(key)
            second = int(self.today.timestamp())
            self.sent.update((owner, receipt.expires_on, line, second) for line in lines)
            return key

        def _deliver(self, group: list[StagedObject], trap: Trap) -> set[str]:
            """What a process acknowledges that may die on the way; sometimes it dies before the last ack."""
            ledger = TrappedLedger(here.ledger, trap)
            driver = BatchProcessor(
                ledger, TrappedStaged(here.bucket, trap), TrappedLoader(here.warehouse, trap)
            )
            try:
                trap.crash_at("received")
                settled = Settler(ledger, driver).settle(group, TIME)
            except Crash:
                return set()
            return set(sorted(settled)[::2]) if trap.reached("half the acks") else settled

        def _staged(self) -> list[StagedObject]:
            return [each for tenant in self.tenants for each in listed(here, f"{tenant}/")]

        def _stored(self) -> Counter[Line]:
            rows = here.warehouse.select(
                "SELECT tenant_id, expires_on, message, toUnixTimestamp(received_at) AS second, "
                "count() AS rows FROM events GROUP BY ALL"
            ).rows
            return Counter({_line(row): int(row["rows"]) for row in rows})

    return LoadMachine


def _line(row: dict[str, Any]) -> Line:
    return row["tenant_id"], date.fromisoformat(row["expires_on"]), row["message"], int(row["second"])


def drive(examples: int, steps: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with world() as here:
            run_state_machine_as_test(
                machine(here, [0]),
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )


def test_no_order_of_events_loses_or_doubles_a_line() -> None:
    drive(examples=12, steps=40)


@pytest.mark.soak
def test_no_long_order_of_events_does_either() -> None:
    drive(examples=50, steps=500)
