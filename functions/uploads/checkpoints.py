"""Checkpoints: where the reading of a file continues.

They are stored beside the tenant's staged objects because they contain text of the tenant's files. Each
checkpoint is one object, named by its position: two attempts write equivalent objects, so the first one
counts.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from backports import zstd

from functions.shared.buckets.contract import Bucket, BucketUnavailableError
from functions.shared.errors import PermanentError
from functions.shared.frames import DecodedTooLargeError, decoded
from functions.shared.tenancy import TenantId, checkpoint_prefix
from functions.uploads.formats.contract import State
from functions.uploads.streams.contract import ResumePoint

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`kind`, `state`: of the format. `at`: text done so far. `mark`: a resume point at or before `at`."""

    kind: str
    state: State
    at: int
    mark: ResumePoint


class CheckpointLostError(PermanentError):
    """The checkpoint does not exist or cannot be read."""


class Checkpoints:
    """The checkpoints of one file. Errors are those of the bucket."""

    def __init__(self, bucket: Bucket, tenant: TenantId, digest: str) -> None:
        self._bucket = bucket
        self._prefix = f"{checkpoint_prefix(tenant)}{digest}/"

    def put(self, part: int, text_at: int, checkpoint: Checkpoint) -> str:
        """Store `checkpoint`, at which part `part` begins, `text_at` bytes into the text; return its key.

        A conflict on the key can also be a write in flight, which may still fail: hence the second check.
        """
        key = f"{self._prefix}{part:06d}-{text_at}"
        taken = self._bucket.create(key, zstd.compress(_encoded(checkpoint), 1)) is None
        if taken and self._bucket.etag_of(key) is None:
            raise BucketUnavailableError("Conflict")
        return key

    def get(self, key: str) -> Checkpoint:
        """The checkpoint under `key`.

        Raises
        ------
        CheckpointLostError
        """
        found = self._bucket.get(key)
        if found is None:
            raise CheckpointLostError("the checkpoint is gone")
        try:
            return _decoded(decoded(bytes(found.body), MAX_BYTES))
        except (zstd.ZstdError, DecodedTooLargeError, ValueError, LookupError, TypeError, RecursionError):
            # Other writers have access to a customer's bucket.
            raise CheckpointLostError("the checkpoint is none") from None

    def delete(self) -> None:
        """Delete all checkpoints of the file."""
        self._bucket.delete([each.key for each in self._bucket.under(self._prefix)])


def _encoded(checkpoint: Checkpoint) -> bytes:
    return json.dumps(asdict(checkpoint)).encode()


def _decoded(text: bytes) -> Checkpoint:
    fields: dict[str, Any] = json.loads(text)
    return Checkpoint(fields["kind"], fields["state"], fields["at"], ResumePoint(**fields["mark"]))
