"""Six events of a subscription's start, change and end: in every order, doubled, lost marks, two at once.

What Stripe had at each step and the events it sent are recorded from the fake Stripe, and played back to the
webhook's own logic. An event cannot come before the change it reports: the clock of the playback
stands at the latest change that was reported. This is the worst case: each handler sees as little as it
may. Two ways that look right and are not run through the same, and must end wrong.
"""

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from functions.billing.subscriptions import entitlements
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import STRIPE, BillingService, NoUsage
from functions.billing.subscriptions.subscription import chosen, snapshot
from functions.billing.subscriptions.webhook import StripeEvent, WebhookProcessor
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from tests.aws_environment import set_aws_environment
from tests.unit.billing.shop import Shop, shop
from tests.unit.billing.things import MemoryBillingStore, MemoryEvents, MemoryLog, Playback, State

SIX = (
    ("checkout.session.completed", 1),
    ("customer.subscription.created", 1),
    ("invoice.paid", 1),
    ("customer.subscription.updated", 2),
    ("customer.subscription.updated", 3),
    ("customer.subscription.deleted", 4),
)
"""Types of events, and the steps that they report."""


@dataclass(frozen=True)
class ReportedStep:
    """An event, and the step that it reports: the number of the state after it."""

    event: StripeEvent
    state: int


@dataclass(frozen=True)
class Recording:
    customer: str
    states: list[State]
    six: list[ReportedStep]
    now: int


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recording]:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with shop() as here:
            yield _record(here)


def _record(here: Shop) -> Recording:
    """A person buys, takes the dearer plan, cancels, and the period ends."""
    tenant = here.account("acme", short_trial(here))
    steps: list[Callable[[], Any]] = [
        lambda: here.buy(tenant),
        lambda: here.ask("POST /v1/billing/plan", tenant, {"plan": "managed_30"}),
        lambda: here.portal(tenant, "Cancel plan"),
        lambda: here.here.advance(32),
    ]
    states, reported = [State({})], []
    for number, step in enumerate(steps, start=1):
        step()
        customer = here.record(tenant).customer_id
        states.append(State({customer: here.gate.subscriptions(customer)}))
        for body, _ in here.pending():
            reported.append(ReportedStep(msgspec.json.decode(body, type=StripeEvent), number))
        # The rest of the steps need no webhook; the record is brought up to date for them.
        here.intake.service.refresh(tenant)
    six = [next(each for each in reported if (each.event.type, each.state) == wanted) for wanted in SIX]
    return Recording(customer, states, six, int(here.now()))


def short_trial(here: Shop) -> AccountStatus:
    """A trial too short to be kept."""
    return AccountStatus("trial", 15, 1, int(here.now()) + 3600, "trial_ended")


@dataclass
class Scene:
    """Two tenants with a billing record each, events about one of them; and Stripe, played back."""

    recording: Recording
    records: MemoryBillingStore = field(default_factory=MemoryBillingStore)
    events: MemoryEvents = field(default_factory=MemoryEvents)

    def __post_init__(self) -> None:
        self.stripe = Playback(self.recording.states)
        self.acme = self.records.open("acme", self.recording.customer)
        self.globex = self.records.open("globex", "cus_globex")
        service = BillingService(
            records=self.records,
            stripe=self.stripe,  # type: ignore[arg-type]
            usage=NoUsage(),
            audit=MemoryLog(),  # type: ignore[arg-type]
            outbox=MemoryLog(),
            clock=lambda: self.recording.now,
        )
        self.intake = WebhookProcessor(service, self.records, self.events, lambda: SecretText("unused"))

    def process(self, step: ReportedStep) -> None:
        self.stripe.at = max(self.stripe.at, step.state)
        assert self.intake.act(step.event) in ("done", "done_before")

    def wrong(self) -> str:
        """What differs from what Stripe has; empty when nothing does."""
        customer = self.recording.customer
        thing = chosen(self.stripe.subscriptions(customer))
        assert thing
        record, kept = self.records.of(self.acme), snapshot(thing)
        if record.subscription != kept:
            return f"the record has {record.subscription}, Stripe has {kept}"
        should = entitlements.entitled(
            BillingRecord(self.acme, subscription=kept),
            self.records.statuses[self.globex],
            0,
            self.recording.now,
        )
        if self.records.statuses[self.acme] != should:
            return f"the standing is {self.records.statuses[self.acme]}, and should be {should}"
        return "" if self.records.of(self.globex).version == 1 else "the other account was written to"


def test_every_order_of_the_six_ends_as_stripe_has_it(recorded: Recording) -> None:
    for order in itertools.permutations(recorded.six):
        scene = Scene(recorded)
        for step in order:
            scene.process(step)
        assert not scene.wrong(), [each.event.type for each in order]
        account_status = scene.records.statuses[scene.acme]
        assert (account_status.plan, account_status.refusal(recorded.now)) == (
            "managed_30",
            "subscription_ended",
        )


def test_every_order_with_duplicates_ends_the_same(recorded: Recording) -> None:
    """Each event twice, the second time anywhere; and once more with all marks lost, as if each had died."""
    for number, order in enumerate(itertools.permutations(recorded.six)):
        seed = random.Random(number)
        doubled = [*order]
        for step in order:
            doubled.insert(seed.randrange(doubled.index(step) + 1, len(doubled) + 1), step)
        for forgets in (False, True):
            scene = Scene(recorded, events=MemoryEvents(forgets=forgets))
            for step in doubled:
                scene.process(step)
            assert not scene.wrong(), (forgets, [each.event.type for each in doubled])


