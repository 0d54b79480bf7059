"""Notifier: mail notices and show them in the dashboard.

Trigger: the scheduler, every minute.
Promise: each due notice reaches each person it concerns, at least once. Only a mail that was being sent
during a crash may be sent twice. Notices to one account come first, then campaigns about downtime, then other
campaigns. Marketing reaches only people who are opted in when it is sent, with an unsubscribe link. No mail
goes to an address that bounced or complained.
Failure: a notice that SES does not accept is retried after one minute, then two, up to an hour. It is
abandoned after MAX_TRIES, about a day, which raises an alarm. The run ends early when SES accepts
nothing at all: mails of MOST_FAILURES accounts in a row failed. Failed mails of a single account, however
many, do not end a run.
A notice is taken before it is sent, which moves it to the end of the due notices: after a crash in the middle
of one, the others come first.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from functions.notices.delivery import Delivery
from functions.notices.notice import Notice
from functions.notices.outbox import NoticeLeaseLostError, Outbox, backoff_seconds
from functions.notices.recipients import Recipients
from functions.shared import journal
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.mail import Mailer
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.errors import RetryableError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

FUNCTION = "notifier"

MAX_TRIES = 30
MOST_FAILURES = 3
"""After failed notices of so many accounts in a row, the run assumes that SES accepts nothing."""

RESERVED_SECONDS = 30
"""Time that one notice may take; with less left, none is started."""


@dataclass(frozen=True, slots=True)
class Settings:
    notices_table: str
    people_table: str
    suppressions_table: str
    announcements_table: str
    api_address: str
    docs_address: str
    mail_from: str
    mail_set: str


@dataclass
class NotifierRun:
    """Counts of a run. `most_tries`: of a postponed notice; `failing`: accounts that failed in a row."""

    settled: int = 0
    mailed: int = 0
    suppressed: int = 0
    postponed: int = 0
    abandoned: int = 0
    most_tries: int = 0
    failing: set[TenantId] = field(default_factory=set, repr=False)


@dataclass(frozen=True, slots=True)
class Notifier:
    outbox: Outbox
    delivery: Delivery

    def run(self, seconds_left: Callable[[], float]) -> NotifierRun:
        """Send the due notices while there is time."""
        run = NotifierRun()
        while self._send_some(run, seconds_left):
            pass
        return run

    def _send_some(self, run: NotifierRun, seconds_left: Callable[[], float]) -> bool:
        """Whether there may be more to send. The index may still list notices that can no longer be taken."""
        taken = False
        for due in self.outbox.due():
            if len(run.failing) >= MOST_FAILURES or seconds_left() < RESERVED_SECONDS:
                return False
            if notice := self.outbox.acquire(due):
                taken = True
                self._send(notice, run)
        return taken

    def _send(self, notice: Notice, run: NotifierRun) -> None:
        try:
            tally = self.delivery.deliver(notice)
        except NoticeLeaseLostError:
            return
        except RetryableError as fault:
            self._postpone_or_abandon(notice, run, fault)
            return
        run.failing.clear()
        run.settled += 1
        run.mailed += tally.mailed
        run.suppressed += tally.suppressed

    def _postpone_or_abandon(self, notice: Notice, run: NotifierRun, fault: RetryableError) -> None:
        run.failing.add(notice.tenant)
        run.most_tries = max(run.most_tries, notice.tries)
        if notice.tries < MAX_TRIES:
            run.postponed += 1
            self.outbox.postpone(notice, backoff_seconds(notice.tries))
            return
        try:
            self.outbox.abandon(notice)
        except NoticeLeaseLostError:
            return
        run.abandoned += 1
        journal.write(
            "notice_abandoned",
            tenant_id=notice.tenant,
            notice=notice.notice_id,
            attempt=notice.tries,
            error_type=type(fault).__name__,
        )


@cache
def _notifier() -> Notifier:
    settings, client = load(Settings), open_client()
    outbox = Outbox(settings.notices_table, client, time.time)
    delivery = Delivery(
        outbox,
        Recipients(settings.people_table, client),
        Suppressions(settings.suppressions_table, client),
        Announcements(settings.announcements_table, client),
        Mailer(settings.mail_from, settings.mail_set),
        settings.api_address.rstrip("/"),
        settings.docs_address.rstrip("/"),
    )
    return Notifier(outbox, delivery)


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    run = _notifier().run(lambda: context.get_remaining_time_in_millis() / 1000)
    journal.measure(
        FUNCTION,
        {
            "NoticesSettled": (run.settled, "Count"),
            "NoticesPostponed": (run.postponed, "Count"),
            "NoticesAbandoned": (run.abandoned, "Count"),
            "MailsSuppressed": (run.suppressed, "Count"),
            "MostTries": (run.most_tries, "Count"),
        },
    )
    return {
        "settled": run.settled,
        "mailed": run.mailed,
        "postponed": run.postponed,
        "abandoned": run.abandoned,
    }
