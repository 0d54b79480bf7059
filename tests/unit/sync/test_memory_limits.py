"""Memory of sync for customers' objects: no more than their listed size, and no decompression bomb."""

from datetime import date
from threading import Barrier, Thread

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.frames import MAX_FRAMES, DecodedTooLargeError, decoded
from functions.shared.quarantine import unpack
from functions.shared.tenancy import TenantId
from functions.sync.load import BatchTooLargeError, Fetched, ManifestBrokenError, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.row_quarantine import MemoryBudget, MemoryBudgetError
from tests.unit.shared.hostile_server import costs_at_most

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
MEBIBYTE = 1024 * 1024


def key(tenant: TenantId, number: int) -> str:
    return str(StagedKey(tenant, date(2026, 11, 23), base32(number << 80), 3, 300, date(2026, 12, 23)))


def bomb(decoded_bytes: int) -> bytes:
    step = zstd.ZstdCompressor(1)
    piece = bytes(MEBIBYTE)
    return b"".join(step.compress(piece) for _ in range(decoded_bytes // MEBIBYTE)) + step.flush()


class Counting(PlatformBucket):
    """Counts what is asked of it."""

    asked = 0

    def get(self, *arguments: object) -> object:  # type: ignore[override]
        self.asked += 1
        return super().get(*arguments)  # type: ignore[arg-type]


def test_a_batch_that_is_said_to_be_too_large_is_not_fetched_and_anothers_is() -> None:
    for tenant, listed_bytes, fetched in ((ACME, 6, False), (GLOBEX, 5, True)):
        bucket = Counting(MemoryStore())
        members = tuple(
            StagedObject(key(tenant, each), bucket.create(key(tenant, each), b"body") or "", listed_bytes)
            for each in range(3)
        )
        staged = StagingBucket(bucket, 15)
        if fetched:
            assert staged.fetch(members) == Fetched(b"body" * 3, frozenset())
            assert len(staged.bodies(members)) == 3
        else:
            for read in (staged.fetch, staged.bodies):
                with pytest.raises(BatchTooLargeError):
                    read(members)
            assert bucket.asked == 0
        assert StagingBucket(bucket).fetch(members).frames == b"body" * 3, "our own bucket has no such limit"


@pytest.mark.parametrize(("etag", "size_bytes"), [("another", 4), (None, 3)])
def test_an_object_that_is_another_or_larger_breaks_the_manifest(etag: str | None, size_bytes: int) -> None:
    bucket = PlatformBucket(MemoryStore())
    found = bucket.create(key(ACME, 1), b"body") or ""
    with pytest.raises(ManifestBrokenError):
        StagingBucket(bucket).fetch((StagedObject(key(ACME, 1), etag or found, size_bytes),))


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(0, 2_000))
def test_frames_are_undone_as_zstd_does_it_or_not_at_all(pieces: list[bytes], max_bytes: int) -> None:
    frames, whole = b"".join(map(zstd.compress, pieces)), b"".join(pieces)
    if len(whole) <= max_bytes:
        assert decoded(frames, max_bytes) == whole
    else:
        with pytest.raises(DecodedTooLargeError):
            decoded(frames, max_bytes)
    if pieces:
        with pytest.raises(zstd.ZstdError):
            decoded(frames[:-1], 10_000)


def test_bombs_are_cut_off() -> None:
    one, empties = bomb(1024 * MEBIBYTE), zstd.compress(b"") * (4 * MAX_FRAMES)
    with costs_at_most(80, 5):
        for frames in (one, bomb(20 * MEBIBYTE) * 50, empties):
            with pytest.raises(DecodedTooLargeError):
                decoded(frames, 32 * MEBIBYTE)
        for frames in (one * 2, empties):
            with pytest.raises(DecodedTooLargeError):
                MemoryBudget(32 * MEBIBYTE)._taken_in(frames, 1)


def test_a_quarantine_document_that_is_a_bomb_is_cut_off() -> None:
    with costs_at_most(300, 5), pytest.raises(DecodedTooLargeError):
        unpack(bomb(1024 * MEBIBYTE))


def test_a_frame_that_wants_a_large_window_gets_none() -> None:
    step = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    with pytest.raises(zstd.ZstdError):
        decoded(step.compress(b"x") + step.flush(), 1000)


def test_more_rows_than_the_key_says_are_not_split() -> None:
    room = MemoryBudget(32 * MEBIBYTE)
    lines = zstd.compress(b"\n" * (16 * MEBIBYTE))
    with costs_at_most(64, 5), pytest.raises(DecodedTooLargeError), room.rows(lines, 3):
        pass
    with room.rows(zstd.compress(b"a\nb\n\n"), 3) as rows:
        assert rows == [b"a", b"b"]
    with room.rows(b"no zstd\nat all", 3) as rows:
        assert rows == [b"no zstdat all"]


def test_two_customers_share_the_memory_and_a_message_without_room_is_redelivered() -> None:
    room, inside = MemoryBudget(3 * MEBIBYTE), Barrier(2, timeout=5)
    acme, globex = bomb(2 * MEBIBYTE), bomb(2 * MEBIBYTE)

    def hold() -> None:
        with room.rows(acme, 3):
            inside.wait()
            inside.wait()

    holder = Thread(target=hold)
    holder.start()
    inside.wait()
    with pytest.raises(MemoryBudgetError), room.rows(globex, 3):
        pass
    with room.rows(zstd.compress(b"small"), 3) as rows:
        assert rows == [b"small"]
    inside.wait()
    holder.join()
    with room.rows(globex, 3) as rows:
        assert len(rows) == 1
