"""Close an account at Stripe: last usage, end of the subscription, last invoice, customer.

Each step reads the current state and does what remains. So a run that dies between two steps is continued by
the next run, and a repeated run does nothing. Waiting happens between runs: a run never sleeps.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from functions.billing.stripe_contract import StripeObject, StripeRefusedError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import CALENDAR, BillingService
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.subscriptions.notice_texts import BillingNotice
from functions.billing.subscriptions.subscription import ENDED, OWING
from functions.shared import journal

OVER_STATUSES = frozenset({"incomplete_expired", *ENDED})

State = Literal["closed", "loading", "reporting", "invoicing"]
"""What the closing waits for: nothing; loading of accepted logs, reporting of usage, a final invoice."""


class FinalUsage(Protocol):
    """The usage until the end of the subscription."""

    def all_reported(self, record: BillingRecord) -> bool:
        """Report the remaining usage to Stripe; returns whether nothing remains.

        False until a minute has passed since the last report: Stripe bills usage dated before a
        subscription's end, not usage dated in the same second as the end.
        """


@dataclass(frozen=True, slots=True)
class StripeOffboarding:
    """Closes accounts whose closing was requested (functions.shared.accounts.account_closings).

    `loading_seconds`: how long after the request accepted logs may still be loaded and counted.
    `invoice_seconds`: how long Stripe may take to add reported usage to the last invoice.
    """

    service: BillingService
    records: BillingStore
    final_usage: FinalUsage
    loading_seconds: int
    invoice_seconds: int

    def close(self, record: BillingRecord) -> State:
        """Continue the closing as far as possible now; `record` has the request and is not closed.

        Raises
        ------
        RetryableError, StripeRefusedError: a later run continues.
        """
        if record.checkout_session:
            # No further subscription can begin; one that has just begun is found below.
            self.service.stripe.expire_checkout(record.checkout_session)
        if record.customer_id and (waiting := self._end_at_stripe(record)):
            return waiting
        self._close_record(record)
        return "closed"

    def _end_at_stripe(self, record: BillingRecord) -> State | None:
        """The state to wait for, or None when Stripe has nothing of the account any more."""
        stripe = self.service.stripe
        if not stripe.customer_exists(record.customer_id):
            return None
        things = stripe.subscriptions(record.customer_id)
        running = [each for each in things if each["status"] not in OVER_STATUSES]
        if running:
            if waiting := self._usage_awaited(record):
                return waiting
            for each in running:
                stripe.cancel(each["id"], prorate=each["status"] not in OWING)
            things = stripe.subscriptions(record.customer_id)
        for each in things:
            if not self._invoiced(each, record):
                return "invoicing"
        stripe.delete_customer(record.customer_id)
        return None

    def _usage_awaited(self, record: BillingRecord) -> State | None:
        if self.service.clock() < (record.closing_requested_at or 0) + self.loading_seconds:
            return "loading"
        return None if self.final_usage.all_reported(record) else "reporting"

    def _invoiced(self, thing: StripeObject, record: BillingRecord) -> bool:
        """Whether the final invoices of a subscription are collected, as far as possible by card.

        A declined card does not stop the closing: that invoice stays open at Stripe.
        """
        ended_at = thing["ended_at"] or 0
        last = [
            each
            for each in self.service.stripe.invoices(thing["id"])
            if each["created"] >= ended_at and each["status"] in ("draft", "open")
        ]
        if last and self.service.clock() < ended_at + self.invoice_seconds:
            return False
        for each in last:
            try:
                self.service.stripe.collect(each["id"])
            except StripeRefusedError as refused:
                journal.write("last_invoice_unpaid", tenant_id=record.tenant, code=refused.code)
        return True

    def _close_record(self, record: BillingRecord) -> None:
        """Reduce the record to the closing and its times; remove the assignment of the Stripe customer."""
        now = int(self.service.clock())

        def closed(now_is: BillingRecord) -> BillingRecord:
            return BillingRecord(
                tenant=now_is.tenant,
                version=now_is.version,
                closing_requested_at=now_is.closing_requested_at,
                closed_at=now,
            )

        def notices(old: BillingRecord, _new: BillingRecord, _now: float) -> list[BillingNotice]:
            return [BillingNotice("account.billing_closed", str(old.tenant))]

        gone = [self.records.disowning(record.customer_id)] if record.customer_id else []
        self.service.change(record.tenant, closed, CALENDAR, also=lambda _new: gone, notices_for=notices)
