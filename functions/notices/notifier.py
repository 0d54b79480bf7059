"""Notifier: what people are to be told is mailed and shown in the dashboard.

Trigger: the scheduler, every minute. Promise: each notice that is due reaches everybody it concerns, at least
once; of those that were mailed nobody is mailed again but whoever's mail was under way when a run died. What
concerns one account goes before what goes to many, and of that an outage before all else. Marketing reaches
those alone who have opted in at the moment it is sent, with a link to unsubscribe; an address that bounced or
complained is not mailed anything.
Failure: a notice that SES does not take is tried again after a minute, then two, up to an hour, and given up
after MAX_TRIES, a good day, which wakes somebody. When SES takes nothing at all the run ends early: that is
so when mails of MOST_FAILURES accounts in a row failed. One account's mails, however many fail, end no run.
A notice is taken before it is sent, which moves it to the end of those that are due: a run that dies in the
middle of one leaves the others first.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from functions.notices.deliver import Delivery
from functions.notices.notice import Notice
from functions.notices.outbox import Outbox, TurnOverError, pause_seconds
from functions.notices.readers import Readers
from functions.shared import journal
from functions.shared.account.announcements import Announcements
from functions.shared.account.mail import Mailer
from functions.shared.account.suppressions import Suppressions
from functions.shared.dynamo.answers import open_client
from functions.shared.errors import RetryableError
from functions.shared.settings import load
from functions.shared.tenancy import TenantId

FUNCTION = "notifier"

MAX_TRIES = 30
MOST_FAILURES = 3
"""So many accounts in a row, of which SES did not take a notice: it takes none."""

RESERVED_SECONDS = 30
"""What a notice may take; none is begun with less left."""


@dataclass(frozen=True, slots=True)
class Settings:
    notices_table: str
    people_table: str
    suppressions_table: str
    announcements_table: str
    api_address: str
    mail_from: str
    mail_set: str


@dataclass
class Run:
    """What a run did. `most_tries`: of a notice that was not taken; `failing`: accounts of those in a row."""

    settled: int = 0
    mailed: int = 0
    suppressed: int = 0
    postponed: int = 0
    given_up: int = 0
    most_tries: int = 0
    failing: set[TenantId] = field(default_factory=set, repr=False)


@dataclass(frozen=True, slots=True)
class Notifier:
    outbox: Outbox
    delivery: Delivery

    def run(self, seconds_left: Callable[[], float]) -> Run:
        """Send what is due, for as long as there is time."""
        run = Run()
        while self._some_sent(run, seconds_left):
            pass
        return run

    def _some_sent(self, run: Run, seconds_left: Callable[[], float]) -> bool:
        """Whether there may be more to do. The index may still tell of what nobody can take any more."""
        taken = False
        for due in self.outbox.due():
            if len(run.failing) >= MOST_FAILURES or seconds_left() < RESERVED_SECONDS:
                return False
            if notice := self.outbox.take(due):
                taken = True
                self._send(notice, run)
        return taken

    def _send(self, notice: Notice, run: Run) -> None:
        try:
            tally = self.delivery.deliver(notice)
        except TurnOverError:
            return
        except RetryableError as fault:
            self._put_off(notice, run, fault)
            return
        run.failing.clear()
        run.settled += 1
        run.mailed += tally.mailed
        run.suppressed += tally.suppressed

    def _put_off(self, notice: Notice, run: Run, fault: RetryableError) -> None:
        run.failing.add(notice.tenant)
        run.most_tries = max(run.most_tries, notice.tries)
        if notice.tries < MAX_TRIES:
            run.postponed += 1
            self.outbox.postpone(notice, pause_seconds(notice.tries))
            return
        try:
            self.outbox.give_up(notice)
        except TurnOverError:
            return
        run.given_up += 1
        journal.write(
            "notice_given_up",
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
        Readers(settings.people_table, client),
        Suppressions(settings.suppressions_table, client),
        Announcements(settings.announcements_table, client),
        Mailer(settings.mail_from, settings.mail_set),
        settings.api_address,
    )
    return Notifier(outbox, delivery)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    run = _notifier().run(lambda: context.get_remaining_time_in_millis() / 1000)
    journal.measure(
        FUNCTION,
        {
            "NoticesSettled": (run.settled, "Count"),
            "NoticesPostponed": (run.postponed, "Count"),
            "NoticesGivenUp": (run.given_up, "Count"),
            "MailsSuppressed": (run.suppressed, "Count"),
            "MostTries": (run.most_tries, "Count"),
        },
    )
    return {
        "settled": run.settled,
        "mailed": run.mailed,
        "postponed": run.postponed,
        "given_up": run.given_up,
    }
