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
from functions.shared.dynamo.answers import open_client
from functions.shared.errors import AstralogError
from functions.shared.settings import load

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


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return process_batch(event["Records"], _feedback_service())


def process_batch(messages: list[dict[str, Any]], feedback_service: FeedbackService) -> dict[str, Any]:
    """The response to SQS: which messages are to be redelivered."""
    counts: Counter[OutcomeKind] = Counter()
    failed = []
    for message in messages:
        try:
            outcome = parse_event(message["body"])
            feedback_service.process(outcome)
        except AstralogError as fault:
            journal.write("mail_event_not_heeded", error_type=type(fault).__name__)
            failed.append({"itemIdentifier": message["messageId"]})
        else:
            counts[outcome.what] += 1
    journal.measure(
        FUNCTION, {"Bounces": (counts["bounce"], "Count"), "Complaints": (counts["complaint"], "Count")}
    )
    return {"batchItemFailures": failed}
