"""An account that has something everywhere we hold anything."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

from backports import zstd

from functions.accounts import keys
from functions.accounts.directory import Account, Key
from functions.accounts.person import Person
from functions.ingest.slow_buckets import SlowBuckets
from functions.privacy.forms import RequestedPeriod
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.audit import Origin
from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.health import Slot
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.exports.search_export import (
    SearchExport,
    SearchExportRequest,
    WriteProgress,
    WrittenPart,
)
from functions.shared.notifications import notifications
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.shared.secret_text import SecretText
from functions.shared.tables.external_ids import ExternalIdTable
from functions.shared.tables.saved_searches import SavedSearchItem
from functions.shared.tables.table import Table
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    idempotency_prefix,
    own_destination,
    own_drops,
    own_export_reads,
    own_searches,
    own_tail_reads,
    own_tails,
)
from tests.crash.privacy_world import IN_PERSON, World, new_tenant

ROW_LOCATIONS = {
    "engine files",
    "bucket staging/quarantine",
    "bucket staging/uploads",
    "bucket drop/dropin",
    "bucket exports/exports",
    "table search-exports",
}
"""Where rows are, copies of them, and the queries of exports."""


def furnished(here: World) -> tuple[TenantId, str]:
    """A new account that has something everywhere, and the text that is in all of it."""
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    return tenant, mark


def furnish(here: World, tenant: TenantId, mark: str) -> None:
    """Make the account one that has something everywhere, `mark` in all of it that takes a text."""
    _account(here, tenant, mark)
    _customer(here, tenant, mark)
    _byoc(here, tenant, mark)
    _logs(here, tenant, mark)
    _files(here, tenant, mark)
    _copy(here, tenant, mark)
    _search_export(here, tenant, mark)


def _account(here: World, tenant: TenantId, mark: str) -> None:
    subject = here.person_signs_up(mark)
    status = AccountStatus("managed_30", 30, 1_000_000)
    here.directory.put_account(Account(tenant, status, subject, created_at=int(here.now)))
    here.people.put(
        Person(
            subject=subject, tenant=tenant, name=f"Name {mark}", email=f"{mark}@example.org",
            terms_version="1", terms_accepted_at="2026-11-01T00:00:00Z", marketing_opt_in=True,
            state="confirmed",
        )
    )  # fmt: skip
    here.people.record_reset(subject, f"1-{mark}")
    here.people.end_sessions(subject, 1)
    here.people.end_session(subject, f"session-{mark}", 2**33)
    for number, name in enumerate((mark, f"=cmd|{mark}")):
        key = Key(tenant, f"key_{number}", frozenset({"ingest"}), mark, name=name, created_at=int(here.now))
        here.directory.put_key(keys.generate(), key)
    origin = Origin(f"person:{subject}", "203.0.113.9", f"browser {mark}")
    here.suppressions.add(f"{mark}@example.org", "bounce")
    used = {"tenant_id": {"S": tenant}, "entry": {"S": "total"}, "rows": {"N": "5"}, "bytes": {"N": "9"}}
    here.aws.dynamodb.put_item(TableName="usage", Item=used)
    report = {"S": json.dumps({"rows_differ": [{"tenant": tenant}]})}
    named = {"tenant_id": {"S": "*"}, "entry": {"S": f"reconciled#{tenant}"}, "report": report}
    here.aws.dynamodb.put_item(TableName="usage", Item=named)
    for number in range(3):
        here.audit.append(tenant, origin, "key.created", f"key_{number}")
    here.announcements.publish(tenant, f"a-{mark}", "news", f"Title {mark}", "text")
    here.notices.put(tenant, f"n-{mark}", "news", f"Title {mark}", "text")


def _customer(here: World, tenant: TenantId, mark: str) -> None:
    for entry in (f"account#{tenant}", f"customer#cus_{mark}"):
        item = {"entry": {"S": entry}, "tenant_id": {"S": str(tenant)}, "version": {"N": "1"}}
        if entry.startswith("account"):
            item |= {
                "customer_id": {"S": f"cus_{mark}"},
                "subscription": {"M": {"id": {"S": f"sub_{mark}"}}},
            }
        here.aws.dynamodb.put_item(TableName="billing", Item=item)


def _byoc(here: World, tenant: TenantId, mark: str) -> None:
    """Left from when the account was a BYOC one."""
    secret = SecretText(f"secret-{mark}")
    address = ClickHouseAddress(f"{mark}.example.org", 8443, True, f"user-{mark}", secret, "logs")
    here.destinations.put(
        Destination(
            tenant,
            1,
            f"bucket-{mark}",
            "us-east-1",
            None,
            AccessKey(secret, secret),
            address,
            "exactly_once",
            30,
        )
    )
    ExternalIdTable("external-ids", here.aws.dynamodb).get_or_put(str(tenant), f"external-id-{mark}")
    for name_of in (own_destination, own_drops, own_searches, own_tails, own_tail_reads, own_export_reads):
        name = name_of(tenant)
        slot = here.health.take(name, mark, 60)
        assert isinstance(slot, Slot)
        here.health.record_failure(slot, "busy")
    SlowBuckets("health", lambda: here.now, here.aws.dynamodb).charge(tenant)
    search = SavedSearchItem(
        str(tenant), f"search-{mark}", name=f"Lines of {mark}", query_text=mark, columns=[mark], saved=1
    )
    Table(SavedSearchItem, "saved-searches", here.aws.dynamodb).put(search)
    here.aws.dynamodb.put_item(
        TableName="search-budgets",
        Item={
            "tenant_id": {"S": str(tenant)},
            "entry": {"S": f"person:{mark}"},
            "paid_ms": {"N": "1"},
            "forget_at": {"N": str(int(here.now) + 86_400)},
        },
    )


def _logs(here: World, tenant: TenantId, mark: str) -> None:
    """Loaded, one of them rejected, a mark of an Idempotency-Key; and the messages about them."""
    rows = [
        here.row(tenant, f"order of {mark} number {n}", {"user_id": f"user-{mark}", "n": n}) for n in range(5)
    ]
    staged = here.stage(tenant, rows)
    here.uploads[f"{tenant}"] = staged
    body = next(notifications([staged], "test"))
    here.aws.sqs.send_message(QueueUrl=here.queue("staged"), MessageBody=body)
    assert here.deliver(staged)
    header = QuarantineHeader("refused", 27, staged.key, "b", [0, 1], 2, date(2030, 1, 1), datetime.now(UTC))
    refused = [rows[0][:-1].replace(b"order", b"refused"), rows[1][:-1].replace(mark.encode(), b"other")]
    here.staging.create(document_key(tenant, "q1"), pack(header, refused))
    here.staging.create(f"{idempotency_prefix(tenant)}{'0' * 64}", f"2026 {mark} {staged.key}".encode())


def _files(here: World, tenant: TenantId, mark: str) -> None:
    """One that was read and is kept, and how far the reading of another was when it ended badly."""
    here.drop(tenant, f"{mark}.txt", f"line of {mark}".encode(), "done")
    here.staging.create(f"{checkpoint_prefix(tenant)}{'0' * 32}/000001-1", zstd.compress(mark.encode()))


def _copy(here: World, tenant: TenantId, mark: str) -> None:
    """An archive that was made, as far as an erasure knows one."""
    export = here.service.request_export(here.caller(tenant), RequestedPeriod(0, int(here.now)), IN_PERSON)
    here.service.exports.finish(replace(export, state="ready", ready_at=int(here.now)))
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs/events-0001.ndjson", f"order of {mark}")
    here.exports_bucket.create(export.object_key, body.getvalue())


def _search_export(here: World, tenant: TenantId, mark: str) -> None:
    """One whose file was written, and one in progress."""
    archives = here.service.archives
    for state in ("ready", "running"):
        request = SearchExportRequest(
            json.dumps({"query": f"user_id:user-{mark}"}), 0, int(here.now * 1e9),
            int(here.now * 1e9), "ndjson", "none", "managed", 0, f"person:{mark}",
        )  # fmt: skip
        export = here.search_exports.add(
            SearchExport(tenant, f"sxp_{uuid4().hex}", "requested", int(here.now), request)
        )
        upload_id = archives.begin(export.object_key, export.file_name)
        etag = archives.put_part(export.object_key, upload_id, 1, f"line of {mark}".encode())
        part = WrittenPart(1, etag, [[1]])
        progress = WriteProgress(upload_id, 1, 9, 1)
        export = here.search_exports.save(replace(export, progress=progress, reason=""), part)
        if state == "ready":
            archives.complete(export.object_key, upload_id, [etag])
            here.search_exports.close(replace(export, state="ready", ready_at=int(here.now)))
        else:
            here.search_exports.save(replace(export, reason="try_again"))
