"""Hostile bodies, sent through the handler in a process of their own (tests.measured)."""

import gzip
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from tests.integration.http_events import drain_event
from tests.unit.ingest.protocols import InMemoryIngest


def send(body: bytes, route: str, media_type: str, gzipped: bool = True) -> int:
    """The status of the answer to `body`, which is compressed on the way."""
    headers = {"content-type": media_type, **({"content-encoding": "gzip"} if gzipped else {})}
    event = drain_event(gzip.compress(body, 1) if gzipped else body, headers)
    here = InMemoryIngest()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ingesting, "_ingest", lambda: here.parts)
        answer: dict[str, Any] = ingesting.handler({**event, "routeKey": route}, None)
    status: int = answer["statusCode"]
    return status
