"""A batch's objects: most by the reader, the others by the bucket, in the order of the manifest."""

from collections.abc import Sequence
from datetime import date
from typing import cast

import pytest
from obstore.store import MemoryStore

from functions.shared.buckets.object_reader import ObjectReader, Wanted
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.tenancy import TenantId
from functions.sync.load import ManifestBrokenError, StagingBucket
from functions.sync.notifications import StagedObject

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DAY, EXPIRES_ON = date(2026, 11, 30), date(2026, 12, 30)


class Reader:
    """Reads the objects of ACME only."""

    def __init__(self) -> None:
        self.wanted: list[Wanted] = []

    def read(self, wanted: Sequence[Wanted]) -> list[bytes | None]:
        self.wanted.extend(wanted)
        return [b"read " if "tenant=acme/" in key else None for key, _ in wanted]


def staged(bucket: PlatformBucket, tenant: TenantId, number: int) -> StagedObject:
    key = str(StagedKey(tenant, DAY, base32(number), 1, 9, EXPIRES_ON))
    etag = bucket.create(key, b"body%d " % number)
    assert etag
    return StagedObject(key, etag, len(b"body%d " % number))


def test_what_the_reader_leaves_is_read_from_the_bucket_in_order() -> None:
    bucket, reader = PlatformBucket(MemoryStore()), Reader()
    members = tuple(staged(bucket, (ACME, GLOBEX)[number % 2], number) for number in range(6))
    bucket.delete([members[3].key])

    fetched = StagingBucket(bucket, reader=cast(ObjectReader, reader)).fetch(members)

    assert fetched.frames == b"read body1 read read body5 "
    assert fetched.gone == {members[3].key}
    assert [(key, each.etag, each.size_bytes) for key, each in reader.wanted] == [
        (each.key, each.etag, each.size_bytes) for each in members
    ]


def test_an_object_that_has_changed_breaks_the_manifest_with_a_reader_too() -> None:
    bucket = PlatformBucket(MemoryStore())
    ours, theirs = staged(bucket, ACME, 1), staged(bucket, GLOBEX, 2)
    changed = StagedObject(theirs.key, "0" * 32, theirs.size_bytes)
    with pytest.raises(ManifestBrokenError):
        StagingBucket(bucket, reader=cast(ObjectReader, Reader())).fetch((ours, changed))
