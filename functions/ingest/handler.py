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
from functions.ingest.idempotency import Once
from functions.ingest.rate import RateLimit, Work
from functions.ingest.road import Road, Roads, no_road
from functions.ingest.stage import Staging
from functions.ingest.streamed import Window
from functions.ingest.waiting import Places, WaitPlaces, no_place
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.account.standing import refuse
from functions.shared.buckets.own import open_bucket
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import RefusalError
from functions.shared.http import Answer, Event, Request, answer, answering, request
from functions.shared.judging.rows import Receipt
from functions.shared.settings import load

WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    """`wait_places`: how many requests may wait at once, of all tenants together."""

    staging_bucket: str
    byoc_queue: str
    health_table: str
    wait_places: int


@dataclass(frozen=True, slots=True)
class Ingest:
    """The parts of this function, wired once an execution environment.

    `own_clouds`: the roads of BYOC tenants; they are never given ours. `places`: where requests wait, BYOC
    tenants' too.
    """

    staging: Staging
    rate: RateLimit
    own_clouds: Roads = no_road
    places: Places = no_place

    def road(self, caller: Principal) -> Road:
        if caller.byoc:
            return self.own_clouds(caller)
        return Road(self.staging, caller.retention_days)


@cache
def _ingest() -> Ingest:
    settings = load(Settings)
    bucket = open_bucket(settings.staging_bucket)
    places = WaitPlaces(bucket, settings.wait_places)
    return Ingest(Staging(bucket), RateLimit(), lambda caller: _own_clouds()(caller), places.lease)


@cache
def _own_clouds() -> Roads:
    from functions.ingest.own_road import own_cloud_roads  # see there why so late

    settings = load(Settings)
    return own_cloud_roads(settings, settings.byoc_queue, settings.health_table)


@answering
def handler(event: Event) -> Answer:
    """One request to one of ingest's routes."""
    if event["routeKey"] == "GET /health":
        return answer(200, {"status": "ok"})
    if event["routeKey"] == "$default":
        raise RefusalError(404, "not_found", "There is nothing at this path, or not for this method.")
    return answer_to(event, _ingest())


def answer_to(event: Event, ingest: Ingest) -> Answer:
    """The answer to a request that brings logs; its tenant is charged for it from here to the end."""
    caller = principal(event).require("ingest")
    refuse(caller.refusal)
    with ingest.rate.charging(caller) as work:
        return drain(request(event), caller, ingest, work)


def drain(sent: Request, caller: Principal, ingest: Ingest, work: Work) -> Answer:
    """POST /v1/drain: judge the events of one body, stage those that are good."""
    began = time.monotonic()
    road = ingest.road(caller)
    receipt = Receipt(caller.tenant, caller.project_id, datetime.now(UTC), road.retention_days)
    once = idempotency.once(sent.headers)
    accepted = accept(_windows(sent, once, work), receipt)
    work.staged_bytes = accepted.raw_bytes
    if not accepted.rows:
        return answer(400, _nothing_accepted(accepted, sent))
    with road.admitted():
        key = _staged(road.staging, accepted, receipt, once)
    _measure(accepted, caller, key, round((time.monotonic() - began) * 1000))
    queryable = sent.query.get("wait") == "true" and _waited(road.staging, key, caller, ingest.places)
    return answer(200 if queryable else 202, {"status": "accepted", **_verdicts(accepted)})


def _waited(staging: Staging, key: str, caller: Principal, places: Places) -> bool:
    """Whether the events can be found; False at once when there is no place to wait in."""
    with places(caller.tenant) as is_taken:
        return is_taken and staging.wait_until_loaded(key, WAIT_SECONDS)


def _staged(staging: Staging, accepted: Accepted, receipt: Receipt, once: Once | None) -> str:
    if once:
        return staging.put_once(accepted.package, receipt, once)
    return staging.put(accepted.package, receipt)


def _windows(sent: Request, once: Once | None, work: Work) -> Iterator[Window]:
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
