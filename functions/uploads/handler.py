"""The routes of uploads: signed URLs for files, their status, resuming, and the choice about originals.

Trigger: API Gateway, /v1/uploads. Scope `ingest` announces and resumes, `ingest` or `read` reads the status,
`admin` chooses whether originals are deleted. Promise: a signed URL accepts one file of one size under one
key, below the prefix of its account, for an hour; for a BYOC customer the URL is of the customer's own bucket
and signed with the customer's credentials. An id of another account's upload gets the 404 of an unknown id.
The number of files that an account announces or resumes in a short time is bounded, and that of announced
files that have not arrived. Failure: 4xx names what to
fix; 503 means that nothing was changed.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.shared.access import Principal, principal
from functions.shared.accounts.account_status import raise_if_refused
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.byoc.buckets import (
    NoDestinationError,
    destination_unavailable_error,
    no_destination_error,
)
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.role_sessions import RoleRefusedError
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads import forms
from functions.uploads.counters import (
    MAX_FILES_A_WINDOW,
    MAX_OPEN_BYTES,
    MAX_OPEN_UPLOADS,
    RATE_SECONDS,
    OpenUploads,
    UploadRate,
)
from functions.uploads.customer_buckets import customer_drop_buckets
from functions.uploads.files import DELETE, KEEP, File, Upload, upload_response
from functions.uploads.loading import Listing, LoadingFiles
from functions.uploads.managed_drop_bucket import open_drops
from functions.uploads.queue import DropQueue
from functions.uploads.register import UploadRegister

FUNCTION = "uploads"
URL_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    drop_bucket: str
    staging_bucket: str
    uploads_table: str
    dropped_queue: str
    dropped_byoc_queue: str


@dataclass(frozen=True, slots=True)
class UploadService:
    """The parts of this function. `own_drops`: the bucket of a BYOC tenant, which is never ours.

    `staging`: our bucket of staged objects; a BYOC tenant's are in its own bucket.
    `queue`, `own_queue`: publish files in our drop bucket, and in the buckets of BYOC customers.
    """

    register: UploadRegister
    open_uploads: OpenUploads
    rate: UploadRate
    queue: DropQueue
    own_queue: DropQueue
    drops: Callable[[], DropBucket]
    own_drops: Callable[[TenantId], DropBucket]
    staging: Callable[[], Listing]
    loading: LoadingFiles
    clock: Callable[[], float] = time.time

    def bucket_of(self, caller: Principal) -> DropBucket:
        return self.own_drops(caller.tenant) if caller.byoc else self.drops()

    def loading_among(self, caller: Principal, files: Iterable[File | None]) -> frozenset[str]:
        """The digests of those of the caller's `files` whose rows cannot be searched yet."""

        def staging() -> Listing:
            return self.own_drops(caller.tenant) if caller.byoc else self.staging()

        return self.loading.among(caller.tenant, files, staging)


