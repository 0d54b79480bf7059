"""Sixty days of many tenants whose plans change and whose logs come late, by a clock that is turned.

The planner and the terms are the real ones, the table is a dictionary, and lives.py, which knows nothing of
either, says of each row how long it had to be there and when it had to be gone.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.retention.handler import day_of
from functions.retention.limits import AccountRetention, limits_of, shortened
from functions.retention.plan import Partition, Rewriting, TenantRows
from functions.retention.purge import purge
from functions.shared.accounts.account_status import account_status_on
from functions.shared.accounts.retention_terms import RetentionTerms, terms_after
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId
from tests.examples import examples
from tests.unit.retention.lives import A_DAY, BEGINNING, Life

DAYS = 60
STANDINGS = {
    days: account_status_on(PLANS[name])
    for days, name in ((15, "managed_15"), (30, "managed_30"), (0, "byoc"))
}

Group = tuple[TenantId, date, date]
"""Tenant, day of expiry, day of receipt: rows that share these are treated alike."""


class Table:
    """The events table, by what its rows have in common."""

    def __init__(self) -> None:
        self.by_day: dict[date, dict[tuple[TenantId, date], int]] = defaultdict(dict)
        self.by_tenant: dict[TenantId, set[tuple[date, date]]] = defaultdict(set)
        self.removed: list[tuple[Group, int]] = []

    def load(self, group: Group, rows: int) -> None:
        tenant, expires_on, received_on = group
        held = self.by_day[expires_on]
        held[tenant, received_on] = held.get((tenant, received_on), 0) + rows
        self.by_tenant[tenant].add((expires_on, received_on))

    def has(self, group: Group) -> bool:
        tenant, expires_on, received_on = group
        return (tenant, received_on) in self.by_day.get(expires_on, {})

    def all(self) -> list[Partition]:
        return [Partition(day, sum(held.values()), 1) for day, held in self.by_day.items() if held]

    def expired(self, today: date) -> list[TenantRows]:
        return [
            TenantRows(tenant, day, received, rows)
            for day, held in self.by_day.items()
            if day < today
            for (tenant, received), rows in held.items()
        ]

    def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
        return [
            TenantRows(tenant, day, received, self.by_day[day][tenant, received])
            for tenant in tenants
            for day, received in self.by_tenant[tenant]
            if day >= today
        ]

    def oldest_received(self) -> str | None:
        return None

    def drop(self, partition: Partition) -> None:
        day = partition.expires_on
        for tenant, received in list(self.by_day[day]):
            self._remove((tenant, day, received))
        del self.by_day[day]

    def rewrite(self, rewritings: Sequence[Rewriting]) -> None:
        for each in rewritings:
            self._rewrite(each)

    def _rewrite(self, rewriting: Rewriting) -> None:
        day = rewriting.partition.expires_on
        cut_of = {tenant: cut.day for cut in rewriting.cuts for tenant in cut.tenants}
        for tenant, received in list(self.by_day[day]):
            stays = received >= cut_of[tenant] if tenant in cut_of else rewriting.others_stay
            if not stays:
                self._remove((tenant, day, received))

    def _remove(self, group: Group) -> None:
        tenant, expires_on, received_on = group
        self.removed.append((group, self.by_day[expires_on].pop((tenant, received_on))))
        self.by_tenant[tenant].discard((expires_on, received_on))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Rows that were received at one moment and are loaded at another."""

    tenant: TenantId
    received_at: datetime
    loaded_at: datetime


@dataclass(slots=True)
class Ending:
    """What became of the rows: `lost` too young, `outlived` their limit by over a day, `gone` in time."""

    lost: int = 0
    outlived: int = 0
    gone: int = 0
    discarded: int = 0
    longest_over: timedelta = timedelta()


