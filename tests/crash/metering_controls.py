"""Ways that look right and are not, so that the schedules show that they can tell. Test code only."""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from functions.billing.book import Book
from functions.billing.meter import Meter
from functions.billing.metering import Count
from functions.billing.reporter import Reporter
from functions.billing.reporting import Report, Reported
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.transaction import write_all


class NeverLooks(Reporter):
    """Sends again, and leaves it to Stripe to know the identifier, however long ago that was."""

    def _found(self, _report: Report) -> bool:
        return False


class AnotherNameEachTime(Reporter):
    """An identifier for each request, as a client that retries by itself would make one."""

    def _sent(self, book: Book, reported: Reported, report: Report) -> Reported:
        return super()._sent(book, reported, replace(report, identifier=uuid4().hex))


class NothingWrittenDown(Reporter):
    """Tells the difference between what was counted and what was told, and only then writes it down."""

    def report(self, book: Book) -> Reported:
        tally = self.usage.tally(book.tenant)
        left = tally.reported.left_bytes(tally.raw_bytes)
        if left and book.live and tally.reported.subscription_id:
            report = Report(uuid4().hex, left, book.customer_id, 0, int(self.clock()), int(self.clock()))
            return self._sent(book, tally.reported, report)
        return tally.reported


class DatedOnce(Reporter):
    """Finds what it looks for in the first minute only, although it was sent in others since."""

    def _found(self, report: Report) -> bool:
        return super()._found(replace(report, last_dated=report.first_dated))


class AddsThenMarks(Meter):
    """Adds first, and marks what was added as counted by a write of its own."""

    def _written(self, count: Count) -> bool:
        write_all(self._client, self._usage.added(count))
        with suppress(ConditionFailedError):
            write_all(self._client, [self._batches.marked(mark) for mark in count.marks])
        return True


class MarksThenAdds(Meter):
    """The other way round."""

    def _written(self, count: Count) -> bool:
        with suppress(ConditionFailedError):
            write_all(self._client, [self._batches.marked(mark) for mark in count.marks])
            write_all(self._client, self._usage.added(count))
        return True


REPORTERS = (NeverLooks, AnotherNameEachTime, NothingWrittenDown, DatedOnce)
METERS = (AddsThenMarks, MarksThenAdds)
