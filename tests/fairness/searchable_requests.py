"""Send requests at a constant rate, and measure each of them until a search finds its events.

One after the other, they would be three in a phase: sync gathers the notifications of two seconds. All that
are not found yet are looked for with one search, so that more requests do not mean more searches.
"""

import threading
import time
from typing import Protocol

import httpx

from tests.fairness.probes import (
    PATIENCE_SECONDS,
    POLL_SECONDS,
    REQUEST_TO_SEARCHABLE,
    ProbeFailedError,
    Samples,
)

SEND_EVERY_SECONDS = 0.5


class Sender(Protocol):
    """The part of tests.fairness.probes.Tenant that is used here; both raise ProbeFailedError, HTTPError."""

    def send_request(self) -> str: ...
    def searchable(self, event_ids: set[str], /) -> set[str]: ...


def measure_requests(tenant: Sender, samples: Samples, ended: threading.Event) -> None:
    """Send until `ended`, and search until each request that was sent is found or PATIENCE_SECONDS old.

    So a request that is slow counts, whenever the phase ends.
    """
    sent: dict[str, float] = {}
    send_at = time.monotonic()
    while sent or not ended.is_set():
        began = time.monotonic()
        try:
            if began >= send_at and not ended.is_set():
                send_at = began + SEND_EVERY_SECONDS
                sent[tenant.send_request()] = began
            for event_id in tenant.searchable(set(sent)) if sent else ():
                samples.add(REQUEST_TO_SEARCHABLE, time.monotonic() - sent.pop(event_id))
        except (ProbeFailedError, httpx.HTTPError) as fault:
            samples.fail(REQUEST_TO_SEARCHABLE, f"{type(fault).__name__}: {fault}")
        for event_id in [each for each, sent_at in sent.items() if began - sent_at > PATIENCE_SECONDS]:
            del sent[event_id]
            samples.fail(REQUEST_TO_SEARCHABLE, f"not searchable after {PATIENCE_SECONDS} s")
        time.sleep(POLL_SECONDS)
