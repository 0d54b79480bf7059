"""Ingest: logs over HTTPS, durable in S3 before the answer is 2xx.

Trigger: API Gateway, POST /v1/drain, GET /health, and all unmatched requests. Promise: 202, or what a
protocol of functions/ingest/protocols answers instead, means that every accepted event is in S3, a BYOC
customer's in their own bucket and nowhere else, and will be loaded once; each rejected one is named with its
reason. Failure: 4xx says what to fix; 429 and 503 mean that nothing was stored and the request may be sent
again. A rejected request of a known tenant leaves one log line, `request_rejected`.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from functions.ingest.accept import Accepted, accept
from functions.ingest.idempotency import Once
from functions.ingest.metrics import measure_accepted, rejections_logged
from functions.ingest.protocols.contract import IngestProtocol, IngestResult, LogRequest
from functions.ingest.protocols.table import ProtocolTable
from functions.ingest.rate import RateLimit, Work
from functions.ingest.road import Road, Roads, no_road
from functions.ingest.stage import Staging
from functions.ingest.waiting import Places, WaitPlaces, no_place
from functions.shared.access import Principal
from functions.shared.account.standing import refuse
from functions.shared.buckets.own import open_bucket
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import RefusalError
from functions.shared.http import Answer, Event, answer, answering, refused
from functions.shared.judging.rows import Receipt
from functions.shared.settings import load

WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    """`wait_places`: how many requests may wait at once, of all tenants together.

    `protocols`: what reads each route, in the form that ProtocolTable.parse reads.
    """

    staging_bucket: str
    byoc_queue: str
    health_table: str
    wait_places: int
    protocols: str


@dataclass(frozen=True, slots=True)
class Ingest:
    """The parts of this function, wired once an execution environment.

    `own_clouds`: the roads of BYOC tenants; they are never given ours. `places`: where requests wait, BYOC
    tenants' too. `protocols`: what reads each route.
    """

    staging: Staging
    rate: RateLimit
    own_clouds: Roads = no_road
    places: Places = no_place
    protocols: ProtocolTable = field(default_factory=ProtocolTable)

    def road(self, caller: Principal) -> Road:
        if caller.byoc:
            return self.own_clouds(caller)
        return Road(self.staging, caller.retention_days)


@cache
def _ingest() -> Ingest:
    settings = load(Settings)
    bucket = open_bucket(settings.staging_bucket)
    places = WaitPlaces(bucket, settings.wait_places)
    return Ingest(
        Staging(bucket),
        RateLimit(),
        lambda caller: _own_clouds()(caller),
        places.lease,
        ProtocolTable.parse(settings.protocols),
    )


@cache
def _own_clouds() -> Roads:
    from functions.ingest.own_road import own_cloud_roads  # see there why so late

    settings = load(Settings)
    return own_cloud_roads(settings, settings.byoc_queue, settings.health_table)


def _route(event: Event) -> Answer:
    """One request to one of ingest's routes."""
    if event["routeKey"] == "GET /health":
        return answer(200, {"status": "ok"})
    if event["routeKey"] == "$default":
        raise RefusalError(404, "not_found", "There is nothing at this path, or not for this method.")
    return answer_to(event, _ingest())


def _rejected(error: RefusalError, event: Event) -> Answer:
    """The response to a rejected request, in the form of its protocol."""
    if event["routeKey"] == "$default":
        return refused(error, event)
    request = LogRequest(event)
    return _ingest().protocols.of(request).rejected(error, request)


handler = answering(_route, _rejected)


def answer_to(event: Event, ingest: Ingest) -> Answer:
    """The response to a request on a route of logs; its tenant is charged for it from here to the end."""
    request = LogRequest(event)
    protocol = ingest.protocols.of(request)
    handshake = protocol.handshake(request)
    if handshake is not None:
        return handshake
    caller = request.caller()
    accepted, work = Accepted(IngestResult(protocol.max_rejections)), Work()
    with rejections_logged(caller, accepted, work):
        caller.require("ingest")
        refuse(caller.refusal)
        with ingest.rate.charging(caller, work):
            _store(request, protocol, caller, ingest, accepted, work)
            return protocol.accepted(accepted.result, request)


def _store(
    request: LogRequest,
    protocol: IngestProtocol,
    caller: Principal,
    ingest: Ingest,
    accepted: Accepted,
    work: Work,
) -> None:
    """Judge the records of one body and stage those that are good; on return they are durable."""
    began = time.monotonic()
    road = ingest.road(caller)
    receipt = Receipt(caller.tenant, caller.project_id, datetime.now(UTC), road.retention_days)
    once = protocol.once(request)
    pieces = work.counting(protocol.unpack(request))
    pieces = once.reading(pieces) if once else pieces
    accept(protocol.decode(request, pieces), receipt, accepted)
    deque(pieces, maxlen=0)  # the fingerprint is that of the whole body
    work.staged_bytes = accepted.raw_bytes
    if not accepted.result.rows:
        return
    with road.admitted():
        key = _staged(road.staging, accepted, receipt, once)
    measure_accepted(accepted, caller, key, round((time.monotonic() - began) * 1000))
    if request.query.get("wait") == "true":
        accepted.result.searchable = _waited(road.staging, key, caller, ingest.places)


def _waited(staging: Staging, key: str, caller: Principal, places: Places) -> bool:
    """Whether the events can be found; False at once when there is no place to wait in."""
    with places(caller.tenant) as is_taken:
        return is_taken and staging.wait_until_loaded(key, WAIT_SECONDS)


def _staged(staging: Staging, accepted: Accepted, receipt: Receipt, once: Once | None) -> str:
    if once:
        return staging.put_once(accepted.package, receipt, once)
    return staging.put(accepted.package, receipt)
