"""The routes of an account: each decodes the request, makes one call and encodes the response."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.accounts import account_forms as forms
from functions.accounts.attempts import AttemptLimiter
from functions.accounts.bearer import access_token as _access_token
from functions.accounts.key_service import CreatedKey, KeyService
from functions.accounts.people import to_rfc3339
from functions.accounts.person import Person
from functions.accounts.profile import Profiles, sign_in_required
from functions.accounts.saved_search_routes import READS, SAVED_SEARCH_ROUTES
from functions.accounts.saved_search_store import SavedSearches
from functions.accounts.stored_key import Key
from functions.shared.access import Principal, principal
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.audit import MAX_PAGE, AuditTrail, origin
from functions.shared.accounts.session_check import session_ended
from functions.shared.errors import HttpError
from functions.shared.forms import invalid
from functions.shared.http import Answer, Event, answer, request

DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class AccountService:
    """The handler's dependencies, created once for each execution environment."""

    profiles: Profiles
    keys: KeyService
    audit: AuditTrail
    announcements: Announcements
    searches: SavedSearches
    attempts: AttemptLimiter
    clock: Callable[[], float] = time.time
    min_response_seconds: float = 0.0
    """Minimum duration of a request for a new address, whether another account has the address or not."""


def answer_to(event: Event, service: AccountService) -> Answer:
    """The response to one request."""
    caller = principal(event).require("read" if event["routeKey"] in READS else "admin")
    if event["routeKey"] in LASTING:
        _require_session(service, caller)
    return ROUTES[event["routeKey"]](service, caller, event)


def _account(service: AccountService, caller: Principal, event: Event) -> Answer:
    """For a person with a requested address, first compare our copy of the address with Cognito."""
    profile, access = service.profiles.read(caller, service.clock()), _access_token(caller, event)
    if (
        profile.person
        and access
        and service.profiles.repair_if_outdated(profile.person, access, origin(event, caller))
    ):
        profile = service.profiles.read(caller, service.clock())
    return answer(200, profile.as_json())


def _change_account(service: AccountService, caller: Principal, event: Event) -> Answer:
    changes = forms.changes(request(event).body)
    access = _access_token(caller, event)
    if changes.email is not None and access is None:
        raise sign_in_required()
    began = time.monotonic()
    person, who = _person(service, caller), origin(event, caller)
    if changes.email is not None and access is not None:
        if service.profiles.repair_if_outdated(person, access, who):
            person = _person(service, caller)
        if changes.email != person.email:
            service.attempts.begin("mail", who.source_ip, changes.email, service.clock())
    try:
        if not service.profiles.change(person, changes, access, who):
            return _account(service, caller, event)
    finally:
        if changes.email is not None:
            # Sending a mail takes time, and none is sent to an address that another account has.
            time.sleep(max(0.0, began + service.min_response_seconds - time.monotonic()))
    return answer(202, {"status": "confirmation_sent"})


def _confirm_email(service: AccountService, caller: Principal, event: Event) -> Answer:
    code = forms.code(request(event).body)
    access = _access_token(caller, event)
    if access is None:
        raise sign_in_required()
    person, who = _person(service, caller), origin(event, caller)
    attempt = service.attempts.begin("code", who.source_ip, person.subject, service.clock())
    service.profiles.confirm_email(person, code, access, who)
    attempt.record_success(service.clock())
    return answer(200, service.profiles.read(caller, service.clock()).as_json())


def _keys(service: AccountService, caller: Principal, _event: Event) -> Answer:
    now = service.clock()
    return answer(200, {"keys": [_as_json(key, now) for key in service.keys.list(caller.tenant)]})


def _create_key(service: AccountService, caller: Principal, event: Event) -> Answer:
    wish = forms.new_key(request(event).body, service.clock())
    for scope in wish.scopes:
        caller.require(scope)
    return _created_key(service, service.keys.create(caller.tenant, wish, origin(event, caller)))


def _rotate_key(service: AccountService, caller: Principal, event: Event) -> Answer:
    asked = forms.rotation(request(event).body, service.clock())
    key_id = event["pathParameters"]["id"]
    return _created_key(service, service.keys.rotate(caller.tenant, key_id, asked, origin(event, caller)))


def _revoke_key(service: AccountService, caller: Principal, event: Event) -> Answer:
    service.keys.revoke(caller.tenant, event["pathParameters"]["id"], origin(event, caller))
    return answer(204)


def _audit(service: AccountService, caller: Principal, event: Event) -> Answer:
    query = request(event).query
    limit = forms.number("limit", query.get("limit", str(DEFAULT_PAGE)), 1, MAX_PAGE)
    try:
        page = service.audit.page(caller.tenant, limit, query.get("cursor"))
    except ValueError:
        raise invalid("cursor", "must be the 'next_cursor' of an earlier response") from None
    return answer(200, {"entries": page.entries, "next_cursor": page.next_cursor})


def _announcements(service: AccountService, caller: Principal, event: Event) -> Answer:
    since = request(event).query.get("since")
    after = None if since is None else forms.parse_timestamp("since", since)
    return answer(200, {"announcements": service.announcements.list(caller.tenant, after)})


ROUTES: dict[str, Callable[[AccountService, Principal, Event], Answer]] = {
    "GET /v1/account": _account,
    "PATCH /v1/account": _change_account,
    "POST /v1/account/email/confirm": _confirm_email,
    "GET /v1/keys": _keys,
    "POST /v1/keys": _create_key,
    "POST /v1/keys/{id}/rotate": _rotate_key,
    "DELETE /v1/keys/{id}": _revoke_key,
    "GET /v1/audit": _audit,
    "GET /v1/announcements": _announcements,
    **SAVED_SEARCH_ROUTES,
}


LASTING = frozenset(
    {
        "PATCH /v1/account",
        "POST /v1/account/email/confirm",
        "POST /v1/keys",
        "POST /v1/keys/{id}/rotate",
        "POST /v1/searches",
        "PATCH /v1/searches/{id}",
        "DELETE /v1/searches/{id}",
    }
)
"""Actions with effects beyond their session: rejected for an ended session, even while it is cached."""


def _require_session(service: AccountService, caller: Principal) -> None:
    """Reject a person whose session has ended, by reading the person again."""
    if caller.subject is None:
        return
    now = service.clock()
    person = service.profiles.people.get(caller.subject, now)
    if person is None or person.session_over(caller.session, caller.signed_in_at, now):
        raise session_ended()


def _person(service: AccountService, caller: Principal) -> Person:
    person = service.profiles.read(caller, service.clock()).person
    if person is None:
        raise HttpError(409, "no_owner", "This account has no owner: no profile to change.")
    return person


def _created_key(service: AccountService, new: CreatedKey) -> Answer:
    now = service.clock()
    replaced = {} if new.replaced is None else {"replaced": _as_json(new.replaced, now)}
    return answer(201, {**_as_json(new.key, now), "key": new.text, **replaced}, cache_control="no-store")


def _as_json(key: Key, now: float) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "name": key.name,
        "prefix": key.shown_prefix,
        "scopes": sorted(key.scopes),
        "project_id": key.project_id,
        "state": key.state(now),
        "replaced_by": key.successor or None,
        "created_at": _timestamp(key.created_at),
        "expires_at": _timestamp(key.expires_at),
        "revoked_at": _timestamp(key.revoked_at),
        "last_used_at": None if key.last_used_hour is None else to_rfc3339(key.last_used_hour * 3600),
    }


def _timestamp(seconds: int | None) -> str | None:
    return None if seconds is None else to_rfc3339(seconds)
