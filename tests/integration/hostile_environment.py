"""Ingest as an execution environment runs it, with a bucket in memory that is emptied after each request.

Run by local.lambda_runtime, so that its memory is the handler's memory. The clock of its rate limit runs a
million times as fast, so that no request is over the rate. Staged objects are appended to the files
`<folder>/<number>.zst`, each as large as a batch.
"""

import os
import time
from functools import cache
from pathlib import Path

from obstore.store import MemoryStore

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import is_staged
from functions.shared.http import Answer, Event, answering

FOLDER = "HOSTILE_FOLDER"
BATCH_BYTES = 8 * 1024 * 1024


class StagedFiles:
    """Where staged objects are kept out of memory: files of concatenated frames."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def empty(self, bucket: PlatformBucket) -> None:
        """Move all that is in `bucket` here; marks of Idempotency-Keys are forgotten."""
        for key in [each.key for each in bucket.under("")]:
            stored = bucket.get(key)
            if stored and is_staged(key):
                self._append(stored.body)
            bucket.delete([key])

    def _append(self, frames: bytes | memoryview) -> None:
        path = self._folder / f"{self._number}.zst"
        with path.open("ab") as file:
            file.write(frames)
        if path.stat().st_size > BATCH_BYTES:
            self._number += 1


@cache
def _parts() -> tuple[PlatformBucket, Ingest, StagedFiles]:
    bucket = PlatformBucket(MemoryStore())
    ingest = Ingest(StagingWriter(bucket), RateLimit(lambda: time.monotonic() * 1_000_000))
    return bucket, ingest, StagedFiles(Path(os.environ[FOLDER]))


@answering
def handler(event: Event) -> Answer:
    """One request to POST /v1/drain."""
    bucket, ingest, files = _parts()
    answer = answer_to(event, ingest)
    files.empty(bucket)
    return answer
