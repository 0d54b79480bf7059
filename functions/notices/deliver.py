"""Deliver one notice to the people it concerns: at least once each, normally exactly once.

The recipients are decided just before each mail: a person who has opted out of marketing by then, or whose
address bounced, is not mailed. A mail is recorded once SES has accepted it. A crash before that, or a lost
answer of SES, sends this one mail twice, and no other.
"""

from dataclasses import dataclass
from typing import Literal

from functions.notices.letter import letter
from functions.notices.link import link
from functions.notices.notice import Notice, Tally
from functions.notices.outbox import Outbox
from functions.notices.readers import Reader, Readers
from functions.shared.account.announcements import Announcements
from functions.shared.account.mail import Mailer, MailError
from functions.shared.account.notices import MARKETING
from functions.shared.account.suppressions import Suppressions

Verdict = Literal["mailed", "suppressed", "opted_out", "gone", "not_taken"]


class UntoldError(MailError):
    """SES did not accept some mails of a notice; the others are recorded."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`api_address`: base URL of unsubscribe links."""

    outbox: Outbox
    readers: Readers
    suppressions: Suppressions
    announcements: Announcements
    mailer: Mailer
    api_address: str

    def deliver(self, notice: Notice) -> Tally:
        """Announce the notice, mail it to the people who have not been mailed yet, and settle it.

        Raises
        ------
        UntoldError: some people are still to be mailed.
        TurnOverError: another run has the notice.
        RetryableError: a table did not answer.
        """
        if notice.announce:
            self.announcements.publish(
                notice.tenant,
                notice.notice_id,
                notice.kind,
                notice.title,
                notice.text,
                notice.effective_on,
            )
        verdicts = [
            "mailed" if subject in notice.mailed else self._mail(notice, subject)
            for subject in self.readers.subjects(notice.tenant)
        ]
        if "not_taken" in verdicts:
            raise UntoldError("some of a notice's mails")
        counted = Tally(*(verdicts.count(each) for each in ("mailed", "suppressed", "opted_out")))
        self.outbox.settle(notice, counted)
        return counted

    def _mail(self, notice: Notice, subject: str) -> Verdict:
        reader = self._concerned(notice, subject)
        if not isinstance(reader, Reader):
            return reader
        if self.suppressions.holds(reader.email):
            return "suppressed"
        unsubscribe = link(self.api_address, reader.token or "") if notice.kind == MARKETING else None
        mail = letter(notice.tenant, notice.title, notice.text, notice.effective_on, unsubscribe)
        tags = {"tenant": str(notice.tenant), "person": subject}
        try:
            self.mailer.send(reader.email, mail.subject, mail.text, mail.headers, tags)
        except MailError:
            return "not_taken"
        self.outbox.note_mailed(notice, subject)
        return "mailed"

    def _concerned(self, notice: Notice, subject: str) -> Reader | Verdict:
        """The current reader, with a token for marketing; or the reason not to mail them."""
        reader = self.readers.get(subject)
        if notice.kind == MARKETING and reader and reader.marketing_opt_in:
            reader = self.readers.with_token(reader)
        if reader is None or reader.tenant != notice.tenant:
            return "gone"
        if notice.kind == MARKETING and not reader.marketing_opt_in:
            return "opted_out"
        return reader
