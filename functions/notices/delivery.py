"""Deliver one notice to the people it concerns: at least once each, normally exactly once.

The recipients are decided just before each mail: a person who has opted out of marketing by then, or whose
address bounced, is not mailed. A mail is recorded once SES has accepted it. A crash before that, or a lost
answer of SES, sends this one mail twice, and no other.
"""

from dataclasses import dataclass, replace
from typing import Literal

from functions.notices.notice import Notice, RecipientCounts
from functions.notices.notice_email import compose_email
from functions.notices.outbox import Outbox
from functions.notices.recipients import Recipient, Recipients
from functions.notices.unsubscribe_link import link
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.mail import Mailer, MailError
from functions.shared.accounts.notice_links import with_addresses
from functions.shared.accounts.notice_outbox import MARKETING
from functions.shared.accounts.suppressions import Suppressions

Verdict = Literal["mailed", "suppressed", "opted_out", "gone", "not_taken"]


class DeliveryIncompleteError(MailError):
    """SES did not accept some mails of a notice; the others are recorded."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`api_address` and `docs_address`: base URLs of links, without a slash at the end."""

    outbox: Outbox
    recipients: Recipients
    suppressions: Suppressions
    announcements: Announcements
    mailer: Mailer
    api_address: str
    docs_address: str

    def deliver(self, notice: Notice) -> RecipientCounts:
        """Announce the notice, mail it to the people who have not been mailed yet, and settle it.

        Raises
        ------
        DeliveryIncompleteError: some people are still to be mailed.
        NoticeLeaseLostError: another run has the notice.
        RetryableError: a table did not answer.
        """
        notice = replace(notice, text=with_addresses(notice.text, self.api_address, self.docs_address))
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
            for subject in self.recipients.subjects(notice.tenant)
        ]
        if "not_taken" in verdicts:
            raise DeliveryIncompleteError("some of a notice's mails")
        counted = RecipientCounts(*(verdicts.count(each) for each in ("mailed", "suppressed", "opted_out")))
        self.outbox.settle(notice, counted)
        return counted

    def _mail(self, notice: Notice, subject: str) -> Verdict:
        recipient = self._concerned(notice, subject)
        if not isinstance(recipient, Recipient):
            return recipient
        if self.suppressions.holds(recipient.email):
            return "suppressed"
        unsubscribe = link(self.api_address, recipient.token or "") if notice.kind == MARKETING else None
        mail = compose_email(notice.tenant, notice.title, notice.text, notice.effective_on, unsubscribe)
        tags = {"tenant": str(notice.tenant), "person": subject}
        try:
            self.mailer.send(recipient.email, mail.subject, mail.text, mail.headers, tags)
        except MailError:
            return "not_taken"
        self.outbox.note_mailed(notice, subject)
        return "mailed"

    def _concerned(self, notice: Notice, subject: str) -> Recipient | Verdict:
        """The current reader, with a token for marketing; or the reason not to mail them."""
        recipient = self.recipients.get(subject)
        if notice.kind == MARKETING and recipient and recipient.marketing_opt_in:
            recipient = self.recipients.with_token(recipient)
        if recipient is None or recipient.tenant != notice.tenant:
            return "gone"
        if notice.kind == MARKETING and not recipient.marketing_opt_in:
            return "opted_out"
        return recipient
