"""BYOC destination of an account: validate, test, show and remove it.

Trigger: API Gateway, GET, PUT and DELETE /v1/destination, POST /v1/destination/test and GET
/v1/destination/role; the key needs the scope `admin`.
Promise: a stored destination has passed every step of the test with exactly the stored credentials. No
answer, log line or error contains a credential. A test leaves nothing at the customer's destination but our
empty tables.
Failure: 400 `invalid_<field>` names the field; 400 `destination_unusable` lists every step and what to do;
neither stores anything. 404 `no_destination`. 409 `concurrent_change`. 503 when
our own stores do not answer: the same request may be sent again. A person whose session has ended changes
nothing, even while the authorizer caches the session.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.destinations.candidate import candidate, check_bucket_name
from functions.destinations.role_setup import ExternalIds, role_setup
from functions.destinations.tester import DestinationTester
from functions.shared.access import Principal, principal
from functions.shared.accounts.audit import AuditTrail, origin
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import (
    Destination,
    DestinationChangedError,
    DestinationStore,
    DestinationSummary,
)
from functions.shared.byoc.encryption import CredentialEncryption, CredentialsUnreadableError, Shards
from functions.shared.byoc.health import HealthStore
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.external_ids import ExternalIdTable
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId, own_destination, own_drops


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    health_table: str
    audit_table: str
    people_table: str
    external_ids_table: str


@dataclass(frozen=True, slots=True)
class DestinationService:
    """The parts of this function, created once per execution environment."""

    destinations: DestinationStore
    tester: DestinationTester
    health: HealthStore
    audit: AuditTrail
    sessions: SessionCheck
    external_ids: ExternalIds

    def candidate(
        self, body: bytes, tenant: TenantId, version: int, stored: Destination | None
    ) -> Destination:
        """The destination in `body`; see functions.destinations.candidate."""
        return candidate(body, tenant, version, stored, lambda: self.external_ids.of(tenant))


@cache
def _service() -> DestinationService:
    settings = load(Settings)
    sealer = CredentialEncryption(None, settings.credentials_key, Shards(settings.shards_table))
    return DestinationService(
        destinations=DestinationStore(settings.destinations_table, sealer),
        tester=DestinationTester(
            EgressFilter(allow_loopback=settings.allow_loopback_destinations), RoleSessions()
        ),
        health=HealthStore(settings.health_table),
        audit=AuditTrail(settings.audit_table),
        sessions=SessionCheck(settings.people_table, open_client()),
        external_ids=ExternalIds(ExternalIdTable(settings.external_ids_table)),
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to a route of the destination; see the module."""
    return answer_to(event, _service())


def answer_to(event: Event, service: DestinationService) -> Answer:
    """Handle `event` with the parts in `service`."""
    caller = principal(event).require("admin")
    try:
        if event["routeKey"] in LASTING:
            service.sessions.require_open(caller, time.time())
        return ROUTES[event["routeKey"]](event, caller, service)
    except DestinationChangedError:
        message = "Another request changed the destination. Check it with GET /v1/destination, then retry."
        raise HttpError(409, "concurrent_change", message) from None


def _put(event: Event, caller: Principal, service: DestinationService) -> Answer:
    before = service.destinations.summary(caller.tenant)
    stored = _stored(caller.tenant, service)
    version = before.version + 1 if before else 1
    proposed = service.candidate(request(event).body, caller.tenant, version, stored)
    report = service.tester.test(proposed)
    if not report.usable:
        message = (
            "The destination failed the test and is not stored. The fix of each failed step says what to do."
        )
        raise HttpError(400, "destination_unusable", message, details=report.as_json())
    accepted = replace(proposed, guarantee=report.guarantee)
    action = "destination.rotated" if stored and _only_secrets_differ(stored, accepted) else "destination.set"
    service.audit.append(caller.tenant, origin(event, caller), action, f"destination/{accepted.version}")
    summary = service.destinations.put(accepted)
    for part in (own_destination(caller.tenant), own_drops(caller.tenant)):
        service.health.allow_retry(part)
    return answer(200, {**_as_json(summary), "steps": report.as_json()["steps"]})


