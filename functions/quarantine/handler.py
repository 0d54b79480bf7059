"""Quarantine: list and replay rows that ClickHouse rejected.

Trigger: API Gateway, GET /v1/quarantine and POST /v1/quarantine/{id}/replay. Promise: a tenant sees only its
own documents; a replay stages the rows again under a key derived from the document's key, so a repeated
request loads them once. A BYOC customer's documents are stored in the customer's bucket. Failure: 404 and
409 give the reason; after 503 nothing has changed, or the same request is safe to retry.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.quarantine.byoc_documents import ByocQuarantine, as_http_errors
from functions.quarantine.documents import UNREADABLE, QuarantineDocument, QuarantineStore
from functions.shared.access import principal
from functions.shared.buckets.platform import open_bucket
from functions.shared.byoc.buckets import byoc_buckets
from functions.shared.byoc.settings import ByocSettings
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, answering
from functions.shared.notifications import QueueNotifier
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tenancy import TenantId

POSITIONS_SHOWN = 1000

LISTING_BYTES = 4 * 1024 * 1024
LISTING_SECONDS = 15
"""A Lambda response has at most 6 MB, and clients wait at most 30 s. Later requests list the rest."""


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    staging_bucket: str
    byoc_queue: str


@cache
def _documents() -> QuarantineStore:
    return QuarantineStore(open_bucket(load(Settings).staging_bucket))


@cache
def _byoc_quarantine() -> ByocQuarantine:
    settings = load(Settings)
    return ByocQuarantine(byoc_buckets(settings), QueueNotifier(settings.byoc_queue, "quarantine"))


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to a quarantine route."""
    caller = principal(event).require("admin")
    if not caller.byoc:
        return answer_to(event, _documents(), datetime.now(UTC))
    with as_http_errors():
        return answer_to(event, _byoc_quarantine().of(caller.tenant), datetime.now(UTC))


def answer_to(event: Event, documents: QuarantineStore, now: datetime) -> Answer:
    """The response, as of `now`; `documents` belong to the bucket that stores the caller's rows."""
    caller = principal(event).require("admin")
    if event["routeKey"] == "GET /v1/quarantine":
        return answer(200, _listed(caller.tenant, documents))
    document = documents.read(caller.tenant, event["pathParameters"]["id"])
    rows = documents.replay(caller.tenant, document, now.date())
    return answer(202, {"status": "replayed", "rows": rows})


def _listed(tenant: TenantId, documents: QuarantineStore) -> dict[str, Any]:
    """The oldest documents, as many as fit into a response, and the names of all other objects there."""
    listed: list[dict[str, Any]] = []
    size_bytes, began = 0, time.monotonic()
    ids, unreadable = documents.listed(tenant)
    for each in ids:
        if size_bytes > LISTING_BYTES or time.monotonic() - began > LISTING_SECONDS:
            break
        try:
            listed.append(_as_json(documents.read(tenant, each)))
            size_bytes += len(json.dumps(listed[-1]))
        except HttpError as refusal:
            if refusal.code == UNREADABLE:
                unreadable.append(each)
            elif refusal.status != 404:  # replayed since the listing
                raise
    return {"documents": listed, "unreadable": unreadable}


def _as_json(document: QuarantineDocument) -> dict[str, Any]:
    header = document.header
    return {
        "id": document.document_id,
        "reason": header.reason,
        "engine_code": header.engine_code,
        "source": header.source,
        "positions": header.positions[:POSITIONS_SHOWN],
        "rows": header.rows,
        "expires_on": header.expires_on.isoformat(),
        "set_aside_at": header.quarantined_at.isoformat(),
        "sample": [row.decode(errors="replace")[:500] for row in document.rows[:5]],
    }
