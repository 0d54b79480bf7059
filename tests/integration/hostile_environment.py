"""Ingest as an execution environment runs it, with a bucket in memory that is emptied after each request.

Run by local.environment: what it weighs is what the handler weighs. What was staged is appended to the files
`<folder>/<number>.zst`, each as large as a batch.
"""

import os
from functools import cache
from pathlib import Path
from typing import cast

import obstore
from obstore.store import MemoryStore, S3Store

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate import RateLimit
from functions.ingest.stage import Staging
from functions.shared.http import Answer, Event, answering
from functions.shared.staging import is_staged

FOLDER = "HOSTILE_FOLDER"
BATCH_BYTES = 8 * 1024 * 1024


class Shelf:
    """Where staged objects are kept out of memory: files of concatenated frames."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def empty(self, store: MemoryStore) -> None:
        """Move all that is in `store` here; marks of Idempotency-Keys are forgotten."""
        for path in [each["path"] for some in obstore.list(store) for each in some]:
            if is_staged(path):
                self._append(bytes(obstore.get(store, path).bytes()))
            obstore.delete(store, path)

    def _append(self, frames: bytes) -> None:
        path = self._folder / f"{self._number}.zst"
        with path.open("ab") as file:
            file.write(frames)
        if path.stat().st_size > BATCH_BYTES:
            self._number += 1


@cache
def _parts() -> tuple[MemoryStore, Ingest, Shelf]:
    store = MemoryStore()
    ingest = Ingest(Staging(cast(S3Store, store)), RateLimit())
    return store, ingest, Shelf(Path(os.environ[FOLDER]))


@answering
def handler(event: Event) -> Answer:
    """One request to POST /v1/drain."""
    store, ingest, shelf = _parts()
    answer = answer_to(event, ingest)
    shelf.empty(store)
    return answer
