"""Rights of an account: data export, and erasure of a person's logs or of the whole account.

Trigger: API Gateway, POST /v1/account/export, GET /v1/account/exports[/{id}], POST and GET /v1/erasures, GET
and DELETE /v1/erasures/{id}, DELETE /v1/account; a key with the scope `admin`, or a person who signed in. The
id of an erasure is enough to read its status, also when the account and all of its keys are gone.
Promise: a request is stored, with its entry in the audit trail and a mail to the account's people, before the
answer; `exporter` and `eraser` carry it out. No caller reads or changes data of another account.
Failure: 4xx says what to do. 503 means that DynamoDB or S3 does not answer: check the state before you retry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.privacy import forms
from functions.privacy.desk import Desk
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.receipts import Receipts
from functions.privacy.export.archives import Archives
from functions.privacy.export.exports import Exports
from functions.privacy.shown import copy_shown, erasure_shown, standing_shown
from functions.shared.access import Principal, principal
from functions.shared.account.audit import Audit, origin
from functions.shared.account.notices import Notices
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.turn_log import DynamoTurnLog

ERASURE_REQUESTS = "erasure-requests"
"""The name of the turns of requests for erasures in the table of turns."""

NO_STORE = {"cache_control": "no-store"}


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    audit_table: str
    notices_table: str
    erasures_table: str
    receipts_table: str
    exports_table: str
    exports_bucket: str
    turns_table: str
    cancel_days: int


@cache
def _desk() -> Desk:
    return desk(load(Settings), open_client())


def desk(settings: Settings, client: Any, s3: Any = None, clock: Callable[[], float] | None = None) -> Desk:
    """Wire the parts around one DynamoDB client."""
    clocked = {} if clock is None else {"clock": clock}
    receipts = Receipts(settings.receipts_table, client)
    return Desk(
        erasures=Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        receipts=receipts,
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket, s3),
        audit=Audit(settings.audit_table, client, **clocked),
        notices=Notices(settings.notices_table, client, **clocked),
        turns=DynamoTurnLog(settings.turns_table, ERASURE_REQUESTS, client, **clocked),
        cancel_days=settings.cancel_days,
        **clocked,
    )


@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of the routes of an account's rights."""
    return answer_to(event, _desk())


def answer_to(event: Event, desk: Desk) -> Answer:
    """The answer."""
    try:
        if event["routeKey"] == "GET /v1/erasures/{id}":
            return _erasure(event, desk)
        return ROUTES[event["routeKey"]](desk, principal(event).require("admin"), event)
    except RetryableError:
        raise RefusalError(
            503,
            "try_again",
            "Temporarily unavailable. Check the current state, then retry.",
            retry_after_seconds=2,
        ) from None


def _export(desk: Desk, caller: Principal, event: Event) -> Answer:
    logs = forms.export(request(event).body, desk.clock())
    return answer(202, copy_shown(desk.ask_for_copy(caller, logs, origin(event, caller)), desk.clock()))


def _exports(desk: Desk, caller: Principal, _event: Event) -> Answer:
    now = desk.clock()
    return answer(200, {"exports": [copy_shown(each, now) for each in desk.copies(caller.tenant)]})


def _one_export(desk: Desk, caller: Principal, event: Event) -> Answer:
    export = desk.copy(caller.tenant, event["pathParameters"]["id"])
    link = desk.link(export, origin(event, caller))
    return answer(200, copy_shown(export, desk.clock(), link), **NO_STORE)


def _ask(desk: Desk, caller: Principal, event: Event) -> Answer:
    wish, who = forms.erasure(request(event).body, caller.tenant), origin(event, caller)
    if wish.subject is None:
        erasure = desk.ask_to_close(caller, wish.confirm, who)
    else:
        erasure = desk.ask_for_erasure(caller, wish.subject, who)
    return answer(202, erasure_shown(erasure, None), **NO_STORE)


def _close(desk: Desk, caller: Principal, event: Event) -> Answer:
    sent = request(event)
    erasure = desk.ask_to_close(caller, forms.closing(sent.body, sent.query), origin(event, caller))
    return answer(202, erasure_shown(erasure, None), **NO_STORE)


def _erasures(desk: Desk, caller: Principal, _event: Event) -> Answer:
    found = desk.erasures.all(caller.tenant)
    return answer(200, {"erasures": [erasure_shown(each, None) for each in found]}, **NO_STORE)


def _cancel(desk: Desk, caller: Principal, event: Event) -> Answer:
    cancelled = desk.cancel(caller.tenant, event["pathParameters"]["id"], origin(event, caller))
    return answer(200, erasure_shown(cancelled, None), **NO_STORE)


def _erasure(event: Event, desk: Desk) -> Answer:
    """To its account, the request; to any other caller with the id, only the status and the receipt."""
    erasure_id = event["pathParameters"]["id"]
    try:
        caller = principal(event)
    except RefusalError as refusal:
        standing = desk.standing(erasure_id) if refusal.status == 401 else None
        if standing is None:
            raise
        return answer(200, standing_shown(erasure_id, standing), **NO_STORE)
    caller.require("admin")
    erasure = desk.erasure(caller.tenant, erasure_id)
    return answer(200, erasure_shown(erasure, desk.standing(erasure_id)), **NO_STORE)


ROUTES: dict[str, Callable[[Desk, Principal, Event], Answer]] = {
    "POST /v1/account/export": _export,
    "GET /v1/account/exports": _exports,
    "GET /v1/account/exports/{id}": _one_export,
    "POST /v1/erasures": _ask,
    "GET /v1/erasures": _erasures,
    "DELETE /v1/erasures/{id}": _cancel,
    "DELETE /v1/account": _close,
}