def _get(_event: Event, caller: Principal, service: DestinationService) -> Answer:
    summary = service.destinations.summary(caller.tenant)
    if summary is None:
        raise _none()
    return answer(200, {**_as_json(summary), "health": _health(caller.tenant, service)})


def _delete(event: Event, caller: Principal, service: DestinationService) -> Answer:
    summary = service.destinations.summary(caller.tenant)
    if summary is not None:
        subject = f"destination/{summary.version}"
        service.audit.append(caller.tenant, origin(event, caller), "destination.removed", subject)
    # Also without a summary: this completes an earlier removal that failed halfway.
    service.destinations.remove(caller.tenant)
    return answer(204)


def _test(event: Event, caller: Principal, service: DestinationService) -> Answer:
    body = request(event).body
    stored = _stored(caller.tenant, service)
    if body.strip() not in (b"", b"{}"):
        proposed = service.candidate(body, caller.tenant, 1, stored)
        return answer(200, service.tester.test(proposed).as_json())
    if stored is None:
        raise _none()
    return answer(200, service.tester.test(stored).as_json())


def _role(event: Event, caller: Principal, service: DestinationService) -> Answer:
    bucket = request(event).query.get("bucket")
    if bucket is not None:
        check_bucket_name("bucket", bucket)
    else:
        summary = service.destinations.summary(caller.tenant)
        bucket = summary.bucket if summary else None
    external_id = service.external_ids.of(caller.tenant)
    return answer(200, role_setup(caller.tenant, external_id, bucket, service.tester.roles))


ROUTES: dict[str, Callable[[Event, Principal, DestinationService], Answer]] = {
    "GET /v1/destination": _get,
    "PUT /v1/destination": _put,
    "DELETE /v1/destination": _delete,
    "POST /v1/destination/test": _test,
    "GET /v1/destination/role": _role,
}

LASTING = frozenset({"PUT /v1/destination", "DELETE /v1/destination"})
"""Routes with effects beyond the caller's session."""


def _stored(tenant: TenantId, service: DestinationService) -> Destination | None:
    """The stored destination; None when its credentials are unreadable and all must be sent again."""
    try:
        return service.destinations.get(tenant)
    except CredentialsUnreadableError:
        return None


def _only_secrets_differ(stored: Destination, accepted: Destination) -> bool:
    """Whether everything except the credentials is unchanged."""
    at = accepted.warehouse
    kept = replace(
        stored,
        version=accepted.version,
        guarantee=accepted.guarantee,
        access=accepted.access if _are_keys(stored, accepted) else stored.access,
        warehouse=replace(stored.warehouse, user=at.user, password=at.password),
    )
    return kept == accepted


def _are_keys(*destinations: Destination) -> bool:
    return all(isinstance(each.access, AccessKey) for each in destinations)


def _as_json(summary: DestinationSummary) -> dict[str, Any]:
    return {
        "version": summary.version,
        "bucket": {
            "name": summary.bucket,
            "region": summary.region,
            "endpoint": summary.endpoint,
            "access_key_ends_with": summary.access_key_ends_with if summary.role_arn is None else None,
            "role_arn": summary.role_arn,
        },
        "clickhouse": {
            "host": summary.clickhouse_host,
            "port": summary.clickhouse_port,
            "secure": summary.clickhouse_secure,
            "database": summary.clickhouse_database,
        },
        "retention_days": summary.retention_days,
        "guarantee": summary.guarantee,
        "updated_at": _timestamp(summary.updated_at),
    }


def _health(tenant: TenantId, service: DestinationService) -> dict[str, Any]:
    """`since` is null for a destination that has never failed; `reason` is a reason code, or null."""
    condition = service.health.of(own_destination(tenant))
    failing = condition.failures > 0
    since = condition.failing_since if failing else condition.well_since
    return {
        "state": "failing" if failing else "ok",
        "since": _timestamp(since) if since else None,
        "reason": condition.reason if failing else None,
    }


def _none() -> HttpError:
    return HttpError(404, "no_destination", "No destination is stored. Set one with PUT /v1/destination.")


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