@cache
def _service() -> UploadService:
    settings = load(Settings)
    customer_buckets, register = customer_drop_buckets(settings), UploadRegister(settings.uploads_table)
    return UploadService(
        register,
        OpenUploads(settings.uploads_table),
        UploadRate(settings.uploads_table),
        DropQueue(settings.dropped_queue, FUNCTION),
        DropQueue(settings.dropped_byoc_queue, FUNCTION),
        cache(lambda: open_drops(settings.drop_bucket)),
        customer_buckets.drops,
        cache(lambda: open_drops(settings.staging_bucket)),
        LoadingFiles(register),
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to a route of uploads."""
    return answer_to(event, _service())


def answer_to(event: Event, service: UploadService) -> Answer:
    """Return the response to the request."""
    caller = principal(event)
    try:
        return _ROUTES[event["routeKey"]](service, caller, event)
    except NoDestinationError:
        raise no_destination_error() from None
    except (CredentialsUnreadableError, AddressRefusedError, RoleRefusedError):
        raise destination_unavailable_error() from None


def _announce(service: UploadService, caller: Principal, event: Event) -> Answer:
    """POST /v1/uploads."""
    caller.require("ingest")
    raise_if_refused(caller.refusal)
    asked = forms.announced(request(event).body)
    _take_rate(service, caller)
    bucket = service.bucket_of(caller)
    now, seconds = int(service.clock()), min(URL_SECONDS, bucket.max_url_seconds)
    upload_id = time_ordered_id()
    upload = Upload(
        tenant=caller.tenant,
        upload_id=upload_id,
        key=f"{dropin_prefix(caller.tenant)}{upload_id}/{asked.filename}",
        size_bytes=asked.size_bytes,
        project_id=caller.project_id,
        originals=asked.original or _originals(service, caller),
        created_at=now,
        until=now + seconds,
    )
    url = bucket.url_to_put(upload.key, upload.size_bytes, seconds)
    if not service.open_uploads.take(caller.tenant, upload.size_bytes, now):
        raise HttpError(
            429,
            "too_many_open_uploads",
            f"Too many announced files have not arrived: at most {MAX_OPEN_UPLOADS:,} files of "
            f"{MAX_OPEN_BYTES // 1024**4} TiB in total per hour. Upload the announced files, then retry.",
            retry_after_seconds=2,
        )
    _record(service, upload)
    put = {
        "url": url,
        "method": "PUT",
        "headers": {"Content-Length": str(asked.size_bytes), "If-None-Match": "*"},
        "expires_in": seconds,
        "bucket": bucket.name,
    }
    return answer(201, {**_as_json(upload, None, caller, service), **put})


def _take_rate(service: UploadService, caller: Principal) -> None:
    """Count a file of the caller that will be on the queue of all accounts.

    Raises
    ------
    HttpError: 429 `too_many_uploads`.
    """
    if seconds := service.rate.take(caller.tenant):
        raise HttpError(
            429,
            "too_many_uploads",
            f"Too many files: at most {MAX_FILES_A_WINDOW} may be announced or resumed in {RATE_SECONDS} "
            "seconds. Wait as long as Retry-After says, or put more into each file.",
            retry_after_seconds=seconds,
        )


def _record(service: UploadService, upload: Upload) -> None:
    """Record an announced upload that is counted; if that fails, it is no longer counted."""
    try:
        service.register.announce(upload)
    except StoreUnavailableError:
        # No URL is returned, so no file arrives and releases the count. If this fails too, the hour does.
        with suppress(StoreUnavailableError):
            service.open_uploads.release(upload.tenant, upload.size_bytes, upload.created_at)
        raise


def _one(service: UploadService, caller: Principal, event: Event) -> Answer:
    """GET /v1/uploads/{id}."""
    _may_look(caller)
    upload_id = event["pathParameters"]["id"]
    found = service.register.upload(caller.tenant, upload_id) if forms.is_id(upload_id) else None
    if found is None:
        raise HttpError(404, "not_found", "There is no such upload.")
    loading = service.loading_among(caller, found[1:])
    return answer(200, _as_json(*found, caller, service, loading))


def _resume(service: UploadService, caller: Principal, event: Event) -> Answer:
    """POST /v1/uploads/{id}/resume: continue a file that was held up by its account's status."""
    caller.require("ingest")
    raise_if_refused(caller.refusal)
    upload_id = event["pathParameters"]["id"]
    found = service.register.upload(caller.tenant, upload_id) if forms.is_id(upload_id) else None
    if found is None:
        raise HttpError(404, "not_found", "There is no such upload.")
    file = found[1]
    if file is None or not file.may_be_read_at(datetime.fromtimestamp(service.clock(), UTC)):
        raise HttpError(
            409,
            "not_resumable",
            "Only a file that stopped because the account's logs were rejected can be resumed.",
        )
    _take_rate(service, caller)
    (service.own_queue if caller.byoc else service.queue).publish(file.dropped)
    return answer(202, _as_json(*found, caller, service))


def _list(service: UploadService, caller: Principal, event: Event) -> Answer:
    """GET /v1/uploads."""
    _may_look(caller)
    limit, cursor = forms.page(request(event).query)
    page = service.register.page(caller.tenant, limit, cursor)
    loading = service.loading_among(caller, (file for _, file in page.uploads))
    uploads = [_as_json(*each, caller, service, loading) for each in page.uploads]
    return answer(200, {"uploads": uploads, "next_cursor": page.next})


def _settings(service: UploadService, caller: Principal, _event: Event) -> Answer:
    """GET /v1/uploads/settings: also names the place for files that are not announced."""
    _may_look(caller)
    return answer(200, {"original": _originals(service, caller), **_place(service, caller)})


def _choose(service: UploadService, caller: Principal, event: Event) -> Answer:
    """PUT /v1/uploads/settings."""
    caller.require("admin")
    chosen, place = forms.originals(request(event).body), _place(service, caller)
    service.register.choose_originals(caller.tenant, chosen)
    return answer(200, {"original": chosen, **place})


def _place(service: UploadService, caller: Principal) -> dict[str, str]:
    return {"bucket": service.bucket_of(caller).name, "prefix": dropin_prefix(caller.tenant)}


def _originals(service: UploadService, caller: Principal) -> str:
    return service.register.originals(caller.tenant) or (KEEP if caller.byoc else DELETE)


def _may_look(caller: Principal) -> None:
    if "read" not in caller.scopes:
        caller.require("ingest")


def _as_json(
    upload: Upload,
    file: File | None,
    caller: Principal,
    service: UploadService,
    loading: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    is_loading = file is not None and file.digest in loading
    return upload_response(upload, file, dropin_prefix(caller.tenant), service.clock(), is_loading=is_loading)


_ROUTES: dict[str, Callable[[UploadService, Principal, Event], Answer]] = {
    "POST /v1/uploads": _announce,
    "GET /v1/uploads": _list,
    "GET /v1/uploads/{id}": _one,
    "POST /v1/uploads/{id}/resume": _resume,
    "GET /v1/uploads/settings": _settings,
    "PUT /v1/uploads/settings": _choose,
}
