"""The routes of an account: each decodes the request, makes one call and encodes the response."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.accounts import account_forms as forms
from functions.accounts.attempts import Attempts
from functions.accounts.bearer import access_token as _access_token
from functions.accounts.key_item import Key
from functions.accounts.key_ring import KeyRing, Minted
from functions.accounts.people import Person, moment
from functions.accounts.profile import Profiles, sign_in_required
from functions.shared.access import Principal, principal
from functions.shared.account.announcements import Announcements
from functions.shared.account.audit import MAX_PAGE, Audit, origin
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.forms import invalid
from functions.shared.http import Answer, Event, answer, request

DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class Office:
    """The handler's dependencies, created once for each execution environment."""

    profiles: Profiles
    keys: KeyRing
    audit: Audit
    announcements: Announcements
    attempts: Attempts
    clock: Callable[[], float] = time.time
    even_seconds: float = 0.0
    """Minimum duration of a request for a new address, whether another account has the address or not."""


def answer_to(event: Event, office: Office) -> Answer:
    """The response to one request."""
    caller = principal(event).require("admin")
    try:
        if event["routeKey"] in LASTING:
            _require_session(office, caller)
        return ROUTES[event["routeKey"]](office, caller, event)
    except RetryableError:
        raise RefusalError(
            503,
            "try_again",
            "Temporarily unavailable. Check the current state, then retry.",
            retry_after_seconds=2,
        ) from None


def _account(office: Office, caller: Principal, event: Event) -> Answer:
    """For a person with a requested address, first compare our copy of the address with Cognito."""
    profile, access = office.profiles.read(caller, office.clock()), _access_token(caller, event)
    if profile.person and access and office.profiles.healed(profile.person, access, origin(event, caller)):
        profile = office.profiles.read(caller, office.clock())
    return answer(200, profile.shown())


def _change_account(office: Office, caller: Principal, event: Event) -> Answer:
    changes = forms.changes(request(event).body)
    access = _access_token(caller, event)
    if changes.email is not None and access is None:
        raise sign_in_required()
    began = time.monotonic()
    person, who = _person(office, caller), origin(event, caller)
    if changes.email is not None and access is not None:
        if office.profiles.healed(person, access, who):
            person = _person(office, caller)
        if changes.email != person.email:
            office.attempts.begin("mail", who.source_ip, changes.email, office.clock())
    try:
        if not office.profiles.change(person, changes, access, who):
            return _account(office, caller, event)
    finally:
        if changes.email is not None:
            # Sending a mail takes time, and none is sent to an address that another account has.
            time.sleep(max(0.0, began + office.even_seconds - time.monotonic()))
    return answer(202, {"status": "confirmation_sent"})


def _confirm_email(office: Office, caller: Principal, event: Event) -> Answer:
    code = forms.code(request(event).body)
    access = _access_token(caller, event)
    if access is None:
        raise sign_in_required()
    person, who = _person(office, caller), origin(event, caller)
    attempt = office.attempts.begin("code", who.source_ip, person.subject, office.clock())
    office.profiles.confirm_email(person, code, access, who)
    attempt.succeeded(office.clock())
    return answer(200, office.profiles.read(caller, office.clock()).shown())


def _keys(office: Office, caller: Principal, _event: Event) -> Answer:
    now = office.clock()
    return answer(200, {"keys": [_shown(key, now) for key in office.keys.list(caller.tenant)]})


def _create_key(office: Office, caller: Principal, event: Event) -> Answer:
    wish = forms.new_key(request(event).body, office.clock())
    for scope in wish.scopes:
        caller.require(scope)
    return _minted(office, office.keys.create(caller.tenant, wish, origin(event, caller)))


def _rotate_key(office: Office, caller: Principal, event: Event) -> Answer:
    asked = forms.rotation(request(event).body, office.clock())
    key_id = event["pathParameters"]["id"]
    return _minted(office, office.keys.rotate(caller.tenant, key_id, asked, origin(event, caller)))


def _revoke_key(office: Office, caller: Principal, event: Event) -> Answer:
    office.keys.revoke(caller.tenant, event["pathParameters"]["id"], origin(event, caller))
    return answer(204)


def _audit(office: Office, caller: Principal, event: Event) -> Answer:
    query = request(event).query
    limit = forms.number("limit", query.get("limit", str(DEFAULT_PAGE)), 1, MAX_PAGE)
    try:
        page = office.audit.page(caller.tenant, limit, query.get("cursor"))
    except ValueError:
        raise invalid("cursor", "must be the 'next_cursor' of an earlier response") from None
    return answer(200, {"entries": page.entries, "next_cursor": page.next_cursor})


def _announcements(office: Office, caller: Principal, event: Event) -> Answer:
    since = request(event).query.get("since")
    after = None if since is None else forms.moment("since", since)
    return answer(200, {"announcements": office.announcements.list(caller.tenant, after)})


ROUTES: dict[str, Callable[[Office, Principal, Event], Answer]] = {
    "GET /v1/account": _account,
    "PATCH /v1/account": _change_account,
    "POST /v1/account/email/confirm": _confirm_email,
    "GET /v1/keys": _keys,
    "POST /v1/keys": _create_key,
    "POST /v1/keys/{id}/rotate": _rotate_key,
    "DELETE /v1/keys/{id}": _revoke_key,
    "GET /v1/audit": _audit,
    "GET /v1/announcements": _announcements,
}


LASTING = frozenset(
    {
        "PATCH /v1/account",
        "POST /v1/account/email/confirm",
        "POST /v1/keys",
        "POST /v1/keys/{id}/rotate",
    }
)
"""Actions with effects beyond their session: rejected for an ended session, even while it is cached."""


def _require_session(office: Office, caller: Principal) -> None:
    """Reject a person whose session has ended, by reading the person again."""
    if caller.subject is None:
        return
    now = office.clock()
    person = office.profiles.people.get(caller.subject, now)
    if person is None or person.session_over(caller.session, caller.signed_in_at, now):
        raise RefusalError(401, "unauthorized", "This session is not valid, or it has ended: log in again.")


def _person(office: Office, caller: Principal) -> Person:
    person = office.profiles.read(caller, office.clock()).person
    if person is None:
        raise RefusalError(409, "no_owner", "This account has no owner: no profile to change.")
    return person


def _minted(office: Office, new: Minted) -> Answer:
    now = office.clock()
    replaced = {} if new.replaced is None else {"replaced": _shown(new.replaced, now)}
    return answer(201, {**_shown(new.key, now), "key": new.text, **replaced}, cache_control="no-store")


def _shown(key: Key, now: float) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "name": key.name,
        "prefix": key.shown_prefix,
        "scopes": sorted(key.scopes),
        "project_id": key.project_id,
        "state": key.state(now),
        "replaced_by": key.successor or None,
        "created_at": _moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used_at": None if key.last_used_hour is None else moment(key.last_used_hour * 3600),
    }


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else moment(seconds)
