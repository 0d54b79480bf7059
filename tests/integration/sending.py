"""Requests of a test's own making, sent over several connections at once."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from tests.integration.stack import RunningStack, bearer

T = TypeVar("T")


def new_run() -> str:
    """A name that distinguishes a test's events from all others."""
    return uuid4().hex


def batch(run: str, name: str, size: int = 100) -> list[dict[str, Any]]:
    """`size` events whose ids begin with `name`."""
    return [
        {
            "message": f"order {number} shipped",
            "service": "checkout",
            "metadata": {"run": run, "event_id": f"{name}-{number}", "number": number},
        }
        for number in range(size)
    ]


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["metadata"]["event_id"] for event in events]


def drain(
    client: httpx.Client, key: str, events: Any, *, wait: bool = False, **headers: str
) -> httpx.Response:
    """POST /v1/drain; `idempotency_key="x"` becomes the header of that name."""
    return client.post(
        "/v1/drain",
        params={"wait": "true"} if wait else {},
        content=json.dumps({"events": events}),
        headers={
            "content-type": "application/json",
            **bearer(key),
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
    )


def at_once(
    stack: RunningStack, connections: int, work: Sequence[Any], send: Callable[[httpx.Client, Any], T]
) -> list[T]:
    """`send` for each piece of `work`, dealt out to `connections` that send one after the other."""

    def one_connection(share: Sequence[Any]) -> list[T]:
        with stack.client() as client:
            return [send(client, piece) for piece in share]

    with ThreadPoolExecutor(connections) as pool:
        shares = [work[start::connections] for start in range(connections)]
        return [each for answers in pool.map(one_connection, shares) for each in answers]
