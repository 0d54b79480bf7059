"""Usage through meter and report by schedules: with crashes, lost answers, runs side by side, days that pass.

The model is what was stored: bytes by tenant, and of these what was stored before there was a subscription.
After each step no tenant is billed for a byte twice, nor for another's; at the end, when all was counted and
reported, billed = counted = stored, to the byte.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from functions.shared.batch_usage import UsageShare
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from tests.crash.faults import Crash
from tests.crash.metering_world import ANSWERS, HOUR, MINUTE, MeteringWorld, share

PAYING, NEIGHBOUR, TRYING = 0, 1, 2
"""Two with subscriptions, one of them BYOC as well, and one on trial."""

WAITS = (MINUTE, 20 * MINUTE, HOUR, 22 * HOUR, 25 * HOUR, 72 * HOUR)
MAX_RUNS = 8


@dataclass(frozen=True, slots=True)
class Fate:
    """Before or after which write of a run something happens, if it does: it dies, or another cuts in."""

    at_write: int | None
    before: bool
    cuts_in: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Batches are done, perhaps counted; then one tenant's usage is reported, by tries some time apart."""

    batches: list[list[tuple[int, int]]]
    own_bytes: int
    counted: bool
    meters: Fate
    subscribes: bool
    tells: int
    reports: Fate
    tries: list[tuple[str, int]]


QUIET = Fate(None, before=True, cuts_in=False)


def reported_by(*tries: tuple[str, int], meters: Fate = QUIET, reports: Fate = QUIET) -> list[Step]:
    """A schedule of one step: events of two tenants are stored, and the usage of one is reported."""
    batches = [[(PAYING, 1_000), (NEIGHBOUR, 10)], [(PAYING, 100)]]
    return [Step(batches, 0, True, meters, False, PAYING, reports, list(tries))]


KNOWN = (
    reported_by(("lost", MINUTE), ("given", MINUTE)),
    reported_by(("lost", 25 * HOUR), ("given", MINUTE)),
    reported_by(("dies after", 25 * HOUR), ("given", MINUTE)),
    reported_by(("none", 22 * HOUR), ("lost", 25 * HOUR), ("given", MINUTE)),
    reported_by(("given", MINUTE), meters=Fate(1, before=False, cuts_in=False)),
    reported_by(("given", MINUTE), reports=Fate(2, before=True, cuts_in=True)),
)
"""Schedules that every run begins with: a minute, 25 hours, and a crash between ledger and Stripe."""

sizes = st.integers(1, 10**9)
fates = st.builds(Fate, st.sampled_from([None, 1, 2, 3, 4]), st.booleans(), st.booleans())
steps = st.builds(
    Step,
    batches=st.lists(st.lists(st.tuples(st.integers(0, 2), sizes), min_size=1, max_size=3), max_size=3),
    own_bytes=st.one_of(st.just(0), sizes),
    counted=st.sampled_from([True, True, True, False]),
    meters=fates,
    subscribes=st.sampled_from([False, False, True]),
    tells=st.integers(0, 2),
    reports=fates,
    tries=st.lists(st.tuples(st.sampled_from(ANSWERS), st.sampled_from(WAITS)), min_size=1, max_size=4),
)
schedules = st.lists(steps, min_size=1, max_size=4)


