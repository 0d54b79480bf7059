"""Accept exports of search results, list them, and link to their files."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from functions.query import times
from functions.query.errors import exports_in_progress, too_many_exports
from functions.query.exporting.forms import (
    RequestedSearchExport,
    SearchExportBody,
    SearchExportList,
    ShownSearchExport,
)
from functions.query.exporting.reader import ExportedEvents, ReadPosition
from functions.query.limits import budget
from functions.query.requests.request import FilterBody, search_filter, time_range
from functions.query.results.cursor import BYOC, MANAGED
from functions.query.results.page import MAX_PAGE_BYTES, size_bytes
from functions.shared.access import Principal
from functions.shared.errors import HttpError, PermanentError
from functions.shared.exports.archives import Archives
from functions.shared.exports.search_export import (
    ID_PREFIX,
    SearchExport,
    SearchExportRequest,
)
from functions.shared.exports.search_exports import MAX_OPEN, SearchExports, TooManyOpenError
from functions.shared.forms import BODY, decoded, invalid
from functions.shared.tables.transaction import open_client
from functions.shared.tenancy import TenantId

EXPORTS_A_DAY = 50
SECONDS_A_DAY = 86_400
ID_BYTES = 20

MAX_FILTER_BYTES = 64 * 1024
"""The limit for the stored filter, in JSON: DynamoDB's items have 400 KB, and a list reads many of them."""

MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class SearchExportService:
    """What the routes do. `archives`: opens the bucket of an export's file, for links."""

    exports: SearchExports
    archives: Callable[[SearchExport], Archives]
    clock: Callable[[], float] = time.time

    def request(self, content: bytes, caller: Principal) -> RequestedSearchExport:
        """Request the export that the body `content` describes.

        Raises
        ------
        HttpError: 400 of a search; 409 `export_in_progress`; 429 `too_many_exports`.
        """
        body = decoded(content or b"{}", SearchExportBody)
        now_ns = int(self.clock() * times.NANOSECONDS)
        wanted = _request_of(body, caller, now_ns)
        now = now_ns // times.NANOSECONDS
        self._check_daily_limit(caller.tenant, now)
        export_id = f"{ID_PREFIX}{secrets.token_hex(ID_BYTES)}"
        try:
            added = self.exports.add(SearchExport(caller.tenant, export_id, "requested", now, wanted))
        except TooManyOpenError:
            raise exports_in_progress(MAX_OPEN) from None
        return RequestedSearchExport(added.export_id, added.state)

    def list(self, tenant: TenantId) -> SearchExportList:
        """The tenant's newest exports: at most MAX_LISTED, as many as fit into a response."""
        now = self.clock()
        shown: list[ShownSearchExport] = []
        left = MAX_PAGE_BYTES
        for each in self.exports.newest(tenant, MAX_LISTED):
            listed = _shown(each)
            left -= size_bytes(msgspec.json.encode(listed))
            if left < 0:
                break
            if each.forget_at > now:
                shown.append(listed)
        return SearchExportList(shown)

    def get(self, tenant: TenantId, export_id: str) -> ShownSearchExport:
        """The tenant's export with that id, with a new link if its file exists.

        Raises
        ------
        HttpError: 404.
        """
        export = self.exports.of(tenant, export_id) if export_id.startswith(ID_PREFIX) else None
        if export is None or export.forget_at <= self.clock():
            raise HttpError(404, "not_found", "There is no export with this id.")
        shown = _shown(export)
        if export.state != "ready" or (export.expires_at or 0) <= self.clock():
            return shown
        try:
            archives = self.archives(export)
            link = archives.link(export.object_key)
        except PermanentError:
            # The customer has removed the destination, or changed its credentials.
            return msgspec.structs.replace(shown, reason="destination_unavailable")
        until = min(self.clock() + archives.link_seconds, export.expires_at or 0)
        return msgspec.structs.replace(shown, link=link, link_expires_at=_moment(int(until)))

    def _check_daily_limit(self, tenant: TenantId, now: int) -> None:
        since = now - SECONDS_A_DAY
        recent = [at for at in self.exports.requested_at(tenant).values() if at > since]
        if len(recent) >= EXPORTS_A_DAY:
            raise too_many_exports(EXPORTS_A_DAY, min(recent) + SECONDS_A_DAY - now)


def search_export_service(
    table: str, bucket: str, own_archives: Callable[[], Callable[[TenantId], Archives]]
) -> SearchExportService:
    """Build the service; `own_archives` opens the buckets of BYOC tenants, when one is asked for."""
    ours = Archives(bucket)

    def archives(export: SearchExport) -> Archives:
        return own_archives()(export.tenant) if export.request.store == BYOC else ours

    return SearchExportService(SearchExports(table, open_client()), archives)


def exported_events(tenant: TenantId, wanted: SearchExportRequest) -> ExportedEvents:
    """The events that `wanted` is about."""
    found = search_filter(msgspec.json.decode(wanted.filter, type=FilterBody))
    return ExportedEvents(tenant, found, wanted.since, wanted.until, wanted.cut)


def _request_of(body: SearchExportBody, caller: Principal, now_ns: int) -> SearchExportRequest:
    """The validated request; compiled once, so that what cannot run is rejected at once."""
    found = search_filter(body)
    budget.check(found)
    since, until = time_range(body, now_ns)
    fixed = FilterBody(
        times.rfc3339(since), times.rfc3339(until), body.projects, body.services, body.levels, body.q,
        body.query, body.where, body.trace_id,
    )  # fmt: skip
    stored = msgspec.json.encode(fixed)
    if len(stored) > MAX_FILTER_BYTES:
        raise invalid(
            BODY,
            f"has a filter of {len(stored):,} bytes in JSON, more than {MAX_FILTER_BYTES:,}: "
            "use fewer or shorter values",
        )
    managed = caller.has_managed_rows(now_ns / times.NANOSECONDS)
    wanted = SearchExportRequest(
        filter=stored.decode(),
        since=since,
        until=until,
        cut=now_ns,
        format=body.format,
        compression=body.compression,
        store=BYOC if caller.byoc else MANAGED,
        managed_until=caller.managed_until if caller.byoc and managed else 0,
        actor=caller.actor,
    )
    events = ExportedEvents(caller.tenant, found, since, until, now_ns)
    events.statement(ReadPosition(since), until, wanted.store, with_identity=True)
    return wanted


def _shown(export: SearchExport) -> ShownSearchExport:
    wanted = export.request
    query = msgspec.json.decode(wanted.filter, type=FilterBody).query
    return ShownSearchExport(
        id=export.export_id,
        status=export.state,
        format=wanted.format,
        compression=wanted.compression,
        since=times.rfc3339(wanted.since),
        until=times.rfc3339(wanted.until),
        query=query,
        requested_at=_moment(export.requested_at),
        rows=export.progress.rows,
        bytes=export.progress.bytes,
        link=None,
        link_expires_at=None,
        expires_at=None if export.expires_at is None else _moment(export.expires_at),
        reason=export.reason or None,
    )


def _moment(seconds: int) -> str:
    return times.rfc3339(seconds * times.NANOSECONDS)
