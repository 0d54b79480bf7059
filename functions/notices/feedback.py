"""Mail feedback: stop mail to addresses that bounced permanently or complained.

Trigger: SQS, with SES events through SNS; the queue accepts messages of no other source.
Promise: an address that does not exist, or whose owner complained, is suppressed. A person who complained is
also opted out of marketing, even if their address changes. A temporary bounce changes nothing. A repeated
event changes nothing. Nothing is stored about a person whose account has been erased: no mail is sent to them
any more.
Failure: a message that could not be processed is redelivered; a message that is not an SES event ends in the
dead-letter queue, for the operator to inspect.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.notices.consent import MarketingConsent
from functions.notices.recipients import Recipients
from functions.notices.ses_events import MailOutcome, OutcomeKind, parse_event
from functions.shared import journal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.batch import PartialItemFailureResponse, SQSRecord, process_records
from functions.shared.errors import AstralogError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "mail-feedback"


@dataclass(frozen=True, slots=True)
class Settings:
    people_table: str
    suppressions_table: str
    audit_table: str


@dataclass(frozen=True, slots=True)
class FeedbackService:
    suppressions: Suppressions
    recipients: Recipients
    consent: MarketingConsent

    def process(self, outcome: MailOutcome) -> None:
        """Suppress addresses and withdraw consent as the event requires; raises StoreUnavailableError."""
        recipient = self.recipients.get(outcome.person) if outcome.person else None
        if outcome.what == "other" or (outcome.person and recipient is None):
            return
        for address in outcome.addresses:
            self.suppressions.add(address, outcome.what)
        if outcome.what == "complaint" and recipient:
            self.consent.withdraw(recipient, Origin(f"complaint:{recipient.subject}", "", ""))


@cache
def _feedback_service() -> FeedbackService:
    return feedback_service(load(Settings), open_client())


def feedback_service(
    settings: Settings, client: Any, clock: Callable[[], float] = time.time
) -> FeedbackService:
    """Create the parts with one DynamoDB client."""
    consent = MarketingConsent(settings.people_table, AuditTrail(settings.audit_table, client, clock), client)
    suppressions = Suppressions(settings.suppressions_table, client, clock)
    return FeedbackService(suppressions, Recipients(settings.people_table, client), consent)


@instrumented
def handler(event: dict[str, Any], _context: Any) -> PartialItemFailureResponse:
    return process_batch(event, _feedback_service())


def process_batch(event: dict[str, Any], feedback_service: FeedbackService) -> PartialItemFailureResponse:
    """The response to an SQS event: which messages are to be redelivered."""
    counts: Counter[OutcomeKind] = Counter()

    def process(record: SQSRecord) -> None:
        try:
            outcome = parse_event(record)
            feedback_service.process(outcome)
        except AstralogError as fault:
            journal.write("mail_event_not_handled", error_type=type(fault).__name__)
            raise
        counts[outcome.what] += 1

    response = process_records(event, process)
    journal.measure(
        FUNCTION, {"Bounces": (counts["bounce"], "Count"), "Complaints": (counts["complaint"], "Count")}
    )
    return response
