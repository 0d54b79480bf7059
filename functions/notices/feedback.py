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

from functions.notices.consent import Consent
from functions.notices.events import Fate, What, fate
from functions.notices.readers import Readers
from functions.shared import journal
from functions.shared.account.audit import Audit, Origin
from functions.shared.account.suppressions import Suppressions
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "mail-feedback"


@dataclass(frozen=True, slots=True)
class Settings:
    people_table: str
    suppressions_table: str
    audit_table: str


@dataclass(frozen=True, slots=True)
class Office:
    suppressions: Suppressions
    readers: Readers
    consent: Consent

    def heed(self, told: Fate) -> None:
        """Suppress addresses and withdraw consent as the event requires; raises StoreUnavailableError."""
        reader = self.readers.get(told.person) if told.person else None
        if told.what == "other" or (told.person and reader is None):
            return
        for address in told.addresses:
            self.suppressions.add(address, told.what)
        if told.what == "complaint" and reader:
            self.consent.withdraw(reader, Origin(f"complaint:{reader.subject}", "", ""))


@cache
def _office() -> Office:
    return office(load(Settings), open_client())


def office(settings: Settings, client: Any, clock: Callable[[], float] = time.time) -> Office:
    """Create the parts with one DynamoDB client."""
    consent = Consent(settings.people_table, Audit(settings.audit_table, client, clock), client)
    suppressions = Suppressions(settings.suppressions_table, client, clock)
    return Office(suppressions, Readers(settings.people_table, client), consent)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return heeded(event["Records"], _office())


def heeded(messages: list[dict[str, Any]], office: Office) -> dict[str, Any]:
    """The response to SQS: which messages are to be redelivered."""
    counts: Counter[What] = Counter()
    failed = []
    for message in messages:
        try:
            told = fate(message["body"])
            office.heed(told)
        except AstralogError as fault:
            journal.write("mail_event_not_heeded", error_type=type(fault).__name__)
            failed.append({"itemIdentifier": message["messageId"]})
        else:
            counts[told.what] += 1
    journal.measure(
        FUNCTION, {"Bounces": (counts["bounce"], "Count"), "Complaints": (counts["complaint"], "Count")}
    )
    return {"batchItemFailures": failed}
