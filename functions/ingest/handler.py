"""Ingest: logs over HTTPS, durable in S3 before the answer is 2xx.

Trigger: API Gateway, POST /v1/drain, GET /health, and whatever no route takes. Promise: 202 means that every
accepted event is in S3, a BYOC customer's in their own bucket and nowhere else, and will be loaded once; each
refused one is named with its reason. Failure: 4xx says what to mend; 429 and 503 mean that nothing was
accepted and the same request may be sent again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.ingest import idempotency, records, unpack
from functions.ingest.accept import Accepted, accept
from functions.ingest.idempotency import IdempotencyKey
from functions.ingest.rate_limit import RateLimit, RequestWork
from functions.ingest.staging_target import StagingTarget, StagingTargets, no_target
from functions.ingest.staging_writer import StagingWriter
from functions.ingest.streamed import Window
from functions.ingest.wait_places import Places, WaitPlaces, no_place
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.accounts.account_status import raise_if_refused
from functions.shared.buckets.platform import open_bucket
from functions.shared.byoc.settings import ByocSettings
from functions.shared.errors import HttpError
from functions.shared.events.row import ReceiptContext
from functions.shared.http import Answer, Event, Request, answer, answering, request
from functions.shared.settings import load

WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    """`wait_places`: how many requests may wait at once, of all tenants together."""

    staging_bucket: str
    byoc_queue: str
    health_table: str
    wait_places: int


@dataclass(frozen=True, slots=True)
class Ingest:
    """The parts of this function, wired once an execution environment.

    `byoc_targets`: the roads of BYOC tenants; they are never given ours. `places`: where requests wait, BYOC
    tenants' too.
    """

    staging: StagingWriter
    rate: RateLimit
    byoc_targets: StagingTargets = no_target
    places: Places = no_place

    def target(self, caller: Principal) -> StagingTarget:
        if caller.byoc:
            return self.byoc_targets(caller)
        return StagingTarget(self.staging, caller.retention_days)


@cache
def _ingest() -> Ingest:
    settings = load(Settings)
    bucket = open_bucket(settings.staging_bucket)
    places = WaitPlaces(bucket, settings.wait_places)
    return Ingest(StagingWriter(bucket), RateLimit(), lambda caller: _byoc_targets()(caller), places.lease)


@cache
def _byoc_targets() -> StagingTargets:
    from functions.ingest.byoc_targets import byoc_targets  # see there why so late

    settings = load(Settings)
    return byoc_targets(settings, settings.byoc_queue, settings.health_table)


@answering
def handler(event: Event) -> Answer:
    """One request to one of ingest's routes."""
    if event["routeKey"] == "GET /health":
        return answer(200, {"status": "ok"})
    if event["routeKey"] == "$default":
        raise HttpError(404, "not_found", "There is nothing at this path, or not for this method.")
    return answer_to(event, _ingest())


def answer_to(event: Event, ingest: Ingest) -> Answer:
    """The answer to a request that brings logs; its tenant is charged for it from here to the end."""
    caller = principal(event).require("ingest")
    raise_if_refused(caller.refusal)
    with ingest.rate.charging(caller) as work:
        return drain(request(event), caller, ingest, work)


def drain(sent: Request, caller: Principal, ingest: Ingest, work: RequestWork) -> Answer:
    """POST /v1/drain: judge the events of one body, stage those that are good."""
    began = time.monotonic()
    target = ingest.target(caller)
    receipt = ReceiptContext(caller.tenant, caller.project_id, datetime.now(UTC), target.retention_days)
    once = idempotency.read_key(sent.headers)
    accepted = accept(_windows(sent, once, work), receipt)
    work.staged_bytes = accepted.raw_bytes
    if not accepted.rows:
        return answer(400, _nothing_accepted(accepted, sent))
    with target.admitted():
        key = _staged(target.staging, accepted, receipt, once)
    _measure(accepted, caller, key, round((time.monotonic() - began) * 1000))
    queryable = sent.query.get("wait") == "true" and _waited(target.staging, key, caller, ingest.places)
    return answer(200 if queryable else 202, {"status": "accepted", **_verdicts(accepted)})


def _waited(staging: StagingWriter, key: str, caller: Principal, places: Places) -> bool:
    """Whether the events can be found; False at once when there is no place to wait in."""
    with places(caller.tenant) as is_taken:
        return is_taken and staging.wait_until_loaded(key, WAIT_SECONDS)


def _staged(
    staging: StagingWriter, accepted: Accepted, receipt: ReceiptContext, once: IdempotencyKey | None
) -> str:
    if once:
        return staging.put_once(accepted.package, receipt, once)
    return staging.put(accepted.package, receipt)


def _windows(sent: Request, once: IdempotencyKey | None, work: RequestWork) -> Iterator[Window]:
    pieces = work.counting(unpack.chunks(sent.body, sent.headers.get("content-encoding", "")))
    return records.windows(once.reading(pieces) if once else pieces, sent.headers.get("content-type", ""))


def _verdicts(accepted: Accepted) -> dict[str, Any]:
    return {"accepted": accepted.rows, "rejected": accepted.rejected, "errors": accepted.errors}


def _nothing_accepted(accepted: Accepted, sent: Request) -> dict[str, Any]:
    error, code = "The body holds no events.", "no_events"
    if accepted.rejected:
        error, code = "None of the events could be accepted: see 'errors'.", "all_rejected"
    return {"error": error, "code": code, "request_id": sent.request_id, **_verdicts(accepted)}


def _measure(accepted: Accepted, caller: Principal, key: str, took_ms: int) -> None:
    journal.measure(
        "ingest",
        {
            "AcceptedEvents": (accepted.rows, "Count"),
            "RejectedEvents": (accepted.rejected, "Count"),
            "AcceptedBytes": (accepted.raw_bytes, "Bytes"),
            "RequestMs": (took_ms, "Milliseconds"),
        },
        tenant_id=caller.tenant,
        key=key,
    )
