"""Ingest: logs over HTTPS, durable in S3 before the answer is 2xx.

Trigger: API Gateway: POST /v1/drain, the routes of other protocols, GET /health, GET /openapi.json, and all
unmatched requests.
Promise: 202, or what a protocol of functions/ingest/protocols answers instead, means that every accepted
event is in S3, a BYOC customer's in their own bucket and nowhere else, and will be loaded once; each rejected
one is named with its reason. Failure: 4xx says what to fix; 429 and 503 mean that nothing was stored and the
request may be sent again. A rejected request of a known tenant leaves one log line, `request_rejected`.
"""

import time
from collections import deque
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from msgspec import Struct, field

from functions.ingest.accept import Accepted, accept
from functions.ingest.browser import is_opened_by_a_browser
from functions.ingest.idempotency import IdempotencyKey
from functions.ingest.metrics import AcceptedLines, log_rejection
from functions.ingest.places import Places, no_place, places_in
from functions.ingest.protocols.contract import IngestProtocol, IngestResult, LogRequest, nothing_accepted
from functions.ingest.protocols.table import ProtocolTable
from functions.ingest.rate_limit import RateLimit, RequestWork
from functions.ingest.resends import Resends, resends_of
from functions.ingest.staging_target import StagingTarget, StagingTargets, no_target
from functions.ingest.staging_writer import StagingWriter
from functions.ingest.unmatched import RouteTable, unmatched
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import HttpError
from functions.shared.events.row import ReceiptContext
from functions.shared.http import Answer, Event, answer, answering, refused
from functions.shared.settings import load

WAIT_SECONDS = 20

DASHBOARD = "/search"


class Settings(NamedTuple):
    """Those for BYOC tenants are in functions.ingest.byoc_targets.

    `wait_places`: how many requests may wait at once, of all tenants together.

    `requests_a_line`: accepted requests in one log line, while there are many (functions.ingest.metrics).
    `protocols`: what reads each route, in the form that ProtocolTable.parse reads. `routes`: all routes of
    the API, for requests that match none (functions.ingest.unmatched). `openapi_path`: the file of the
    OpenAPI document, relative to the working directory.
    """

    staging_bucket: str
    wait_places: int
    requests_a_line: int
    protocols: str
    routes: str
    openapi_path: str


class Ingest(Struct, frozen=True):
    """The parts of this function, wired once an execution environment.

    `byoc_targets`: the staging targets of BYOC tenants; they are never given ours. `places`: where requests
    wait, BYOC tenants' too. `protocols`: what reads each route. `lines`: the log lines of accepted requests.
    """

    staging: StagingWriter
    rate: RateLimit
    byoc_targets: StagingTargets = no_target
    places: Places = no_place
    protocols: ProtocolTable = field(default_factory=ProtocolTable)
    lines: AcceptedLines = field(default_factory=AcceptedLines)

    def target(self, caller: Principal) -> StagingTarget:
        if caller.byoc:
            return self.byoc_targets(caller)
        return StagingTarget(self.staging, caller.retention_days)


@cache
def _ingest() -> Ingest:
    settings = load(Settings)
    bucket = open_bucket(settings.staging_bucket)
    return Ingest(
        StagingWriter(bucket),
        RateLimit(),
        lambda caller: _byoc_targets()(caller),
        places_in(bucket, settings.wait_places),
        ProtocolTable.parse(settings.protocols),
        AcceptedLines(settings.requests_a_line),
    )


@cache
def _route_table() -> RouteTable:
    return RouteTable.parse(load(Settings).routes)


@cache
def _byoc_targets() -> StagingTargets:
    from functions.ingest.byoc_targets import byoc_targets  # see there why so late

    journal.silence_libraries()
    return byoc_targets()