@dataclass
class Run:
    """One schedule at work, for new tenants."""

    here: MeteringWorld
    stored: Counter[TenantId] = field(default_factory=Counter)
    free: Counter[TenantId] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.here.begin_anew()
        self.tenants = tuple(TenantId(f"run{self.here.runs}-{letter}") for letter in "abc")
        for number in (PAYING, NEIGHBOUR):
            self.here.subscribe(self.tenants[number])
            self.here.follow_ups.follow_up(self.tenants[number])

    def take(self, step: Step) -> None:
        for pieces in step.batches:
            self._store({self.tenants[number]: size for number, size in pieces})
        if step.own_bytes:
            neighbour = self.tenants[NEIGHBOUR]
            self._store({neighbour: step.own_bytes}, owner=neighbour)
        if step.counted:
            with self._fated(step.meters, self.here.meter):
                self.here.meter()
        if step.subscribes:
            self._subscribe(self.tenants[TRYING])
        self._report(self.tenants[step.tells], step)

    def end(self) -> None:
        """By runs an hour apart, everything is counted and reported in the end."""
        self._count_all()
        for tenant in self.tenants:
            for _ in range(MAX_RUNS):
                self.here.wait(HOUR)
                reported = self.here.report(tenant)
                if not reported.pending and not reported.left_bytes(self.stored[tenant]):
                    break
        for tenant in self.tenants:
            tally = self.here.usage.tally(tenant)
            paid = self.stored[tenant] - self.free[tenant] if self.here.record_store.of(tenant).live else 0
            assert tally.raw_bytes == self.stored[tenant], "counted is not stored"
            assert self.here.billed(tenant) == tally.reported.landed_bytes == paid, "billed is not stored"

    def check(self, *tenants: TenantId) -> None:
        """No tenant is billed for more than was reported, nor counted for more than was stored."""
        for tenant in tenants or self.tenants:
            tally, billed = self.here.usage.tally(tenant), self.here.billed(tenant)
            pending_bytes = tally.reported.pending.value_bytes if tally.reported.pending else 0
            landed_bytes = tally.reported.landed_bytes
            assert billed in (landed_bytes, landed_bytes + pending_bytes), "billed twice, or never reported"
            assert billed <= self.stored[tenant] - self.free[tenant], "billed what was not stored"
            assert tally.raw_bytes <= self.stored[tenant], "counted twice"

    def _store(self, sizes: dict[TenantId, int], owner: TenantId | None = None) -> None:
        shares: list[UsageShare] = [share(tenant, size) for tenant, size in sizes.items()]
        self.here.store(shares, owner)
        self.stored.update(sizes)

    def _subscribe(self, tenant: TenantId) -> None:
        """What was stored until the subscription begins to be reported is free: here it is all counted."""
        if self.here.record_store.of(tenant).live:
            return
        self._count_all()
        self.here.subscribe(tenant)
        self.here.follow_ups.follow_up(tenant)
        self.free[tenant] = self.stored[tenant]

    def _report(self, tenant: TenantId, step: Step) -> None:
        def cut_in() -> None:
            with suppress(RetryableError):
                self.here.report(tenant)

        with self._fated(step.reports, cut_in):
            for becomes, seconds in step.tries:
                self.here.fragile.answers = [becomes]
                with suppress(Crash, RetryableError):
                    self.here.report(tenant)
                self.check(tenant)
                self.here.wait(seconds)
        self.here.fragile.answers = []

    def _fated(self, fate: Fate, cut_in: Callable[[], object]) -> "_Fated":
        return _Fated(self.here, fate, cut_in)

    def _count_all(self) -> None:
        for _ in range(MAX_RUNS):
            self.here.meter()
            if not self.here.uncounted():
                return
        raise AssertionError("batches that are never counted")


@dataclass(frozen=True, slots=True)
class _Fated:
    """For the length of the block a fate threatens; who dies of it is dead, and the block is over."""

    here: MeteringWorld
    fate: Fate
    cut_in: Callable[[], object]

    def __enter__(self) -> None:
        does = self.cut_in if self.fate.cuts_in else None
        self.here.doom.arm(self.fate.at_write, before=self.fate.before, does=does)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.here.doom.arm(None, before=True)
        return kind is Crash


def drive(here: MeteringWorld, examples: int, *, control: bool = False) -> None:
    """Run schedules; raises what they find. A control's are the same each time, and are not made simpler."""
    phases = [Phase.explicit, Phase.generate] if control else list(Phase)

    def every(schedule: list[Step]) -> None:
        run = Run(here)
        for step in schedule:
            run.take(step)
            run.check()
        run.end()

    for known in KNOWN:
        every = example(known)(every)
    settings(
        max_examples=examples,
        derandomize=control,
        phases=phases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(schedules)(every))()
