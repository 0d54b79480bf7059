"""A person's rows leave for good: the warehouse, the quarantine, what is delivered or replayed afterwards."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from backports import zstd

from functions.privacy.erasure.subject import Subject
from functions.quarantine.documents import QuarantineStore
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from tests.crash.erasing import Erased, erase
from tests.crash.world import EXPIRES_ON, World

TIME = Deadline(lambda: 60.0, 30.0)
RECEIVED = datetime(2029, 12, 2, 10, tzinfo=UTC)
ASKED = RECEIVED + timedelta(hours=1)
NOW = ASKED + timedelta(minutes=2)

METADATA: list[Any] = [
    {"user_id": "u1"}, {"user_id": "u10"}, {"user_id": 7}, {"user_id": 7.5}, {"user_id": "7"},
    {"user_id": True}, {"user_id": None}, {"user_id": ["u1"]}, {"user_id": {"id": "u1"}}, {"user.id": "u1"},
    {"user": {"id": "u1"}}, {"user": "u1"}, {"user_id": 'quo"te'}, {"user_id": "é"}, {"user_id": "\u0007"},
    {"user_id": 7.0}, {"user_id": 1e3}, {"user_id": 1000}, {"user_id": "null"},
    {"user_id": 12345678901234567}, {"user_id": 12345678901234568}, {"user_id": 0.00003}, {"user_id": [7]},
    {}, '{"user_id":"u\x011"', '{"user_id":"u\t1","n":}',
]  # fmt: skip
SUBJECTS = [
    ("metadata.user_id", "u1"), ("metadata.user_id", "7"), ("metadata.user_id", "7.5"),
    ("metadata.user_id", "true"), ("metadata.user.id", "u1"), ("metadata.user_id", 'quo"te'),
    ("metadata.user_id", "7.0"), ("metadata.user_id", "1000"), ("metadata.user_id", "1e3"),
    ("metadata.user_id", "null"), ("metadata.user_id", "12345678901234567"), ("metadata.user_id", "3e-5"),
    ("metadata.user_id", "é"), ("metadata.user_id", "\u0007"), ("message", "row 1"), ("message", "row 11"),
]  # fmt: skip


def row(tenant: str, message: str, metadata: Any = None, received: datetime = RECEIVED) -> bytes:
    stamp = f"{received:%Y-%m-%dT%H:%M:%S.%fZ}"
    fields = {
        "tenant_id": tenant,
        "project_id": "p",
        "timestamp": stamp,
        "level": "info",
        "service": "",
        "message": message,
        "trace_id": "",
        "span_id": "",
        "received_at": stamp,
        "metadata": metadata or {},
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def stage(here: World, tenant: str, rows: list[bytes]) -> StagedObject:
    key = str(StagedKey(TenantId(tenant), RECEIVED.date(), time_ordered_id(), len(rows), 300, EXPIRES_ON))
    body = zstd.compress(b"".join(rows), 1)
    etag = here.bucket.create(key, body)
    assert etag
    return StagedObject(key, etag, len(body))


def deliver(here: World, *objects: StagedObject) -> None:
    Settler(
        here.ledger, BatchProcessor(here.ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
    ).settle(objects, TIME)


def run(here: World, subject: Subject) -> Erased:
    return erase(here.warehouse, here.bucket, subject, ASKED, NOW)


def messages(here: World, tenant: str) -> list[str]:
    result = here.warehouse.select(
        "SELECT message FROM events WHERE tenant_id = {tenant:String} ORDER BY message", {"tenant": tenant}
    )
    return [each["message"] for each in result.rows]


@pytest.mark.parametrize(("field", "value"), SUBJECTS)
def test_the_engine_and_the_rule_for_staged_rows_mean_the_same_rows(
    here: World, field: str, value: str
) -> None:
    tenant = f"rule-{SUBJECTS.index((field, value))}"
    rows = [row(tenant, f"row {number}", metadata) for number, metadata in enumerate(METADATA)]
    deliver(here, stage(here, tenant, rows))
    subject = Subject(TenantId(tenant), field, value)
    about = {f"row {number}" for number, each in enumerate(rows) if subject.rule().matches_line(each)}

    assert run(here, subject) == Erased(len(about), 0, waited=False, verified=True)
    assert about
    assert set(messages(here, tenant)) == {f"row {number}" for number in range(len(METADATA))} - about


UNPARSED = [
    b'{"email":"jane@example.org","n":1e999}',
    b'{"email":"jane@example.org","n":-1.5e400}',
    b'{"email":"eve@example.org","email":"jane@example.org"}',
    b'{"email":"jane@example.org","deep":' + b"[" * 1100 + b"]" * 1100 + b"}",
]


@pytest.mark.parametrize("metadata", UNPARSED, ids=["1e999", "-1.5e400", "duplicate key", "deep"])
def test_metadata_that_the_engine_cannot_parse_or_reads_in_part_is_erased_too(
    here: World, metadata: bytes
) -> None:
    """Another tenant's row with the same metadata stays as it is."""
    mine, theirs = (f"unparsed-{name}-{UNPARSED.index(metadata)}" for name in ("a", "b"))
    for tenant in (mine, theirs):
        raw = row(tenant, "m").replace(b'"metadata": {}', b'"metadata": ' + metadata)
        deliver(here, stage(here, tenant, [raw, row(tenant, "other", {"email": "eve@example.org"})]))
    jane = Subject(TenantId(mine), "metadata.email", "jane@example.org")

    assert run(here, jane) == Erased(1, 0, waited=False, verified=True)
    assert messages(here, mine) == ["other"]
    result = here.warehouse.select(
        "SELECT metadata FROM events WHERE tenant_id = {tenant:String} AND message = 'm'", {"tenant": theirs}
    )
    assert [each["metadata"] for each in result.rows] == [metadata.decode()]


