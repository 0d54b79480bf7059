"""Mail feedback: what bounced for good or was called spam is not mailed to again.

Trigger: SQS, events of SES by way of SNS; the queue takes none of anybody else. Promise: an address that does
not exist, and one whose owner complained, is suppressed; who complained is opted out of marketing as well,
whatever their address becomes. A bounce that may pass changes nothing. The same event again changes nothing.
Of somebody whose account was erased since nothing is kept: nobody mails them any more.
Failure: a message that could not be dealt with is delivered again; one that is no event of SES ends as a dead
letter, for somebody to look at.
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
class Office:
    suppressions: Suppressions
    readers: Readers
    consent: Consent

    def heed(self, told: Fate) -> None:
        """Draw the consequences; raises StoreUnavailableError."""
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
    """Wire the parts around one DynamoDB client."""
    consent = Consent(settings.people_table, Audit(settings.audit_table, client, clock), client)
    suppressions = Suppressions(settings.suppressions_table, client, clock)
    return Office(suppressions, Readers(settings.people_table, client), consent)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return heeded(event["Records"], _office())


def heeded(messages: list[dict[str, Any]], office: Office) -> dict[str, Any]:
    """What SQS is answered: which messages are to come again."""
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
