"""Bookkeeper: reminders that follow from the date, and subscription changes whose Stripe events were missed.

Trigger: the scheduler, every ten minutes. Promise: people of an account get one notice when a trial ends in
three days or has ended, and when a grace period ends tomorrow or has ended. A subscription that should have
changed by now, has an unpaid invoice, or may have begun on a checkout page, is read from Stripe without
waiting for an event. Failure: an account that could not be processed, or not in time, is counted; a later run
processes it. Rejecting and accepting logs does not depend on this function: the account status contains its
end times.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions.billing.stripe_contract import StripeApi
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import CALENDAR, BillingService
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.subscriptions.entitlements import SECONDS_A_DAY, TRIAL_ENDED
from functions.billing.subscriptions.notice_texts import BillingNotice
from functions.billing.subscriptions.reminders import MAX_LATE_DAYS, TRIAL_NOTICE_DAYS, reminders
from functions.billing.subscriptions.subscription import Subscription
from functions.billing.wiring import BillingSettings, billing_service_of, billing_store_of, stripe_client_of
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

FUNCTION = "bookkeeper"

EVENT_LATE_SECONDS = 2 * 3600
"""Stripe finalizes a renewal's invoice one hour after the period's end, and then takes the payment."""

REFRESH_AGAIN_SECONDS = 6 * 3600

RESERVE_SECONDS = 60
"""The longest time one account may take while Stripe does not answer."""

PAGE_SECONDS = 24 * 3600
"""How long a checkout page can be paid."""


@dataclass(frozen=True, slots=True)
class Settings(BillingSettings):
    pass


def needs_refresh(record: BillingRecord, now: float) -> bool:
    """Whether the subscription must have changed by `now`, or may have, without an event."""
    live = record.live
    if record.looked_at is None or now - record.looked_at < REFRESH_AGAIN_SECONDS:
        return False
    if live is None:
        return _may_be_paid(record, record.looked_at)
    trial_end = live.trial_end if live.status == "trialing" else None
    moments = [at for at in (live.period_end, live.ends_at, trial_end) if at is not None]
    return live.owing or min(moments) + EVENT_LATE_SECONDS <= now


def _may_be_paid(record: BillingRecord, looked_at: int) -> bool:
    """Whether a checkout page may have been paid since Stripe was last read."""
    return (
        record.checkout_at is not None and looked_at < record.checkout_at + PAGE_SECONDS + EVENT_LATE_SECONDS
    )


def _without_retry_time(record: BillingRecord) -> Subscription | None:
    """The subscription without the time of the next payment attempt: Stripe sends no event for that."""
    return replace(record.subscription, tries_again_at=None) if record.subscription else None


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Processes all accounts."""

    service: BillingService
    records: BillingStore

    def run(self, has_time: Callable[[], bool] = lambda: True) -> dict[str, int]:
        """Run once; returns how many accounts got notices, had missed changes, or failed.

        The order is random, so that a slow Stripe and a lack of time do not always skip the same accounts.
        """
        counts = {"notified": 0, "missed": 0, "failed": 0}
        now = self.service.clock()
        soonest, latest = now - MAX_LATE_DAYS * SECONDS_A_DAY, now + TRIAL_NOTICE_DAYS * SECONDS_A_DAY
        trials = dict(self.records.ending(TRIAL_ENDED, int(soonest), int(latest)))
        records = {
            record.tenant: record
            for record in self.records.all()
            if (record.live or record.checkout_at) and record.closed_at is None
        }
        left = random.sample(sorted({*trials, *records}), len({*trials, *records}))
        while left and has_time():
            tenant = left.pop()
            trial = trials.get(tenant)
            self._each(tenant, counts, trial.accepts_until if trial else None, records.get(tenant))
        counts["failed"] += len(left)
        return counts

    def _each(
        self,
        tenant: TenantId,
        counts: dict[str, int],
        trial_ends_at: int | None,
        record: BillingRecord | None = None,
    ) -> None:
        try:
            record = record or self.records.of(tenant)
            if needs_refresh(record, self.service.clock()):
                found = self.service.refresh(tenant)
                counts["missed"] += _without_retry_time(found) != _without_retry_time(record)
                record = found
            if reminders(record, trial_ends_at, self.service.clock()):
                self._send_reminders(tenant, trial_ends_at)
                counts["notified"] += 1
        except AstralogError as fault:
            counts["failed"] += 1
            journal.write("account_not_kept", tenant_id=tenant, error_type=type(fault).__name__)

    def _send_reminders(self, tenant: TenantId, trial_ends_at: int | None) -> None:
        """Write the notices, and in the record that they were written, both for the same point in time."""
        now = self.service.clock()

        def due(record: BillingRecord) -> list[BillingNotice]:
            return reminders(record, trial_ends_at, now)

        def with_reminders_sent(record: BillingRecord) -> BillingRecord:
            sent = {each.notice_id for each in due(record)}
            return replace(record, reminders_sent=record.reminders_sent | sent)

        def notices(old: BillingRecord, _new: BillingRecord, _now: float) -> Iterable[BillingNotice]:
            return due(old)

        self.service.change(tenant, with_reminders_sent, CALENDAR, notices_for=notices)


@cache
def _bookkeeper() -> Bookkeeper:
    settings = load(Settings)
    return bookkeeper(
        settings, open_client(), stripe_client_of(settings.stripe_secret, settings.stripe_address)
    )


def bookkeeper(
    settings: Settings, client: Any, stripe: StripeApi, clock: Callable[[], float] = time.time
) -> Bookkeeper:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    return Bookkeeper(
        billing_service_of(settings, client, stripe, clock=clock), billing_store_of(settings, client, clock)
    )


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    counts = _bookkeeper().run(lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000)
    journal.measure(
        FUNCTION,
        {"MissedEvents": (counts["missed"], "Count"), "AccountsNotKept": (counts["failed"], "Count")},
    )
    return counts
