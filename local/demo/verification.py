"""Check the lines: count them in ClickHouse, and find them through the API."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from local.demo.client import Client
from local.demo.source import Event

LOOK_EVERY_SECONDS = 0.2
STALLED_AFTER_SECONDS = 60
PAGE_SIZE = 1000
EVERYTHING_SINCE = "2000-01-01T00:00:00Z"
"""Ingest moves older timestamps up to here."""

Fingerprint = tuple[str, str, str, str, str]


def stored(clickhouse: str, tenant: str) -> int | None:
    """The rows of `tenant` in ClickHouse, counted without our own code; None if it does not answer."""
    sql = quote(f"SELECT count() FROM events WHERE tenant_id = '{tenant}'")  # noqa: S608 - our own name
    try:
        with urllib.request.urlopen(f"{clickhouse}/?query={sql}", timeout=30) as answer:  # noqa: S310 - loopback
            return int(answer.read())
    except OSError:
        return None


def wait_until_stored(count: Callable[[], int | None], wanted: int, on_growth: Callable[[int], None]) -> int:
    """Wait until `count` reaches `wanted` or does not grow for STALLED_AFTER_SECONDS; returns the last count.

    `on_growth` is called each time it grows.
    """
    seen, deadline = 0, time.monotonic() + STALLED_AFTER_SECONDS
    while seen < wanted:
        now = count()
        if now is not None and now != seen:
            on_growth(now - seen)
            seen, deadline = now, time.monotonic() + STALLED_AFTER_SECONDS
        elif time.monotonic() > deadline:
            break
        else:
            time.sleep(LOOK_EVERY_SECONDS)
    return seen


def search(client: Client, **asked: Any) -> dict[str, Any]:
    """One page of POST /v1/search."""
    return client.post("/v1/search", json.dumps(asked).encode(), {"Content-Type": "application/json"})


def pages(client: Client, now: datetime) -> Iterator[list[Event]]:
    """All events, page by page."""
    asked = {
        "from": EVERYTHING_SINCE,
        "to": (now + timedelta(days=2)).isoformat(timespec="seconds"),
        "order": "asc",
        "limit": PAGE_SIZE,
    }
    page = search(client, **asked)
    yield page["events"]
    while page["next_cursor"]:
        page = search(client, **asked, cursor=page["next_cursor"])
        yield page["events"]


class Missing:
    """Sent lines that are not found yet; equal lines count separately."""

    def __init__(self, sent: Sequence[Event]) -> None:
        self._left = Counter(_fingerprint(event) for event in sent)

    def strike(self, events: Sequence[Event]) -> int:
        """Remove `events` that are unaltered from the missing lines; returns how many."""
        struck = 0
        for fingerprint in map(_fingerprint, events):
            if self._left[fingerprint] > 0:
                self._left[fingerprint] -= 1
                struck += 1
        return struck


def _fingerprint(event: Event) -> Fingerprint:
    return (
        event["message"],
        event.get("level", "info"),
        event["service"],
        event.get("trace_id", ""),
        json.dumps(event["metadata"], sort_keys=True),
    )
