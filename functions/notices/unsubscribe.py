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

from functions.notices.consent import MarketingConsent
from functions.notices.recipients import Recipients
from functions.notices.unsubscribe_link import is_well_formed
from functions.notices.unsubscribe_page import CONFIRMATION_PAGE, QUESTION_PAGE, html_response
from functions.shared.accounts.audit import AuditTrail, origin
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client


@dataclass(frozen=True, slots=True)
class Settings:
    people_table: str
    audit_table: str


@dataclass(frozen=True, slots=True)
class UnsubscribeService:
    recipients: Recipients
    consent: MarketingConsent


@cache
def _unsubscribe_service() -> UnsubscribeService:
    return unsubscribe_service(load(Settings), open_client())


def unsubscribe_service(settings: Settings, client: Any) -> UnsubscribeService:
    """Wire the parts around one DynamoDB client."""
    audit = AuditTrail(settings.audit_table, client)
    return UnsubscribeService(
        Recipients(settings.people_table, client), MarketingConsent(settings.people_table, audit, client)
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to an unsubscribe link."""
    return answer_to(event, _unsubscribe_service())


def answer_to(event: Event, unsubscribe_service: UnsubscribeService) -> Answer:
    """Handle `event` with the parts in `unsubscribe_service`."""
    token = event["pathParameters"]["token"]
    if not is_well_formed(token):
        raise HttpError(404, "not_found", "The link is incomplete. Copy the whole link from the email.")
    if event["routeKey"].startswith("GET "):
        return html_response(QUESTION_PAGE)
    _withdraw(event, token, unsubscribe_service)
    wants_page = "text/html" in request(event).headers.get("accept", "")
    return (
        html_response(CONFIRMATION_PAGE)
        if wants_page
        else answer(200, {"status": "unsubscribed"}, cache_control="no-store")
    )


def _withdraw(event: Event, token: str, unsubscribe_service: UnsubscribeService) -> None:
    recipient = unsubscribe_service.recipients.by_token(token)
    if recipient:
        unsubscribe_service.consent.withdraw(
            recipient, origin(event, f"unsubscribe_link:{recipient.subject}")
        )