def _route(event: Event) -> Answer:
    """One request to one of ingest's routes."""
    if event["routeKey"] == "GET /health":
        return answer(200, {"status": "ok"})
    if event["routeKey"] == "GET /openapi.json":
        return _openapi_document(event)
    if event["routeKey"] == "$default":
        return _unmatched(event)
    if is_opened_by_a_browser(event):
        return answer(303, location=DASHBOARD)
    return answer_to(event, _ingest())


def _openapi_document(event: Event) -> Answer:
    from functions.ingest.openapi_document import read_document  # not on the path of logs

    return read_document(load(Settings).openapi_path).answer_to(event)


def _unmatched(event: Event) -> Answer:
    """One request without a route: a client's health check, or an error."""
    if _is_health_check(event):
        return answer(200, {"status": "ok"})
    handshake = _ingest().protocols.handshake(LogRequest(event))
    if handshake is None:
        raise unmatched(event, _route_table())
    return handshake


def _is_health_check(event: Event) -> bool:
    """HEAD /health, with which Vector checks an endpoint. Not a route, because a route costs resources."""
    return event.get("rawPath") == "/health" and event["requestContext"]["http"].get("method") == "HEAD"


def _rejected(error: HttpError, event: Event) -> Answer:
    """The response to a rejected request, in the form of its protocol."""
    if event["routeKey"] in ("$default", "GET /health", "GET /openapi.json"):
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
    accepted, work = Accepted(IngestResult(protocol.max_rejections)), RequestWork()
    try:
        caller.require("ingest")
        _raise_if_refused(caller)
        with ingest.rate.charging(caller, work):
            _store(request, protocol, caller, ingest, accepted, work)
            response = protocol.accepted(accepted.result, request)
    except Exception as error:
        log_rejection(error, caller, accepted, work)
        raise
    if not accepted.result.rows:
        log_rejection(nothing_accepted(accepted.result), caller, accepted, work)
    return response


def _raise_if_refused(caller: Principal) -> None:
    if not caller.refusal:
        return
    from functions.shared.accounts.account_status import raise_if_refused  # most callers are accepted

    raise_if_refused(caller.refusal)


def _store(
    request: LogRequest,
    protocol: IngestProtocol,
    caller: Principal,
    ingest: Ingest,
    accepted: Accepted,
    work: RequestWork,
) -> None:
    """Judge the records of one body and stage those that are good; on return they are durable."""
    began = time.monotonic()
    target = ingest.target(caller)
    receipt = ReceiptContext(caller.tenant, caller.project_id, datetime.now(UTC), target.retention_days)
    key = protocol.idempotency_key(request)
    resends = resends_of(request, caller.project_id) if protocol.resends_same_bytes and not key else None
    pieces = work.counting(protocol.unpack(request))
    reader = key or resends
    pieces = reader.reading(pieces) if reader else pieces
    parts = protocol.decode(request, pieces)
    accept(resends.decoding(parts) if resends else parts, receipt, accepted)
    deque(pieces, maxlen=0)  # the fingerprint is that of the whole body
    work.staged_bytes = accepted.raw_bytes
    if not accepted.result.rows:
        return
    with target.admitted():
        staged = _put(target.staging, accepted, receipt, key, resends)
    ingest.lines.add(accepted, caller, staged, round((time.monotonic() - began) * 1000))
    if request.query.get("wait") == "true":
        accepted.result.searchable = _wait(target.staging, staged, caller, ingest.places)


def _wait(staging: StagingWriter, key: str, caller: Principal, places: Places) -> bool:
    """Whether the events can be found; False at once when there is no place to wait in."""
    with places(caller.tenant) as is_taken:
        return is_taken and staging.wait_until_loaded(key, WAIT_SECONDS)


def _put(
    staging: StagingWriter,
    accepted: Accepted,
    receipt: ReceiptContext,
    key: IdempotencyKey | None,
    resends: Resends | None,
) -> str:
    """Write the staged object, and return its key."""
    if key:
        return staging.put_once(accepted.package, receipt, key)
    object_id = resends.object_id(receipt.received_at) if resends else None
    return staging.put(accepted.package, receipt, object_id)
