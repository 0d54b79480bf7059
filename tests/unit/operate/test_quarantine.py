"""The operator's command: what it shows and replays is the tenant's it was asked for."""

import json
from datetime import UTC, date, datetime

import pytest
from obstore.store import MemoryStore

from functions.quarantine.documents import MAX_LISTED
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.shared.tenancy import TenantId, quarantine_prefix, staged_prefix
from operate import quarantine
from tests.operating import operate

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> PlatformBucket:
    bucket = PlatformBucket(MemoryStore())
    monkeypatch.setattr(quarantine, "open_bucket", {"staging": bucket}.__getitem__)
    for tenant, document_id in ((ACME, "one"), (ACME, "two"), (GLOBEX, "three")):
        source = StagedKey(tenant, date(2026, 11, 23), document_id, 9, 300, date(2099, 1, 1))
        header = QuarantineHeader(
            "refused", 27, str(source), "b", [4], 1, source.expires_on, datetime.now(UTC)
        )
        bucket.create(document_key(tenant, document_id), pack(header, [b'{"message":"x"}']))
    return bucket


def staged(bucket: PlatformBucket, tenant: TenantId) -> list[str]:
    return [each.key for each in bucket.under(staged_prefix(tenant))]


@pytest.mark.usefixtures("bucket")
def test_it_lists_one_tenants_documents(capsys: pytest.CaptureFixture[str]) -> None:
    assert operate("list-quarantine", "acme", "--json") == 0
    reported = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["id"], each["rows"], each["positions"]) for each in reported] == [
        ("one", 1, [4]),
        ("two", 1, [4]),
    ]


def test_it_replays_those_that_are_named_or_all(bucket: PlatformBucket) -> None:
    assert operate("replay-quarantine", "acme", "two") == 0
    assert len(staged(bucket, ACME)) == 1
    assert operate("replay-quarantine", "acme") == 0
    assert len(staged(bucket, ACME)) == 2
    assert staged(bucket, GLOBEX) == []


def test_all_are_all_however_many_there_are(
    bucket: PlatformBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    """After an incident there are thousands, and those that are not replayed expire."""
    for each in list(bucket.under(quarantine_prefix(ACME))):
        bucket.delete([each.key])
    for number in range(MAX_LISTED + 3):
        source = StagedKey(ACME, date(2026, 11, 23), f"{number:026}", 9, 300, date(2099, 1, 1))
        header = QuarantineHeader(
            "refused", 27, str(source), "b", [4], 1, source.expires_on, datetime.now(UTC)
        )
        bucket.create(document_key(ACME, source.object_id), pack(header, [b'{"message":"x"}']))
    assert operate("list-quarantine", "acme", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == MAX_LISTED + 3
    assert operate("replay-quarantine", "acme") == 0
    assert len(staged(bucket, ACME)) == MAX_LISTED + 3


def test_a_foreign_object_is_reported_and_delays_no_document(
    bucket: PlatformBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.create(document_key(ACME, "rubbish"), b"rubbish")
    assert operate("list-quarantine", "acme", "--json") == 1
    reported = capsys.readouterr()
    assert [json.loads(line)["id"] for line in reported.out.splitlines()] == ["one", "two"]
    assert reported.err.startswith("rubbish: ")
    bucket.delete([document_key(ACME, "rubbish")])
    bucket.create(f"{quarantine_prefix(ACME)}notes.txt", b"rubbish")
    assert operate("list-quarantine", "acme", "--json") == 1
    reported = capsys.readouterr()
    assert [json.loads(line)["id"] for line in reported.out.splitlines()] == ["one", "two"]
    assert reported.err.startswith("notes.txt: ")
    assert operate("replay-quarantine", "acme", "one") == 0, "one that was named"
    assert operate("replay-quarantine", "acme") == 1
    assert len(staged(bucket, ACME)) == 2


@pytest.mark.parametrize(
    "arguments",
    [["replay-quarantine", "acme", "three"], ["replay-quarantine", "ACME"], ["list-quarantine", "../x"]],
)
@pytest.mark.usefixtures("bucket")
def test_what_cannot_be_done_is_said_and_fails(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate(*arguments) == 1
    assert capsys.readouterr().err
