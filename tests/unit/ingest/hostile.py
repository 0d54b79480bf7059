"""Hostile bodies, sent through the handler in a process of their own (tests.measured)."""

import gzip
from typing import Any

from functions.ingest import handler as ingesting
from tests.integration.http_events import drain_event
from tests.unit.ingest.protocols import in_memory


def send(body: bytes, route: str, media_type: str, gzipped: bool = True) -> int:
    """The status of the answer to `body`, which is compressed on the way."""
    headers = {"content-type": media_type, **({"content-encoding": "gzip"} if gzipped else {})}
    event = drain_event(gzip.compress(body, 1) if gzipped else body, headers)
    return status_of({**event, "routeKey": route})


def status_of(event: dict[str, Any]) -> int:
    """The status of the answer to `event`."""
    with in_memory():
        status: int = ingesting.handler(event, None)["statusCode"]
    return status