def test_who_believes_what_the_last_event_says_ends_wrong(recorded: Recording) -> None:
    """A control: the object in the event, which is how a webhook is mostly written."""
    wrong = 0
    for order in itertools.permutations(recorded.six):
        scene = Scene(recorded)
        for step in order:
            scene.stripe.at = step.state
            scene.intake.act(step.event)
        scene.stripe.at = len(recorded.states) - 1
        wrong += bool(scene.wrong())
    assert wrong > 300


# Two handlers at once.

STEPS = ("reads", "asks", "writes")


@dataclass
class Turns:
    """Lets threads continue one step at a time, in a given order; after it, as they like."""

    order: Sequence[str]
    move: Callable[[], None]
    """What Stripe does at its turn, `S`."""

    def __post_init__(self) -> None:
        self._left = list(self.order)
        self._changed = threading.Condition()

    def wait(self, name: str) -> None:
        with self._changed:
            while self._left and self._left[0] != name and name in self._left:
                if self._left[0] == "S":
                    self._step()
                else:
                    assert self._changed.wait(10)
            if self._left and self._left[0] == name:
                self._step()

    def over(self, name: str) -> None:
        """`name` takes no more turns."""
        with self._changed:
            self._left = [each for each in self._left if each != name]
            while self._left and self._left[0] == "S":
                self._step()
            self._changed.notify_all()

    def _step(self) -> None:
        if self._left.pop(0) == "S":
            self.move()
        self._changed.notify_all()


def race(scene: Scene, first: ReportedStep, second: ReportedStep, turns: Turns) -> None:
    """Both at once, each in a thread of its own, which waits for its turn before each step."""
    whose = threading.local()
    plain_of, plain_write = scene.records.of, scene.records.write

    def turn() -> None:
        if hasattr(whose, "name"):
            turns.wait(whose.name)

    def of(tenant: TenantId) -> BillingRecord:
        turn()
        return plain_of(tenant)

    def write(*args: Any, **kwargs: Any) -> BillingRecord:
        turn()
        return plain_write(*args, **kwargs)

    scene.stripe.asked = turn
    scene.records.of, scene.records.write = of, write  # type: ignore[method-assign]

    def run(name: str, step: ReportedStep) -> None:
        whose.name = name
        try:
            scene.intake.act(step.event)
        finally:
            turns.over(name)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(run, "A", first), pool.submit(run, "B", second)]:
            each.result(20)
    scene.stripe.asked = lambda: None
    scene.records.of, scene.records.write = plain_of, plain_write  # type: ignore[method-assign]


def orders_of_two() -> list[str]:
    """All ways in which A's three steps lie among Stripe's move and B's three, which come after it."""
    found = []
    for places in itertools.combinations(range(7), 3):
        theirs = iter("SBBB")
        found.append("".join("A" if place in places else next(theirs) for place in range(7)))
    return found


def pairs(recorded: Recording) -> list[tuple[list[State], int]]:
    """Tracks of three states: before A's event, after it, after B's; the last is there and back again."""
    states = recorded.states
    return [([*states[n : n + 3]], n) for n in range(len(states) - 2)] + [
        ([states[1], states[2], states[1]], 0)
    ]


def raced(recorded: Recording, careless: bool = False, always: bool = True) -> list[str]:
    """What was wrong after each race."""
    found = []
    for states, _ in pairs(recorded):
        for order in orders_of_two():
            scene = Scene(replace(recorded, states=states))
            if states[0].subscriptions:
                scene.intake.service.refresh(scene.acme)
            scene.records.careless = careless
            scene.stripe.at = 1
            if not always:
                _only_when_it_differs(scene)

            def move(scene: Scene = scene) -> None:
                scene.stripe.at = 2

            race(scene, recorded.six[1], recorded.six[3], Turns(order, move))
            if wrong := scene.wrong():
                found.append(f"{order}: {wrong}")
    return found


def _only_when_it_differs(scene: Scene) -> None:
    """A look that shows what is in the record already is not written."""
    service = scene.intake.service

    def refresh(_self: Any, event: StripeEvent) -> str:
        service.change(
            scene.acme,
            lambda record: replace(service.with_stripe_state(record), looked_at=record.looked_at),
            STRIPE,
        )
        return event.id

    object.__setattr__(scene, "intake", _Acting(refresh))


@dataclass
class _Acting:
    refresh: Callable[[Any, StripeEvent], str]

    def act(self, event: StripeEvent) -> str:
        return self.refresh(self, event)


def test_two_handlers_at_once_end_as_stripe_has_it_whichever_is_first(recorded: Recording) -> None:
    assert raced(recorded) == []


def test_who_writes_without_looking_at_the_version_ends_wrong(recorded: Recording) -> None:
    assert len(raced(recorded, careless=True)) > 3


def test_who_does_not_write_what_is_there_already_ends_wrong(recorded: Recording) -> None:
    """There and back again: a look from in between lies in wait for a record that seems unchanged."""
    assert raced(recorded, always=False) != []


def test_two_of_the_same_event_at_once_end_the_same(recorded: Recording) -> None:
    for order in orders_of_two():
        scene = Scene(replace(recorded, states=recorded.states[:3]))
        scene.stripe.at = 2
        race(scene, recorded.six[3], recorded.six[3], Turns(order, lambda: None))
        assert not scene.wrong(), order
