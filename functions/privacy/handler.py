"""Rights of an account: data export, and erasure of a person's logs or of the whole account.

Trigger: API Gateway, POST /v1/account/export, GET /v1/account/exports[/{id}], POST and GET /v1/erasures, GET
and DELETE /v1/erasures/{id}, DELETE /v1/account; a key with the scope `admin`, or a person who signed in. The
id of an erasure is enough to read its status, also when the account and all of its keys are gone.
Promise: a request is stored, with its entry in the audit trail and a mail to the account's people, before the
answer; `exporter` and `eraser` carry it out. No caller reads or changes data of another account. A person
whose session has ended requests nothing, even while the authorizer caches the session.
Failure: 4xx says what to do. 503 means that DynamoDB or S3 does not answer: check the state before you retry.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.privacy import forms
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.receipt_table import ErasureReceipts
from functions.privacy.export.exports import Exports
from functions.privacy.refusals import Refusals
from functions.privacy.responses import erasure_response, export_response, status_response
from functions.privacy.service import PrivacyService
from functions.shared.access import Principal, principal
from functions.shared.accounts.audit import AuditTrail, origin
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.errors import HttpError
from functions.shared.exports.archives import Archives
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.turn_log import DynamoTurnLog

ERASURE_REQUESTS = "erasure-requests"
"""The name of the turns of requests for erasures in the table of turns."""

NO_STORE = {"cache_control": "no-store"}


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    people_table: str
    audit_table: str
    notices_table: str
    erasures_table: str
    receipts_table: str
    exports_table: str
    exports_bucket: str
    turns_table: str
    cancel_days: int


@cache
def _service() -> PrivacyService:
    return service(load(Settings), open_client())


def service(
    settings: Settings, client: Any, s3: Any = None, clock: Callable[[], float] | None = None
) -> PrivacyService:
    """Wire the parts around one DynamoDB client."""
    clocked = {} if clock is None else {"clock": clock}
    receipts = ErasureReceipts(settings.receipts_table, client)
    return PrivacyService(
        erasures=Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        receipts=receipts,
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket, s3),
        audit=AuditTrail(settings.audit_table, client, **clocked),
        notices=NoticeOutbox(settings.notices_table, client, **clocked),
        turns=DynamoTurnLog(settings.turns_table, ERASURE_REQUESTS, client, **clocked),
        sessions=SessionCheck(settings.people_table, client),
        cancel_days=settings.cancel_days,
        clock=clock or time.time,
        refusals=Refusals(),
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of the routes of an account's rights."""
    return answer_to(event, _service())


def answer_to(event: Event, service: PrivacyService) -> Answer:
    """The answer."""
    if event["routeKey"] == "GET /v1/erasures/{id}":
        return _erasure(event, service)
    caller = principal(event).require("admin")
    if event["routeKey"] in LASTING:
        service.sessions.require_open(caller, service.clock())
    return ROUTES[event["routeKey"]](service, caller, event)


def _export(service: PrivacyService, caller: Principal, event: Event) -> Answer:
    logs = forms.export(request(event).body, service.clock())
    return answer(
        202, export_response(service.request_export(caller, logs, origin(event, caller)), service.clock())
    )


def _exports(service: PrivacyService, caller: Principal, _event: Event) -> Answer:
    now = service.clock()
    return answer(
        200, {"exports": [export_response(each, now) for each in service.list_exports(caller.tenant)]}
    )


def _one_export(service: PrivacyService, caller: Principal, event: Event) -> Answer:
    export = service.get_export(caller.tenant, event["pathParameters"]["id"])
    link = service.link(export, origin(event, caller))
    return answer(200, export_response(export, service.clock(), link), **NO_STORE)


def _ask(service: PrivacyService, caller: Principal, event: Event) -> Answer:
    wish, who = forms.erasure(request(event).body, caller.tenant), origin(event, caller)
    if wish.subject is None:
        erasure = service.request_account_erasure(caller, wish.confirm, who)
    else:
        erasure = service.request_erasure(caller, wish.subject, who)
    return answer(202, erasure_response(erasure, None), **NO_STORE)


def _close(service: PrivacyService, caller: Principal, event: Event) -> Answer:
    sent = request(event)
    erasure = service.request_account_erasure(
        caller, forms.closing(sent.body, sent.query), origin(event, caller)
    )
    return answer(202, erasure_response(erasure, None), **NO_STORE)


def _erasures(service: PrivacyService, caller: Principal, _event: Event) -> Answer:
    found = service.erasures.all(caller.tenant)
    return answer(200, {"erasures": [erasure_response(each, None) for each in found]}, **NO_STORE)


def _cancel(service: PrivacyService, caller: Principal, event: Event) -> Answer:
    cancelled = service.cancel(caller.tenant, event["pathParameters"]["id"], origin(event, caller))
    return answer(200, erasure_response(cancelled, None), **NO_STORE)


def _erasure(event: Event, service: PrivacyService) -> Answer:
    """To its account, the request; to any other caller with the id, only the status and the receipt."""
    erasure_id = event["pathParameters"]["id"]
    try:
        caller = principal(event)
    except HttpError as refusal:
        status = service.status(erasure_id) if refusal.status == 401 else None
        if status is None:
            raise
        return answer(200, status_response(erasure_id, status), **NO_STORE)
    caller.require("admin")
    erasure = service.erasure(caller.tenant, erasure_id)
    return answer(200, erasure_response(erasure, service.status(erasure_id)), **NO_STORE)


ROUTES: dict[str, Callable[[PrivacyService, Principal, Event], Answer]] = {
    "POST /v1/account/export": _export,
    "GET /v1/account/exports": _exports,
    "GET /v1/account/exports/{id}": _one_export,
    "POST /v1/erasures": _ask,
    "GET /v1/erasures": _erasures,
    "DELETE /v1/erasures/{id}": _cancel,
    "DELETE /v1/account": _close,
}


LASTING = frozenset(route for route in ROUTES if not route.startswith("GET "))
"""Routes with effects beyond the caller's session."""
