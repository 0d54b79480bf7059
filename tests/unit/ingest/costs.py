"""One costly body, drained in a process of its own, and what it cost there."""

import time
from typing import Any

from obstore.store import MemoryStore

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.http import Answer, Event, answering
from tests.integration.hostile_costly_bodies import COSTLY
from tests.integration.http_events import drain_event


def drain(name: str) -> dict[str, Any]:
    """POST /v1/drain with that body: the answer's status, and the CPU seconds it took."""
    sent = COSTLY[name]()
    event = drain_event(sent.body, sent.headers)
    ingest = Ingest(StagingWriter(PlatformBucket(MemoryStore())), RateLimit())
    began = time.process_time()
    answer = _handler(ingest)(event, None)
    return {"status": answer["statusCode"], "cpu_seconds": time.process_time() - began}


def _handler(ingest: Ingest) -> Any:
    def route(event: Event) -> Answer:
        return answer_to(event, ingest)

    route.__module__ = answer_to.__module__
    return answering(route)