class Story:
    """What happens to `table`: each tenant's plans, each arrival, each run of the purge."""

    def __init__(
        self,
        lives: dict[TenantId, Life],
        arrivals: list[Arrival],
        runs: list[datetime],
        table: Table | None = None,
    ) -> None:
        self.lives = lives
        self.terms = {tenant: RetentionTerms(life.changes[0][1]) for tenant, life in lives.items()}
        self.loads = sorted(arrivals, key=lambda each: each.loaded_at, reverse=True)
        self.changes = sorted(
            ((at, tenant, days) for tenant, life in lives.items() for at, days in life.changes[1:]),
            reverse=True,
        )
        self.runs = runs
        self.table = table or Table()
        self.loaded: dict[Group, datetime] = {}
        """When the last of the rows was loaded."""
        self.waiting: list[tuple[datetime, Group]] = []
        """Rows by the first moment they are not covered."""
        self.passed: set[Group] = set()
        """Rows whose first end has passed."""
        self.ending = Ending()

    def play(self) -> Ending:
        """Let it all happen in its order, and look at what each run took and what it left."""
        before = BEGINNING
        for now in self.runs:
            while self.changes and self.changes[-1][0] <= now:
                at, tenant, days = self.changes.pop()
                self.terms[tenant] = terms_after(self.terms[tenant], STANDINGS[days], int(at.timestamp()))
            while self.loads and self.loads[-1].loaded_at <= now:
                self._load(self.loads.pop())
            accounts = [AccountRetention(tenant, "", terms) for tenant, terms in self.terms.items()]
            moment = now.timestamp()
            done = purge(self.table, day_of(now), limits_of(accounts, moment), shortened(accounts, moment))
            assert (done.failed, done.undone) == (0, 0)
            self._judge_removed(before, now)
            self._judge_left(now)
            before = now
        return self.ending

    def _load(self, each: Arrival) -> None:
        received_on = each.received_at.date()
        stamp = received_on + timedelta(days=self.lives[each.tenant].plan_at(each.received_at))
        if stamp < each.loaded_at.date():
            self.ending.discarded += 1
            return
        group = (each.tenant, stamp, received_on)
        self.table.load(group, 1)
        self.loaded[group] = each.loaded_at
        heapq.heappush(self.waiting, (self.lives[each.tenant].ends(received_on)[0], group))

    def _judge_removed(self, before: datetime, now: datetime) -> None:
        """What was there until now was rightly so, and rightly went."""
        for group, rows in self.table.removed:
            tenant, _, received_on = group
            life, since = self.lives[tenant], max(before, self.loaded[group])
            just_ended = any(since < end <= now for end in life.ends(received_on))
            if life.covers(received_on, now) and not just_ended:
                self.ending.lost += rows
            else:
                self.ending.gone += rows
                self._judge_age(group, rows, now)
            self.passed.discard(group)
        self.table.removed.clear()

    def _judge_left(self, now: datetime) -> None:
        while self.waiting and self.waiting[0][0] <= now:
            self.passed.add(heapq.heappop(self.waiting)[1])
        for group in list(self.passed):
            if not self.table.has(group):
                self.passed.discard(group)
            elif not self.lives[group[0]].covers(group[2], now):
                self._judge_age(group, 1, now)

    def _judge_age(self, group: Group, rows: int, now: datetime) -> None:
        """How long after their end rows were there; what was loaded late is judged from then on."""
        ends = [each for each in self.lives[group[0]].ends(group[2]) if each <= now]
        over = now - max(self.loaded[group], *ends)
        self.ending.longest_over = max(self.ending.longest_over, over)
        self.ending.outlived += rows if over > A_DAY else 0


def story(
    chance: random.Random, tenants: int, runs_a_day: int, days: int = DAYS, table: Table | None = None
) -> Story:
    """A random one: a third of the tenants change plans, up to six times; a tenth of the rows are late."""
    lives, arrivals = {}, []
    for number in range(tenants):
        tenant = TenantId(f"tenant-{number}")
        changes = [(BEGINNING - timedelta(days=99), chance.choice([15, 30]))]
        if chance.random() < 0.35:
            moments = sorted(_moment(chance, 0, days) for _ in range(chance.randint(1, 6)))
            changes += [(at, chance.choice([15, 15, 30, 30, 0])) for at in moments]
        lives[tenant] = Life(changes)
        for day in range(days):
            received_at = _moment(chance, day, day + 1)
            if lives[tenant].plan_at(received_at):
                late = chance.choice([0] * 9 + [chance.random() * 20])
                loaded_at = received_at + timedelta(days=late, seconds=5)
                arrivals.append(Arrival(tenant, received_at, loaded_at))
    return Story(lives, arrivals, _runs(chance, runs_a_day, days), table)


def _moment(chance: random.Random, first: float, last: float) -> datetime:
    return BEGINNING + timedelta(seconds=round(chance.uniform(first, last) * 86_400))


def _runs(chance: random.Random, runs_a_day: int, days: int = DAYS) -> list[datetime]:
    """Runs at odd times; now and then there is none for most of a day."""
    runs, now = [], BEGINNING
    while now < BEGINNING + timedelta(days=days + 40):
        quiet = chance.random() < 0.02
        now += timedelta(
            hours=chance.uniform(15, 23) if quiet else chance.uniform(0.5, 1.5) * 24 / runs_a_day
        )
        runs.append(now)
    return runs


@settings(max_examples=1)
@given(st.integers(0, 10**9))
def test_a_thousand_tenants_for_sixty_days_lose_nothing_young_and_keep_nothing_old(seed: int) -> None:
    ending = story(random.Random(seed), tenants=1000, runs_a_day=2).play()
    assert (ending.lost, ending.outlived) == (0, 0)
    assert ending.longest_over < A_DAY
    assert ending.gone > 50_000


hours = st.integers(0, DAYS * 24 - 1)
changes = st.lists(st.tuples(hours, st.sampled_from([15, 30, 0])), max_size=6)
some_tenants = st.lists(st.tuples(st.sampled_from([15, 30]), changes), min_size=1, max_size=3)


@examples(40)
@given(some_tenants, st.lists(st.integers(0, 20), max_size=5), st.integers(0, 99))
def test_no_turn_of_events_does_either(
    reported: list[tuple[int, list[tuple[int, int]]]], late_days: list[int], seed: int
) -> None:
    """Each tenant sends a row a day; `late_days`: by how much some are late, in turns with others."""
    lives, came = {}, []
    for number, (plan, changed) in enumerate(reported):
        tenant = TenantId(f"tenant-{number}")
        moments = sorted((BEGINNING + timedelta(hours=hour), days) for hour, days in changed)
        lives[tenant] = Life([(BEGINNING - timedelta(days=99), plan), *moments])
        for day in range(DAYS):
            at = BEGINNING + timedelta(days=day, hours=(day * 7 + number) % 24)
            late = [0, 0, *late_days][day % (2 + len(late_days))]
            if lives[tenant].plan_at(at):
                came.append(Arrival(tenant, at, at + timedelta(days=late, seconds=5)))
    ending = Story(lives, came, _runs(random.Random(seed), runs_a_day=4)).play()
    assert (ending.lost, ending.outlived) == (0, 0)
    assert ending.gone + ending.discarded == len(came)
