"""Where a file continues, kept in a bucket that others may write into, and that may fail."""

import pytest
from obstore.store import MemoryStore

from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.tenancy import TenantId, checkpoint_prefix
from functions.uploads.checkpoints import Checkpoint, CheckpointLostError, Checkpoints
from functions.uploads.streams.contract import ResumePoint

ACME = TenantId("acme")
PLACE = Checkpoint("lines", {"index": 7}, 10, ResumePoint(5, 9, True, 3, 1, 2))


class KeyTakenBucket(PlatformBucket):
    """Another process writes each key at this moment, and then fails."""

    def create(self, *_arguments: object) -> None:  # type: ignore[override]
        return None


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    checkpoints = Checkpoints(PlatformBucket(MemoryStore()), ACME, "d")
    assert checkpoints.get(checkpoints.put(1, 10, PLACE)) == PLACE
    assert checkpoints.get(checkpoints.put(1, 10, PLACE)) == PLACE, "there already"


def test_a_checkpoint_that_another_process_began_to_write_is_not_used() -> None:
    with pytest.raises(BucketUnavailableError):
        Checkpoints(KeyTakenBucket(MemoryStore()), ACME, "d").put(1, 10, PLACE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no zstd",
        b"\x28\xb5\x2f\xfd\x04\x00\x19\x00\x00{}\n",
        b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}",
        b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00[]",
    ],
)
def test_an_overwritten_checkpoint_is_lost(body: bytes) -> None:
    bucket = PlatformBucket(MemoryStore())
    key = f"{checkpoint_prefix(ACME)}d/000001-10"
    bucket.create(key, body)
    with pytest.raises(CheckpointLostError):
        Checkpoints(bucket, ACME, "d").get(key)
