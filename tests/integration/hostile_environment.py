"""Ingest as an execution environment runs it, with a bucket in memory that is emptied after each request.

Run by local.lambda_runtime: what it weighs is what the handler weighs. By the clock of its rate limit a million
times as much time passes, so that nothing is over its rate. What was staged is appended to the files
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


class Shelf:
    """Where staged objects are kept out of memory: files of concatenated frames."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def empty(self, bucket: PlatformBucket) -> None:
        """Move all that is in `bucket` here; marks of Idempotency-Keys are forgotten."""
        for key in [each.key for each in bucket.under("")]:
            found = bucket.get(key)
            if found and is_staged(key):
                self._append(found.body)
            bucket.delete([key])

    def _append(self, frames: bytes | memoryview) -> None:
        path = self._folder / f"{self._number}.zst"
        with path.open("ab") as file:
            file.write(frames)
        if path.stat().st_size > BATCH_BYTES:
            self._number += 1


@cache
def _parts() -> tuple[PlatformBucket, Ingest, Shelf]:
    bucket = PlatformBucket(MemoryStore())
    ingest = Ingest(StagingWriter(bucket), RateLimit(lambda: time.monotonic() * 1_000_000))
    return bucket, ingest, Shelf(Path(os.environ[FOLDER]))


@answering
def handler(event: Event) -> Answer:
    """One request to POST /v1/drain."""
    bucket, ingest, shelf = _parts()
    answer = answer_to(event, ingest)
    shelf.empty(bucket)
    return answer
