"""The routes of sign-up, sessions and passwords.

Trigger: API Gateway, POST /v1/signup, /v1/signup/confirm, /v1/signup/resend, /v1/login, /v1/password/forgot
and /v1/password/reset, without an authorizer; POST /v1/logout and /v1/password/change, with a person's access
token. Promise: neither the response nor its time reveals whether an address has an account; attempts are
counted before they are made; a made-up refresh token is rejected without delay and without a call to Cognito;
a password, code or token is in no log and no error. Failure: 4xx names the field or says what to do. 503
means that the outcome is unknown; the same request may be sent again, and each request continues where the
last one stopped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from functions.accounts import forms
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.attempts import ADDRESS_TRIES, AttemptLimiter
from functions.accounts.authentication import Authentication
from functions.accounts.bearer import access_token
from functions.accounts.directory import Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.failures import FailureLimiter
from functions.accounts.forms import CookieRefresh, Refresh
from functions.accounts.identity import Identity
from functions.accounts.people import People
from functions.accounts.session_cookie import (
    EXPIRED_COOKIE,
    read_session_cookie,
    require_same_origin,
    session_cookie,
)
from functions.accounts.session_tokens import SessionTokens
from functions.accounts.sessions import ImmediateRejectionError, Sessions
from functions.shared.access import Principal, principal
from functions.shared.accounts.audit import AuditTrail, origin
from functions.shared.accounts.mail import Mailer
from functions.shared.client_address import client_address
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.secret_text import SecretText
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

MAX_BODY_CHARACTERS = 24 * 1024
"""Size of a body as the gateway passes it, base64 included: the longest holds a refresh token of 8 KiB."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`min_response_ms`: minimum duration of requests that could reveal who exists; more than any needs."""

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
    min_response_ms: int = 1000


@dataclass(frozen=True, slots=True)
class SignInService:
    """The handler's dependencies, created once for each execution environment."""

    authentication: Authentication
    min_response_seconds: float


