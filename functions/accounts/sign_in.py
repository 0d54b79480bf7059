"""The routes before anybody is signed in: sign up, confirm, log in, and a forgotten password.

Trigger: API Gateway, POST /v1/signup, /v1/signup/confirm, /v1/signup/resend, /v1/login, /v1/password/forgot
and /v1/password/reset, without an authorizer. Promise: the answer and the time it takes tell nobody whether
an address has an account; tries are counted before they are made; a password, code or token is in no log and
no error. Failure: 4xx names the field or says what to do; 503 means that nothing can be said to be done, and
the same request may be sent again: each continues where the last one stopped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from functions.accounts import forms
from functions.accounts.attempts import ADDRESS_TRIES, Attempts
from functions.accounts.directory import Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.forms import Refresh
from functions.accounts.identity import Identity, Tokens
from functions.accounts.membership import Membership
from functions.accounts.people import People
from functions.shared.account.audit import Audit
from functions.shared.account.mail import Mailer
from functions.shared.dynamo.answers import open_client
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.settings import load


@dataclass(frozen=True, slots=True)
class Settings:
    """`even_ms`: what could tell who exists takes at least this long, more than any road to it needs."""

    identity_pool: str
    identity_client: str
    people_table: str
    attempts_table: str
    audit_table: str
    accounts_table: str
    keys_table: str
    mail_from: str
    mail_set: str
    attempts_an_address: int = ADDRESS_TRIES
    even_ms: int = 1000


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of this function, wired once an execution environment."""

    membership: Membership
    even_seconds: float


@cache
def _desk() -> Desk:
    settings = load(Settings)
    identity, audit = Identity(settings.identity_pool, settings.identity_client), Audit(settings.audit_table)
    membership = Membership(
        identity=identity,
        people=People(settings.people_table),
        directory=Directory(settings.accounts_table, settings.keys_table),
        attempts=Attempts(settings.attempts_table, address_tries=settings.attempts_an_address),
        mailer=Mailer(settings.mail_from, settings.mail_set),
        audit=audit,
        emails=EmailCopy(settings.people_table, identity, audit, open_client()),
    )
    return Desk(membership, settings.even_ms / 1000)


@answering
def handler(event: Event) -> Answer:
    """One request to one of the open routes."""
    return answer_to(event, _desk())


def answer_to(event: Event, desk: Desk) -> Answer:
    """The answer, not sooner than it may come."""
    route = ROUTES[event["routeKey"]]
    body, address = request(event).body, event["requestContext"]["http"]["sourceIp"]
    began = time.monotonic()
    try:
        answered = route(desk.membership, body, address)
    except RetryableError:
        raise RefusalError(
            503, "try_again", "This cannot be done right now: try again.", retry_after_seconds=2
        ) from None
    except RefusalError as refusal:
        if refusal.status in (401, 403) or refusal.code == "invalid_code":
            _wait(began, desk.even_seconds)
        raise
    if answered["statusCode"] == 202:
        _wait(began, desk.even_seconds)
    return answered


def _sign_up(membership: Membership, body: bytes, address: str) -> Answer:
    membership.sign_up(forms.sign_up(body), address, time.time())
    return answer(202, {"status": "confirmation_sent"})


def _confirm(membership: Membership, body: bytes, address: str) -> Answer:
    tenant = membership.confirm(forms.confirmation(body), address, time.time())
    return answer(200, {"status": "confirmed", "tenant_id": tenant})


def _resend(membership: Membership, body: bytes, address: str) -> Answer:
    membership.resend(forms.address(body), address, time.time())
    return answer(202, {"status": "confirmation_sent"})


def _log_in(membership: Membership, body: bytes, address: str) -> Answer:
    form, now = forms.log_in(body), time.time()
    if isinstance(form, Refresh):
        return _signed_in(membership.refresh(form, address, now), given=form)
    return _signed_in(membership.log_in(form, address, now))


def _forgot(membership: Membership, body: bytes, address: str) -> Answer:
    membership.forgot(forms.address(body), address, time.time())
    return answer(202, {"status": "code_sent"})


def _reset(membership: Membership, body: bytes, address: str) -> Answer:
    membership.reset(forms.reset(body), address, time.time())
    return answer(200, {"status": "password_changed"})


ROUTES: dict[str, Callable[[Membership, bytes, str], Answer]] = {
    "POST /v1/signup": _sign_up,
    "POST /v1/signup/confirm": _confirm,
    "POST /v1/signup/resend": _resend,
    "POST /v1/login": _log_in,
    "POST /v1/password/forgot": _forgot,
    "POST /v1/password/reset": _reset,
}


def _signed_in(tokens: Tokens, given: Refresh | None = None) -> Answer:
    """`given`: the refresh token that brought these stays good and is answered again."""
    refresh = tokens.refresh or (given.token if given else None)
    body = {
        "access_token": tokens.access.reveal(),
        "refresh_token": refresh.reveal() if refresh else None,
        "expires_in": tokens.expires_in,
        "token_type": "Bearer",
    }
    return answer(200, body, cache_control="no-store")


def _wait(began: float, seconds: float) -> None:
    time.sleep(max(0.0, began + seconds - time.monotonic()))
