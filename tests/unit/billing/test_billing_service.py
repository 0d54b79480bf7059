"""One way to change a record and a status: read, decide, write, and start over after a conflict."""

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
from tests.unit.billing.things import (
    DAY,
    NOON,
    MemoryBillingStore,
    MemoryLog,
    Playback,
    State,
    invoice,
    subscription,
)

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
class ServiceWorld:
    now: float = NOON + DAY
    records: MemoryBillingStore = field(default_factory=MemoryBillingStore)
    stored: Stored = field(default_factory=Stored)

    def __post_init__(self) -> None:
        state = State({"cus_a": [subscription(customer="cus_a")], "cus_g": []})
        self.stripe = Playback([state])
        self.acme, self.globex = self.records.open("acme", "cus_a"), self.records.open("globex", "cus_g")
        self.service = BillingService(
            self.records,
            self.stripe,  # type: ignore[arg-type]
            self.stored,
            MemoryLog(),  # type: ignore[arg-type]
            MemoryLog(),
            lambda: self.now,
        )

    def capped(self, tenant: TenantId, gigabytes: int | None) -> None:
        cap = None if gigabytes is None else gigabytes * GIGABYTE
        self.service.change(tenant, lambda record: replace(record, hard_cap_bytes=cap), CALENDAR)

    def refusal(self, tenant: str, at: float | None = None) -> str:
        return self.records.statuses[tenant].refusal(self.now if at is None else at)


@pytest.fixture
def here() -> ServiceWorld:
    return ServiceWorld()


def test_a_cap_that_is_reached_refuses_until_it_is_raised_or_the_period_is_over(here: ServiceWorld) -> None:
    here.service.refresh(here.acme)
    here.stored.bytes_of = {"acme": 5 * GIGABYTE, "globex": 5 * GIGABYTE}
    here.capped(here.acme, 6)
    assert here.refusal(here.acme) == ""
    here.stored.bytes_of["acme"] = 6 * GIGABYTE
    here.service.recompute_status(here.acme)
    assert [here.refusal(each) for each in (here.acme, here.globex)] == ["quota_exceeded", ""]
    assert here.refusal(here.acme, PERIOD_END) == ""
    assert here.stored.asked[-1] == ("acme", NOON, PERIOD_END)
    here.capped(here.acme, 7)
    assert here.refusal(here.acme) == ""


def test_an_event_does_not_lift_a_cap_and_a_cap_does_not_undo_an_event(here: ServiceWorld) -> None:
    here.stored.bytes_of = {"acme": GIGABYTE}
    here.service.refresh(here.acme)
    here.capped(here.acme, 1)
    here.service.refresh(here.acme)
    assert here.refusal(here.acme) == "quota_exceeded"
    late = subscription(customer="cus_a", status="past_due")
    here.stripe.states = [State({"cus_a": [late]}, {"sub_1": [invoice("open", NOON)]})]
    here.service.refresh(here.acme)
    here.service.recompute_status(here.acme)
    account_status = here.records.statuses[here.acme]
    assert (account_status.capped_until, account_status.end_reason) == (PERIOD_END, "payment_overdue")


def test_without_a_cap_usage_is_not_read(here: ServiceWorld) -> None:
    here.service.refresh(here.acme)
    assert here.stored.asked == []


def test_settling_what_is_settled_writes_nothing_and_a_look_always_does(here: ServiceWorld) -> None:
    here.service.refresh(here.acme)
    before = here.records.of(here.acme)
    assert here.service.recompute_status(here.acme) == before
    assert here.records.of(here.acme) == before
    again = here.service.refresh(here.acme)
    assert (again.version, again.subscription) == (before.version + 1, before.subscription)


def test_who_comes_late_decides_anew_with_what_is_there_then(here: ServiceWorld) -> None:
    seen: list[int] = []

    def decide(record: BillingRecord) -> BillingRecord:
        seen.append(record.version)
        if len(seen) == 1:
            here.capped(here.acme, 9)
        return replace(record, soft_cap_bytes=1)

    here.service.change(here.acme, decide, CALENDAR)
    record = here.records.of(here.acme)
    assert (seen, record.soft_cap_bytes, record.hard_cap_bytes) == ([1, 2], 1, 9 * GIGABYTE)


def test_a_process_that_always_loses_the_race_stops_and_may_retry(here: ServiceWorld) -> None:
    def decide(record: BillingRecord) -> BillingRecord:
        here.capped(here.acme, int(record.version) + 1)
        return replace(record, soft_cap_bytes=1)

    with pytest.raises(BillingRecordBusyError):
        here.service.change(here.acme, decide, CALENDAR)
    assert here.records.of(here.acme).version == 1 + TRIES
    assert here.records.of(here.acme).soft_cap_bytes is None


def test_without_an_account_there_is_nothing_to_change(here: ServiceWorld) -> None:
    with pytest.raises(NoAccountError):
        here.service.refresh(TenantId("nobody"))


def test_while_stripe_is_silent_nothing_is_written(here: ServiceWorld) -> None:
    def silent() -> None:
        raise StripeUnavailableError("silent")

    here.stripe.asked = silent
    with pytest.raises(StripeUnavailableError):
        here.service.refresh(here.acme)
    assert here.records.of(here.acme).version == 1


def test_a_change_is_written_with_its_entry_and_its_letter(here: ServiceWorld) -> None:
    here.service.refresh(here.acme, STRIPE)
    assert here.records.written == [
        {"entry": ("acme", "subscription.begun", "sub_1")},
        {"mail": ("acme", "begun-sub_1", "billing_begun")},
    ]


def test_a_customer_who_pays_twice_is_reported(
    here: ServiceWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [subscription("sub_1", customer="cus_a"), subscription("sub_2", customer="cus_a")]
    here.stripe.states = [State({"cus_a": both})]
    found: Any = here.service.refresh(here.acme)
    assert found.subscription.subscription_id == "sub_1"
    assert '"DoubleSubscriptions":1' in capsys.readouterr().out


def test_notices_recorded_are_the_notices_sent_although_time_passes_between(here: ServiceWorld) -> None:
    """A trial ends between the record and the mail: otherwise no mail says that it will end."""
    ends_at = NOON + 14 * DAY
    moments = itertools.chain([ends_at - 1.0], itertools.repeat(float(ends_at)))
    service = replace(here.service, clock=lambda: next(moments))
    Bookkeeper(service, here.records)._send_reminders(here.globex, ends_at)  # type: ignore[arg-type]
    letters = {each["mail"][1] for each in here.records.written if "mail" in each}
    assert letters == here.records.of(here.globex).reminders_sent == {f"trial_ending-{ends_at}"}
