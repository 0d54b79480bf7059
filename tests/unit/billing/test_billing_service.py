"""One way to change a book and a standing: read, decide, write, and start over when somebody was first."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions.billing.bookkeeper import Bookkeeper
from functions.billing.stripe_contract import StripeUnavailableError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import (
    CALENDAR,
    STRIPE,
    TRIES,
    BillingRecordBusyError,
    BillingService,
    NoAccountError,
)
from functions.shared.plans import GIGABYTE
from functions.shared.tenancy import TenantId
from tests.unit.billing.things import DAY, NOON, MemoryBooks, Playback, Silent, State, invoice, subscription

PERIOD_END = NOON + 30 * DAY


@dataclass
class Stored:
    """What was stored, by tenant."""

    bytes_of: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def used_bytes(self, tenant: TenantId, since: int, until: int) -> int:
        self.asked.append((tenant, since, until))
        return self.bytes_of.get(tenant, 0)


@dataclass
class Room:
    now: float = NOON + DAY
    records: MemoryBooks = field(default_factory=MemoryBooks)
    stored: Stored = field(default_factory=Stored)

    def __post_init__(self) -> None:
        state = State({"cus_a": [subscription(customer="cus_a")], "cus_g": []})
        self.stripe = Playback([state])
        self.acme, self.globex = self.records.open("acme", "cus_a"), self.records.open("globex", "cus_g")
        self.service = BillingService(
            self.records,
            self.stripe,  # type: ignore[arg-type]
            self.stored,
            Silent(),  # type: ignore[arg-type]
            Silent(),
            lambda: self.now,
        )

    def capped(self, tenant: TenantId, gigabytes: int | None) -> None:
        cap = None if gigabytes is None else gigabytes * GIGABYTE
        self.service.change(tenant, lambda record: replace(record, hard_cap_bytes=cap), CALENDAR)

    def refusal(self, tenant: str, at: float | None = None) -> str:
        return self.records.standings[tenant].refusal(self.now if at is None else at)


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_cap_that_is_reached_refuses_until_it_is_raised_or_the_period_is_over(room: Room) -> None:
    room.service.refresh(room.acme)
    room.stored.bytes_of = {"acme": 5 * GIGABYTE, "globex": 5 * GIGABYTE}
    room.capped(room.acme, 6)
    assert room.refusal(room.acme) == ""
    room.stored.bytes_of["acme"] = 6 * GIGABYTE
    room.service.recompute_status(room.acme)
    assert [room.refusal(each) for each in (room.acme, room.globex)] == ["quota_exceeded", ""]
    assert room.refusal(room.acme, PERIOD_END) == ""
    assert room.stored.asked[-1] == ("acme", NOON, PERIOD_END)
    room.capped(room.acme, 7)
    assert room.refusal(room.acme) == ""


def test_what_stripe_tells_does_not_lift_a_cap_and_a_cap_does_not_undo_what_stripe_told(room: Room) -> None:
    room.stored.bytes_of = {"acme": GIGABYTE}
    room.service.refresh(room.acme)
    room.capped(room.acme, 1)
    room.service.refresh(room.acme)
    assert room.refusal(room.acme) == "quota_exceeded"
    late = subscription(customer="cus_a", status="past_due")
    room.stripe.states = [State({"cus_a": [late]}, {"sub_1": [invoice("open", NOON)]})]
    room.service.refresh(room.acme)
    room.service.recompute_status(room.acme)
    account_status = room.records.standings[room.acme]
    assert (account_status.capped_until, account_status.end_reason) == (PERIOD_END, "payment_overdue")


def test_without_a_cap_nobody_asks_what_was_used(room: Room) -> None:
    room.service.refresh(room.acme)
    assert room.stored.asked == []


def test_settling_what_is_settled_writes_nothing_and_a_look_always_does(room: Room) -> None:
    room.service.refresh(room.acme)
    before = room.records.of(room.acme)
    assert room.service.recompute_status(room.acme) == before
    assert room.records.of(room.acme) == before
    again = room.service.refresh(room.acme)
    assert (again.version, again.subscription) == (before.version + 1, before.subscription)


def test_who_comes_late_decides_anew_with_what_is_there_then(room: Room) -> None:
    seen: list[int] = []

    def decide(record: BillingRecord) -> BillingRecord:
        seen.append(record.version)
        if len(seen) == 1:
            room.capped(room.acme, 9)
        return replace(record, soft_cap_bytes=1)

    room.service.change(room.acme, decide, CALENDAR)
    record = room.records.of(room.acme)
    assert (seen, record.soft_cap_bytes, record.hard_cap_bytes) == ([1, 2], 1, 9 * GIGABYTE)


def test_who_is_always_late_gives_up_and_may_come_again(room: Room) -> None:
    def decide(record: BillingRecord) -> BillingRecord:
        room.capped(room.acme, int(record.version) + 1)
        return replace(record, soft_cap_bytes=1)

    with pytest.raises(BillingRecordBusyError):
        room.service.change(room.acme, decide, CALENDAR)
    assert room.records.of(room.acme).version == 1 + TRIES
    assert room.records.of(room.acme).soft_cap_bytes is None


def test_without_an_account_there_is_nothing_to_change(room: Room) -> None:
    with pytest.raises(NoAccountError):
        room.service.refresh(TenantId("nobody"))


def test_while_stripe_is_silent_nothing_is_written(room: Room) -> None:
    def silent() -> None:
        raise StripeUnavailableError("silent")

    room.stripe.asked = silent
    with pytest.raises(StripeUnavailableError):
        room.service.refresh(room.acme)
    assert room.records.of(room.acme).version == 1


def test_a_change_is_written_with_its_entry_and_its_letter(room: Room) -> None:
    room.service.refresh(room.acme, STRIPE)
    assert room.records.written == [
        {"entry": ("acme", "subscription.begun", "sub_1")},
        {"mail": ("acme", "begun-sub_1", "billing_begun")},
    ]


def test_somebody_who_pays_twice_is_seen(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    both = [subscription("sub_1", customer="cus_a"), subscription("sub_2", customer="cus_a")]
    room.stripe.states = [State({"cus_a": both})]
    found: Any = room.service.refresh(room.acme)
    assert found.subscription.subscription_id == "sub_1"
    assert '"DoubleSubscriptions":1' in capsys.readouterr().out


def test_what_is_noted_as_told_is_what_was_told_although_the_moment_passes_meanwhile(room: Room) -> None:
    """A trial ends between the note and the letter: else nobody is told that it will end."""
    ends_at = NOON + 14 * DAY
    moments = itertools.chain([ends_at - 1.0], itertools.repeat(float(ends_at)))
    service = replace(room.service, clock=lambda: next(moments))
    Bookkeeper(service, room.records)._send_reminders(room.globex, ends_at)  # type: ignore[arg-type]
    letters = {each["mail"][1] for each in room.records.written if "mail" in each}
    assert letters == room.records.of(room.globex).told == {f"trial_ending-{ends_at}"}