def test_only_the_subjects_rows_of_that_tenant_until_then_are_erased(here: World) -> None:
    """An hour later the same person may write again, and another tenant's person is another."""
    jane = {"user_id": "jane"}
    rows = [row("only", "before", jane), row("only", "after", jane, ASKED), row("only", "someone's")]
    deliver(here, stage(here, "only", rows), stage(here, "only-too", [row("only-too", "theirs", jane)]))

    assert run(here, Subject(TenantId("only"), "metadata.user_id", "jane")).rows == 1
    assert messages(here, "only") == ["after", "someone's"]
    assert messages(here, "only-too") == ["theirs"]


def test_a_late_delivery_does_not_restore_erased_rows(here: World) -> None:
    staged = stage(here, "late", [row("late", "jane was here"), row("late", "so was I")])
    body = here.bucket.get(staged.key)
    assert body
    deliver(here, staged)
    assert run(here, Subject(TenantId("late"), "message", "jane")).verified
    assert here.bucket.create(staged.key, bytes(body.body)), "as a sender's retry would"
    deliver(here, staged, staged)

    assert messages(here, "late") == ["so was I"]


def test_an_erasure_waits_for_what_is_staged_and_then_has_it(here: World) -> None:
    jane = Subject(TenantId("waits"), "message", "jane")
    loaded, staged = (stage(here, "waits", [row("waits", f"jane {name}")]) for name in "ab")
    deliver(here, loaded)

    assert run(here, jane) == Erased(0, 0, waited=True, verified=False)
    deliver(here, staged)
    assert run(here, jane) == Erased(2, 0, waited=False, verified=True)
    assert messages(here, "waits") == []


def test_the_quarantine_forgets_too_and_a_replay_brings_only_the_others_back(here: World) -> None:
    """Of a document's rows the person's leave it; a document of nothing else goes."""
    tenant, jane = TenantId("set-apart"), Subject(TenantId("set-apart"), "message", "jane")
    poison = [
        row(tenant, text).replace(b"2029-12-02T10", b"no time") for text in ("jane 1", "other", "jane 2")
    ]
    deliver(here, stage(here, tenant, [*poison, row(tenant, "good")]), stage(here, tenant, poison[:1]))
    documents = QuarantineStore(here.bucket)
    assert len(documents.listed(tenant)[0]) == 2

    assert run(here, jane).quarantined == 3
    (left,) = documents.listed(tenant)[0]
    document = documents.read(tenant, left)
    assert (document.header.rows, document.header.positions) == (1, [1])
    assert b"other" in document.rows[0]
    assert run(here, jane).verified
    assert messages(here, tenant) == ["good"]
