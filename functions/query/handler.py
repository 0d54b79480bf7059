"""Search: `POST /v1/search`.

Trigger: API Gateway, with the authorizer's verdict in the context; the key needs the scope `read`.
Promise: the events of the caller's tenant that match, newest first unless asked otherwise, in pages that
neither skip nor repeat a row while logs arrive, with metadata as it was sent. Without `from` and `to` the
last 24 hours are searched. It only reads, as one bounded SELECT with every value bound.
On failure: 400 `invalid_request` names the field; 400 `query_too_heavy` asks for a narrower search; 503
`search_unavailable` with Retry-After when ClickHouse is down, busy or silent. A BYOC customer's search goes
to their own ClickHouse and is answered 503 `destination_unavailable` when that is what fails.
"""

import time
from dataclasses import dataclass
from functools import cache

from functions.query.archive import Archive, Limits
from functions.query.compile import Statement, statement
from functions.query.own_archive import OwnArchives
from functions.query.page import page
from functions.query.request import search
from functions.shared import journal
from functions.shared.access import Principal, principal
from functions.shared.address import Address
from functions.shared.custody.clouds import custody
from functions.shared.custody.settings import CustodySettings
from functions.shared.guarded.answers import MAX_ANSWER_BYTES
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.warehouse import Selection, Warehouse

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    """`query_timeout_seconds`: for the engine; the connection waits a little longer than that."""

    warehouse_secret: str
    query_timeout_seconds: int
    query_memory_mb: int = 1024
    query_result_mb: int = 64


@cache
def _archive() -> Archive:
    settings = load(Settings)
    address = Address.from_json(read_secret(settings.warehouse_secret))
    return Archive(Warehouse(address, settings.query_timeout_seconds + 3), _limits(settings))


@cache
def _own_archives() -> OwnArchives:
    settings = load(Settings)
    return OwnArchives(
        custody(settings, MAX_ANSWER_BYTES), _limits(settings), settings.query_timeout_seconds + 3
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_seconds=settings.query_timeout_seconds,
        max_memory_bytes=settings.query_memory_mb * MEBIBYTE,
        max_result_bytes=settings.query_result_mb * MEBIBYTE,
    )


@answering
def handler(event: Event) -> Answer:
    """Answer one search; see the module."""
    began = time.monotonic()
    caller = principal(event).require("read")
    asked = search(request(event).body)
    found = page(asked, _found(caller, statement(asked, caller.tenant)))
    took_ms = round((time.monotonic() - began) * 1000)
    journal.measure("query", {"RequestMs": (took_ms, "Milliseconds")}, tenant_id=caller.tenant)
    return answer(200, found)


def _found(caller: Principal, compiled: Statement) -> Selection:
    """In the caller's own ClickHouse, or in ours."""
    if caller.byoc:
        return _own_archives().find(caller.tenant, compiled)
    return _archive().find(compiled)
