"""Sends changed bodies through the handler, and says what was wrong with how they were answered."""

import gc
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec import structs

from functions.ingest import accept, handler
from functions.ingest.rate_limit import RateLimit
from tests.unit.ingest.mutated_bodies import SEEDS, changed
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

ANSWERS = (200, 202, 204, 400, 413)
FREE_CPU_SECONDS = 0.25
CPU_SECONDS_PER_BYTE = 15e-6
"""What a body may take: linear in its bytes, each of which may be a record. Machines do other work, too."""

FORGET_AFTER = 500
"""Requests after which the bucket in memory is emptied."""


def send_changed(name: str, rounds: int) -> dict[str, Any]:
    """The answers by status, the longest CPU time of one, and the first faults, as readable text.

    A fault is an answer that blames us, a body that takes too long, or a count of records that does not fit.
    """
    seed, draw = SEEDS[name], random.Random(f"{name} {rounds}")
    statuses: dict[str, int] = {}
    longest, faults = 0.0, list[str]()
    with pytest.MonkeyPatch.context() as patched:
        results: list[accept.Accepted] = []
        patched.setattr(handler, "accept", lambda *given: _accept(results, *given))
        for number in range(rounds):
            if number % FORGET_AFTER == 0:
                parts = structs.replace(InMemoryIngest().parts, rate=RateLimit(_fast_clock))
                patched.setattr(handler, "_ingest", lambda parts=parts: parts)
            body = changed(seed, draw)
            results.clear()
            with _without_collections():
                began = time.thread_time()
                status = send(seed.url, seed.packed(body), dict(seed.headers))["statusCode"]
                taken = time.thread_time() - began
            longest = max(longest, taken)
            statuses[str(status)] = statuses.get(str(status), 0) + 1
            most = FREE_CPU_SECONDS + CPU_SECONDS_PER_BYTE * len(body)
            wrong = _wrong(status, taken / most, results, seed.count(body))
            if wrong and len(faults) < 5:
                faults.append(f"{wrong}: {body[:400]!r}")
    return {"statuses": statuses, "longest": longest, "faults": faults}


@contextmanager
def _without_collections() -> Iterator[None]:
    """A garbage collection of what other tests left behind takes longer than any body."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _fast_clock() -> float:
    """So fast that no sender is over its rate."""
    return time.monotonic() * 1_000_000


def _accept(results: list[accept.Accepted], *given: Any) -> accept.Accepted:
    accepted = accept.accept(*given)
    results.append(accepted)
    return accepted


def _wrong(status: int, share: float, results: list[accept.Accepted], count: int | None) -> str:
    """What is wrong, if anything. `share`: of the CPU time that the body may take."""
    if status not in ANSWERS:
        return f"status {status}"
    if share > 1:
        return f"{share:.1f} times the CPU time"
    if results and count is not None and results[0].result.records != count:
        return f"{results[0].result.records} of {count} records"
    return ""
