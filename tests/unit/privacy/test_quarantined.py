"""A person's rows in the quarantine, and what lies there and is no document."""

import json
from datetime import UTC, date, datetime

import pytest
from backports import zstd
from obstore.store import MemoryStore

from functions.privacy.erasure.byoc_place import ByocPlace
from functions.privacy.erasure.objects import Quarantined
from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.subject import Subject
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.quarantine import QuarantineHeader, document_key, pack, unpack
from functions.shared.tenancy import TenantId, quarantine_prefix

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
AN_HOUR = ErasureClock(lambda: 0.0, lambda: 3600.0)


def row(message: str) -> bytes:
    return json.dumps({"message": message, "metadata": {}}).encode()


def quarantine(bucket: PlatformBucket, tenant: TenantId, document: str, *messages: str) -> str:
    header = QuarantineHeader(
        "refused", 27, "source", "b", list(range(len(messages))), len(messages), date(2030, 1, 1),
        datetime.now(UTC),
    )  # fmt: skip
    key = document_key(tenant, document)
    bucket.create(key, pack(header, [row(each) for each in messages]))
    return key


@pytest.fixture
def bucket() -> PlatformBucket:
    return PlatformBucket(MemoryStore())


def place(bucket: PlatformBucket) -> Quarantined:
    return Quarantined(bucket, Subject(ACME, "message", "jane@example.org"), AN_HOUR)


def test_a_persons_rows_leave_their_documents_and_a_neighbours_stay(bucket: PlatformBucket) -> None:
    mixed = quarantine(bucket, ACME, "d1", "of jane@example.org", "of joe")
    hers = quarantine(bucket, ACME, "d2", "jane@example.org", "again jane@example.org")
    theirs = quarantine(bucket, GLOBEX, "d3", "of jane@example.org")
    assert place(bucket).count() == 3
    place(bucket).remove()

    stored = bucket.get(mixed)
    assert stored
    header, rows = unpack(bytes(stored.body))
    assert (header.positions, header.rows, rows) == ([1], 1, [row("of joe")])
    assert bucket.get(hers) is None
    assert bucket.get(theirs)
    assert place(bucket).count() == 0


NO_DOCUMENTS = (
    b"",
    b"no zstd",
    b"\x28\xb5\x2f\xfd",
    zstd.compress(b"no header\n"),
    zstd.compress(b'{"reason": "\xff"}\n'),
)


@pytest.mark.parametrize("body", NO_DOCUMENTS)
def test_a_foreign_object_never_counts_as_empty_and_does_not_stop_the_others(
    bucket: PlatformBucket, body: bytes
) -> None:
    """Whether it comes before the others or after them."""
    garbage = [f"{quarantine_prefix(ACME)}{name}" for name in ("a", "z")]
    for key in garbage:
        bucket.create(key, body)
    quarantine(bucket, ACME, "d1", "of jane@example.org")
    own = ByocPlace(lambda: place(bucket))
    assert own.count() == 1
    for wait in (own.remove, own.count):
        with pytest.raises(NotYetError) as waits:
            wait()
        assert waits.value.reason == "quarantine"

    assert [each.key for each in bucket.under(quarantine_prefix(ACME))] == garbage
    bucket.delete(garbage)
    assert own.count() == 0
