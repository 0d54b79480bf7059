"""Unsubscribe: opt out of marketing through the link in a mail.

Trigger: API Gateway, GET and POST /v1/unsubscribe/{token}, without an authorizer: the token suffices.
Promise: a POST, by a mail program (RFC 8058) or from the page that GET shows, opts the token's owner out of
marketing and records it in their audit trail, once. A GET changes nothing, because programs open links to
inspect them. An unknown token gets the same answer as a known one, so the answer reveals nothing about any
person; a truncated token gets 404. Mails about the account itself are still sent.
Failure: 503; the same request may be sent again.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.notices.consent import Consent
from functions.notices.link import is_whole
from functions.notices.page import ASKED, DONE, page
from functions.notices.readers import Readers
from functions.shared.account.audit import Audit, origin
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client


@dataclass(frozen=True, slots=True)
class Settings:
    people_table: str
    audit_table: str


@dataclass(frozen=True, slots=True)
class Desk:
    readers: Readers
    consent: Consent


@cache
def _desk() -> Desk:
    return desk(load(Settings), open_client())


def desk(settings: Settings, client: Any) -> Desk:
    """Wire the parts around one DynamoDB client."""
    audit = Audit(settings.audit_table, client)
    return Desk(Readers(settings.people_table, client), Consent(settings.people_table, audit, client))


@answering
def handler(event: Event) -> Answer:
    """Handle one request to an unsubscribe link."""
    return answer_to(event, _desk())


def answer_to(event: Event, desk: Desk) -> Answer:
    """Handle `event` with the parts in `desk`."""
    token = event["pathParameters"]["token"]
    if not is_whole(token):
        raise RefusalError(404, "not_found", "The link is incomplete. Copy the whole link from the email.")
    if event["routeKey"].startswith("GET "):
        return page(ASKED)
    try:
        _withdraw(event, token, desk)
    except RetryableError:
        raise RefusalError(
            503,
            "try_again",
            "The unsubscribe request could not be processed. Retry in a few seconds.",
            retry_after_seconds=2,
        ) from None
    wants_page = "text/html" in request(event).headers.get("accept", "")
    return page(DONE) if wants_page else answer(200, {"status": "unsubscribed"}, cache_control="no-store")


def _withdraw(event: Event, token: str, desk: Desk) -> None:
    reader = desk.readers.by_token(token)
    if reader:
        desk.consent.withdraw(reader, origin(event, f"unsubscribe_link:{reader.subject}"))
