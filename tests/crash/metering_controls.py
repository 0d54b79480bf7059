"""Ways that look right and are not, so that the schedules show that they detect them. Test code only."""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from functions.billing.meter import Meter
from functions.billing.reporting.meter_event_sender import MeterEventSender
from functions.billing.reporting.reported_usage import PendingReport, ReportedUsage
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.usage.count_transactions import CountTransaction
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.transaction import write_all


class NeverLooks(MeterEventSender):
    """Sends again, and leaves it to Stripe to know the identifier, however long ago that was."""

    def _found(self, _report: PendingReport) -> bool:
        return False


class AnotherNameEachTime(MeterEventSender):
    """An identifier for each request, as a client that retries by itself would make one."""

    def _send(self, record: BillingRecord, reported: ReportedUsage, report: PendingReport) -> ReportedUsage:
        return super()._send(record, reported, replace(report, identifier=uuid4().hex))


class NothingWrittenDown(MeterEventSender):
    """Reports the difference between counted and reported usage, and only then writes it down."""

    def report(self, record: BillingRecord) -> ReportedUsage:
        tally = self.usage.tally(record.tenant)
        left = tally.reported.left_bytes(tally.raw_bytes)
        if left and record.live and tally.reported.subscription_id:
            report = PendingReport(
                uuid4().hex, left, record.customer_id, 0, int(self.clock()), int(self.clock())
            )
            return self._send(record, tally.reported, report)
        return tally.reported


class DatedOnce(MeterEventSender):
    """Finds what it looks for in the first minute only, although it was sent in others since."""

    def _found(self, report: PendingReport) -> bool:
        return super()._found(replace(report, last_dated=report.first_dated))


class AddsThenMarks(Meter):
    """Adds first, and marks what was added as counted by a write of its own."""

    def _write(self, count: CountTransaction) -> bool:
        write_all(self._client, self._usage.added(count))
        with suppress(ConditionFailedError):
            write_all(self._client, [self._batches.marked(mark) for mark in count.marks])
        return True


class MarksThenAdds(Meter):
    """The other way round."""

    def _write(self, count: CountTransaction) -> bool:
        with suppress(ConditionFailedError):
            write_all(self._client, [self._batches.marked(mark) for mark in count.marks])
            write_all(self._client, self._usage.added(count))
        return True


REPORTERS = (NeverLooks, AnotherNameEachTime, NothingWrittenDown, DatedOnce)
METERS = (AddsThenMarks, MarksThenAdds)
