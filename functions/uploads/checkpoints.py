"""Where the reading of a file goes on: beside the tenant's staged objects, for it holds text of theirs.

One object a checkpoint, named by how far it is: what two attempts write there means the same, so the first
one counts.
"""

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from backports import zstd

from functions.shared.buckets.contract import Bucket, BucketUnavailableError
from functions.shared.errors import PermanentError
from functions.shared.frames import DecodedTooLargeError, decoded
from functions.shared.tenancy import TenantId, checkpoint_prefix
from functions.uploads.formats.contract import State
from functions.uploads.streams.contract import Mark

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`kind` and `state` are the format's; `at` is how much of the text is done, `mark` a way back there."""

    kind: str
    state: State
    at: int
    mark: Mark


class CheckpointLostError(PermanentError):
    """The checkpoint is not there any more."""


class Checkpoints:
    """The checkpoints of one file. Errors are those of the bucket."""

    def __init__(self, bucket: Bucket, tenant: TenantId, digest: str) -> None:
        self._bucket = bucket
        self._prefix = f"{checkpoint_prefix(tenant)}{digest}/"

    def put(self, part: int, text_at: int, checkpoint: Checkpoint) -> str:
        """Keep `checkpoint`, with which part `part` begins, so far into the text; its key.

        A key counts as taken also while somebody else writes it, who may yet fail: hence the second look.
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
            # Others may write into a customer's bucket.
            raise CheckpointLostError("the checkpoint is none") from None

    def delete(self) -> None:
        """Delete all of them."""
        self._bucket.delete([each.key for each in self._bucket.under(self._prefix)])


def _encoded(checkpoint: Checkpoint) -> bytes:
    mark = {**asdict(checkpoint.mark), "window": base64.b64encode(checkpoint.mark.window).decode()}
    return json.dumps(
        {"kind": checkpoint.kind, "state": checkpoint.state, "at": checkpoint.at, "mark": mark}
    ).encode()


def _decoded(text: bytes) -> Checkpoint:
    told: dict[str, Any] = json.loads(text)
    mark = {**told["mark"], "window": base64.b64decode(told["mark"]["window"])}
    return Checkpoint(told["kind"], told["state"], told["at"], Mark(**mark))
