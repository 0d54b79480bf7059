"""Follow-up for an account when its usage has grown, and every hour: idempotent, from stored data.

Reporting begins for a new subscription, so that earlier usage is not billed. The customer's caps are compared
with the period's usage: notices are written to the outbox, and the account status is recomputed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.billing.reporting.meter_event_sender import start_reporting
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.entitlements import limit_bytes, period
from functions.billing.usage.caps import cap_notices, caps_of
from functions.billing.usage.usage_store import UsageStore
from functions.shared import journal
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.errors import AstralogError
from functions.shared.tenancy import TenantId


class RecordReader(Protocol):
    """Methods used of functions.billing.subscriptions.billing_store.BillingStore."""

    def of(self, tenant: TenantId) -> BillingRecord: ...
    def account_status(self, tenant: TenantId) -> AccountStatus | None: ...


class StatusUpdater(Protocol):
    """Methods used of functions.billing.subscriptions.billing_service.BillingService."""

    def recompute_status(self, tenant: TenantId) -> BillingRecord: ...


class CapOutbox(Protocol):
    """Methods used of functions.shared.accounts.notice_outbox.NoticeOutbox."""

    def put(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Follows up accounts. `clock`: Unix seconds."""

    records: RecordReader
    usage: UsageStore
    service: StatusUpdater
    outbox: CapOutbox
    clock: Callable[[], float] = time.time

    def try_follow_up(self, tenant: TenantId) -> bool:
        """Follow up one of many accounts; a failure is logged and does not affect the others."""
        try:
            self.follow_up(tenant)
        except AstralogError as fault:
            journal.write("account_not_looked_after", tenant_id=tenant, error_type=type(fault).__name__)
            return False
        return True

    def follow_up(self, tenant: TenantId) -> None:
        """Follow up one account, see above; raises the errors of the stores and of conflicting writes.

        If the account is gone, its usage is deleted: its last batches may be counted after its erasure.
        """
        if self.records.account_status(tenant) is None:
            self.usage.delete_all(tenant)
            return
        record = self.records.of(tenant)
        tally = self.usage.tally(tenant)
        start_reporting(record, tally.reported, tally.raw_bytes, self.usage)
        self.check_caps(record)

    def check_caps(self, record: BillingRecord) -> None:
        """Notify of caps that are nearly or fully reached; apply or lift a hard cap.

        Accounts that are being closed get no notices; their logs are rejected anyway.
        """
        account_status = self.records.account_status(record.tenant)
        leaving = record.closing_requested_at is not None
        if account_status is None or leaving or not (caps := caps_of(record, account_status)):
            return
        since, until = period(record, self.clock())
        used_bytes = self.usage.used_bytes(record.tenant, since, until)
        for each in cap_notices(caps, used_bytes, since):
            self.outbox.put(record.tenant, each.notice_id, each.kind, each.title, each.text)
        if limit_bytes(record, account_status) is not None:
            self.service.recompute_status(record.tenant)
