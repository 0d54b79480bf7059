"""Webhook deliveries: signed, one after the other, retried until a 2xx response.

Stripe guarantees no order, delivers more than once, and retries for three days. Tests can order each of
these: copies, a delay, loss, or all deliveries held and released in another order. The signature's timestamp
is the machine's time, not the advanced clock's: a receiver compares it with its own clock.
"""

import asyncio
import json
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import aiohttp

from fake_stripe.endpoints import wanting
from fake_stripe.signing import HEADER, forged, signature
from fake_stripe.world import StripeObject, World

RETRY_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 30, 60)
ANSWER_SECONDS = 30
MAX_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class DeliveryFaults:
    """Ordered delivery faults: `copies` each, after `delay_seconds`, the next `drop` lost, or all held."""

    copies: int = 1
    delay_seconds: float = 0
    drop: int = 0
    hold: bool = False


class Deliveries:
    """Receives events and delivers them; for the event loop it is opened in."""

    def __init__(self, world: World, retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self.order = DeliveryFaults()
        self.log: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self.held: list[tuple[StripeObject, StripeObject]] = []
        self._world = world
        self._retry_seconds = retry_seconds
        self._queue: asyncio.Queue[tuple[StripeObject, StripeObject]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dropped = 0
        self._busy = False
        world.listeners.append(self.enqueue)

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        for event in self._world.all("event"):
            if event["pending_webhooks"]:
                self.again(event)
        self._spawn(self._work())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def take(self, order: DeliveryFaults) -> None:
        """Apply `order` from now on; held deliveries stay held until they are released."""
        self.order, self._dropped = order, 0

    def enqueue(self, event: StripeObject) -> None:
        endpoints = wanting(self._world, event)
        if endpoints and self._dropped < self.order.drop:
            self._dropped += 1
            return
        for endpoint in endpoints:
            for _ in range(self.order.copies):
                (self.held.append if self.order.hold else self._queue.put_nowait)((event, endpoint))

    def release(self, how: str, seed: int) -> int:
        """Send held deliveries in the order `given`, `reversed` or `shuffled`; returns their number."""
        waiting, self.held = self.held, []
        if how == "reversed":
            waiting.reverse()
        elif how == "shuffled":
            random.Random(seed).shuffle(waiting)
        for each in waiting:
            self._queue.put_nowait(each)
        return len(waiting)

    def again(self, event: StripeObject) -> None:
        for endpoint in wanting(self._world, event):
            self._queue.put_nowait((event, endpoint))

    def pending(self) -> int:
        """Number of deliveries without a 2xx response that will be retried."""
        return self._queue.qsize() + len(self._tasks) - 1 + int(self._busy)

    async def forge(self, event: StripeObject, how: str) -> list[int]:
        """Send a forgery of `event` to each endpoint; returns their response statuses."""
        answers = []
        for endpoint in wanting(self._world, event):
            secret = self._world.notes[f"secret {endpoint['id']}"]
            body, header = forged(_body(event), secret, int(time.time()), how)
            answers.append(await self._post(endpoint["url"], body, header))
        return answers

    async def _work(self) -> None:
        while True:
            self._busy = False
            event, endpoint = await self._queue.get()
            self._busy = True
            await asyncio.sleep(self.order.delay_seconds)
            if not await self._try(event, endpoint, 1):
                self._spawn(self._retry(event, endpoint))

    async def _retry(self, event: StripeObject, endpoint: StripeObject) -> None:
        for attempt, seconds in enumerate(self._retry_seconds, start=2):
            await asyncio.sleep(seconds)
            if await self._try(event, endpoint, attempt):
                return

    async def _try(self, event: StripeObject, endpoint: StripeObject, attempt: int) -> bool:
        body = _body(event)
        header = signature(body, self._world.notes[f"secret {endpoint['id']}"], int(time.time()))
        status = await self._post(endpoint["url"], body, header)
        delivered = 200 <= status < 300
        self.log.append({"event": event["id"], "type": event["type"], "attempt": attempt, "status": status})
        if delivered:
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
        return delivered

    async def _post(self, url: str, body: bytes, header: str | None) -> int:
        """The status; 0 without a response. A redirect is a response, as in Stripe, and a failure."""
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (local)"}
        if header is not None:
            headers[HEADER] = header
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _body(event: StripeObject) -> bytes:
    """Raw UTF-8: reveals a receiver that parses and reserializes the body before it verifies."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