@cache
def _service() -> SignInService:
    settings = load(Settings)
    identity, audit = (
        Identity(settings.identity_pool, settings.identity_client),
        AuditTrail(settings.audit_table),
    )
    people = People(settings.people_table)
    attempts = AttemptLimiter(settings.attempts_table, address_tries=settings.attempts_an_address)
    failures = FailureLimiter(TableCounter(settings.attempts_table), what="refresh")
    authentication = Authentication(
        identity=identity,
        people=people,
        directory=Directory(settings.accounts_table, settings.keys_table),
        attempts=attempts,
        mailer=Mailer(settings.mail_from, settings.mail_set),
        audit=audit,
        emails=EmailCopy(settings.people_table, identity, audit, open_client()),
        sessions=Sessions(identity, people, audit, attempts, failures),
    )
    return SignInService(authentication, settings.min_response_ms / 1000)


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of the routes."""
    return answer_to(event, _service())


def answer_to(event: Event, service: SignInService) -> Answer:
    """The response, delayed to its minimum duration."""
    if len(event.get("body") or "") > MAX_BODY_CHARACTERS:
        raise HttpError(413, "payload_too_large", "The body must not be larger than 16 KiB.")
    if event["routeKey"] in SIGNED_IN_ROUTES:
        return _signed_in_answer(event, service.authentication)
    return _public_response(event, service)


def _public_response(event: Event, service: SignInService) -> Answer:
    """The response of a public route. Responses that depend on who exists all take the same time."""
    route = ROUTES[event["routeKey"]]
    address = client_address(event)
    began = time.monotonic()
    try:
        answered = route(service.authentication, event, address)
    except ImmediateRejectionError:
        raise
    except HttpError as refusal:
        if refusal.status in (401, 403) or refusal.code == "invalid_code":
            _wait(began, service.min_response_seconds)
        raise
    if answered["statusCode"] == 202:
        _wait(began, service.min_response_seconds)
    return answered


def _signed_in_answer(event: Event, authentication: Authentication) -> Answer:
    caller = principal(event)
    access = access_token(caller, event)
    if access is None:
        raise HttpError(403, "sign_in_required", "An API key has no session: log in and try again.")
    return SIGNED_IN_ROUTES[event["routeKey"]](authentication, caller, access, event)


def _sign_up(authentication: Authentication, event: Event, address: str) -> Answer:
    authentication.sign_up(forms.sign_up(request(event).body), address, time.time())
    return answer(202, {"status": "confirmation_sent"})


def _confirm(authentication: Authentication, event: Event, address: str) -> Answer:
    tenant = authentication.confirm(forms.confirmation(request(event).body), address, time.time())
    return answer(200, {"status": "confirmed", "tenant_id": tenant})


def _resend(authentication: Authentication, event: Event, address: str) -> Answer:
    authentication.resend(forms.email_of(request(event).body), address, time.time())
    return answer(202, {"status": "confirmation_sent"})


def _log_in(authentication: Authentication, event: Event, address: str) -> Answer:
    form, now = forms.log_in(request(event).body), time.time()
    if isinstance(form, CookieRefresh):
        return _in_cookie(authentication.sessions.refresh(_cookie_token(event), address, now))
    if isinstance(form, Refresh):
        return _signed_in(authentication.sessions.refresh(form, address, now), given=form)
    if form.cookie:
        require_same_origin(event)
        return _in_cookie(authentication.log_in(form, address, now))
    return _signed_in(authentication.log_in(form, address, now))


def _cookie_token(event: Event) -> Refresh:
    require_same_origin(event)
    token = read_session_cookie(event)
    if token is None:
        raise ImmediateRejectionError(
            401, "no_session", "This browser has no session: log in with 'email' and 'password'."
        )
    return Refresh(token)


def _forgot(authentication: Authentication, event: Event, address: str) -> Answer:
    authentication.forgot(forms.email_of(request(event).body), address, time.time())
    return answer(202, {"status": "code_sent"})


def _reset(authentication: Authentication, event: Event, address: str) -> Answer:
    authentication.reset(forms.reset(request(event).body), address, time.time())
    return answer(200, {"status": "password_changed"})


def _log_out(authentication: Authentication, caller: Principal, _access: SecretText, event: Event) -> Answer:
    form = forms.log_out(request(event).body)
    if form.cookie:
        require_same_origin(event)
        form = replace(form, token=read_session_cookie(event))
    authentication.sessions.log_out(form, caller, origin(event, caller), time.time())
    logged_out = answer(200, {"status": "logged_out"})
    return {**logged_out, "cookies": [EXPIRED_COOKIE]} if form.cookie else logged_out


def _change_password(
    authentication: Authentication, caller: Principal, access: SecretText, event: Event
) -> Answer:
    form = forms.password_change(request(event).body)
    authentication.change_password(form, caller, access, origin(event, caller), time.time())
    return answer(200, {"status": "password_changed"})


ROUTES: dict[str, Callable[[Authentication, Event, str], Answer]] = {
    "POST /v1/signup": _sign_up,
    "POST /v1/signup/confirm": _confirm,
    "POST /v1/signup/resend": _resend,
    "POST /v1/login": _log_in,
    "POST /v1/password/forgot": _forgot,
    "POST /v1/password/reset": _reset,
}

SIGNED_IN_ROUTES: dict[str, Callable[[Authentication, Principal, SecretText, Event], Answer]] = {
    "POST /v1/logout": _log_out,
    "POST /v1/password/change": _change_password,
}


def _signed_in(tokens: SessionTokens, given: Refresh | None = None) -> Answer:
    """`given`: the refresh token of the request, which stays valid and is returned again."""
    return _token_answer(tokens, tokens.refresh or (given.token if given else None))


def _in_cookie(tokens: SessionTokens) -> Answer:
    """The refresh token goes into the cookie, and not into the body, which scripts can read."""
    cookies = {"cookies": [session_cookie(tokens.refresh)]} if tokens.refresh else {}
    return {**_token_answer(tokens, refresh=None), **cookies}


def _token_answer(tokens: SessionTokens, refresh: SecretText | None) -> Answer:
    body = {
        "access_token": tokens.access.reveal(),
        "refresh_token": refresh.reveal() if refresh else None,
        "expires_in": tokens.expires_in,
        "token_type": "Bearer",
    }
    return answer(200, body, cache_control="no-store")


def _wait(began: float, seconds: float) -> None:
    time.sleep(max(0.0, began + seconds - time.monotonic()))
