"""A fake Stripe in a thread of this process, a receiver of its webhooks, and hands for its pages."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import stripe
from aiohttp import web
from aiohttp.typedefs import Middleware

from fake_stripe.application import application

API_KEY = "sk_test_local_contract"
SECRET = "whsec_local_contract"
DAY = 86_400
PATIENCE_SECONDS = 10
RETRY_SECONDS = (0.02, 0.02, 0.02, 0.02, 0.02)
CARD = {"number": "4242 4242 4242 4242", "expiry": "12/40", "cvc": "123", "name": "A Tester"}


@dataclass
class Receiver:
    """An endpoint; `answers` are the statuses of its next answers, 200 after them."""

    answers: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str | None, int]] = field(default_factory=list)
    url: str = ""

    def events(self) -> list[dict[str, Any]]:
        """What was accepted and rightly signed, as the SDK parses it."""
        accepted = [each for each in self.received if each[2] == 200]
        return [stripe.Webhook.construct_event(body, header, SECRET) for body, header, _ in accepted]

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.received) >= count


@dataclass(frozen=True)
class Answer:
    """What the API answered at a route, `POST /v1/customers/{id}`; `body` is JSON as it went out."""

    route: str
    status: int
    body: dict[str, Any]


@dataclass
class Stripe:
    """The SDK's client, the pages by HTTP, what the API answered, and what tests may order."""

    url: str
    receiver: Receiver
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sdk = stripe.StripeClient(
            API_KEY, base_addresses={"api": self.url, "meter_events": self.url}, max_network_retries=0
        )
        self.api = self.sdk.v1
        self.http = httpx.Client(base_url=self.url, trust_env=False)

    def order(self, path: str, **order: Any) -> Any:
        answer = self.http.post(path, json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, path: str) -> Any:
        """An answer as it comes, before the SDK makes objects of it."""
        answer = self.http.get(path, headers={"Authorization": f"Bearer {API_KEY}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, days: float) -> int:
        return self.order("/_clock", advance_seconds=int(days * DAY))["now"]

    def now(self) -> int:
        return self.http.get("/_clock").json()["now"]

    def settle(self) -> None:
        """Until no webhook is on its way."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.http.get("/_webhooks").json()["pending"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def post_form(self, page: str, button: str, **fields: str) -> httpx.Response:
        """Fill in the form with that button on a page, and press it."""
        shown = self.http.get(page).text
        forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', shown, re.DOTALL)
        action, inside = next(each for each in forms if f">{button}<" in each[1])
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inside))
        named = set(re.findall(r'name="([^"]+)"', inside))
        filled = {name: value for name, value in fields.items() if name in named}
        return self.http.post(unescape(action), data={**hidden, **filled})


@contextmanager
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = state.answers.pop(0) if state.answers else 200
            state.received.append((body, self.headers.get("Stripe-Signature"), status))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _noted(answers: list[Answer]) -> Middleware:
    """Write down what the API answers."""

    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        answer = await handler(request)
        resource = request.match_info.route.resource
        if request.path.startswith("/v1/") and resource is not None:
            route = f"{request.method} {resource.canonical}"
            answers.append(Answer(route, answer.status, json.loads(answer.body)))
        return answer  # type: ignore[no-any-return]

    return note


@contextmanager
def fake_stripe_server(*middlewares: Middleware) -> Iterator[Stripe]:
    """One of its own, with nothing in it; `middlewares` surround what it does with a request."""
    answers: list[Answer] = []
    with receiver() as state:
        loop = asyncio.new_event_loop()
        built = application(API_KEY, state.url, SECRET, retry_seconds=RETRY_SECONDS)
        built.middlewares.extend([_noted(answers), *middlewares])
        runner = web.AppRunner(built)
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        asyncio.run_coroutine_threadsafe(runner.setup(), loop).result(10)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        asyncio.run_coroutine_threadsafe(site.start(), loop).result(10)
        here = Stripe(f"http://127.0.0.1:{runner.addresses[0][1]}", state, answers)
        try:
            yield here
        finally:
            here.http.close()
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
