"""The HTTP application: authentication, API version, idempotency key, then the handler of the route."""

import asyncio
import base64
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from local.stripe import API_VERSION
from local.stripe.call import Call, Handler
from local.stripe.cycle import move
from local.stripe.endpoints import add
from local.stripe.errors import RefusedError
from local.stripe.expand import expanded
from local.stripe.idempotency import Answer, Replays
from local.stripe.ids import new_id
from local.stripe.keeping import Keeping
from local.stripe.orders import Orders
from local.stripe.pages import Pages
from local.stripe.params import decode, listing
from local.stripe.portal_page import PortalPage
from local.stripe.routes import ROUTES
from local.stripe.webhooks import RETRY_SECONDS, Deliveries
from local.stripe.world import Request, Thing, World

TICK_SECONDS = 0.5


def application(
    api_key: str,
    webhook_url: str = "",
    webhook_secret: str = "",
    *,
    kept_in: Path | None = None,
    retry_seconds: tuple[float, ...] = RETRY_SECONDS,
) -> web.Application:
    """A separate Stripe. Events go to `webhook_url`, signed with `webhook_secret`, if it is set.

    With `kept_in` it continues from the state in that file.
    """
    keeping = Keeping(kept_in)
    world, replays = keeping.recall()
    if webhook_url and not any(each["url"] == webhook_url for each in world.all("webhook_endpoint")):
        add(world, webhook_url, webhook_secret, ["*"])
    deliveries = Deliveries(world, retry_seconds)
    built = web.Application(middlewares=[_kept_before_it_is_answered(lambda: keeping.keep(world, replays))])
    Api(world, api_key, replays).add_to(built)
    Pages(world).add_to(built)
    PortalPage(world).add_to(built)
    Orders(world, deliveries).add_to(built)

    async def alive(_application: web.Application) -> AsyncIterator[None]:
        await deliveries.open()
        ticking = asyncio.create_task(_tick(world, lambda: keeping.keep(world, replays)))
        yield
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await deliveries.close()

    built.cleanup_ctx.append(alive)
    return built


async def _tick(world: World, keep: Callable[[], None]) -> None:
    """Process due events as real time passes, too."""
    while True:
        if move(world, 0):
            keep()
        await asyncio.sleep(TICK_SECONDS)


def _kept_before_it_is_answered(keep: Callable[[], None]) -> Middleware:
    """Store the state before each response. No other task runs in between: no response precedes its state."""

    @web.middleware
    async def kept(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
        finally:
            if request.method != "GET":
                keep()
        return answer

    return kept


class Api:
    """The API itself, /v1."""

    def __init__(self, world: World, api_key: str, replays: Replays) -> None:
        self._world = world
        self._api_key = api_key
        self._replays = replays

    def add_to(self, built: web.Application) -> None:
        for method, path, handler in ROUTES:
            built.router.add_route(method, path, self._route(handler))
        built.router.add_route("*", "/v1/{rest:.*}", self._route(_nowhere))
        built.router.add_get("/healthcheck", _healthy)

    def _route(self, handler: Handler):  # type: ignore[no-untyped-def]  # noqa: ANN202
        async def answer(request: web.Request) -> web.Response:
            request_id = new_id("req", 14)
            headers = {}
            try:
                self._authenticate(request)
                _check_version(request)
                form = await request.text() if request.method == "POST" else request.query_string
                kept, replayed = self._answered(request, handler, form, request_id)
                if replayed:
                    headers["Idempotent-Replayed"] = "true"
            except RefusedError as refused:
                kept = _refusal(refused, request_id)
            headers |= {"Request-Id": kept.request_id, "Stripe-Version": API_VERSION}
            if kept.status in (400, 402):
                headers["Stripe-Should-Retry"] = "false"
            return web.Response(
                status=kept.status, body=kept.body, content_type="application/json", headers=headers
            )

        return answer

    def _answered(
        self, request: web.Request, handler: Handler, form: str, request_id: str
    ) -> tuple[Answer, bool]:
        """The response, and whether it is a replay."""
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        whole = f"{request.method} {request.path}\n{form}"
        old = self._replays.find(key, whole, self._world.now()) if key else None
        if old:
            return old, True
        self._world.request = Request(request_id, key or None)
        try:
            new = Answer(200, self._run(request, handler, form), request_id)
        except RefusedError as refused:
            new = _refusal(refused, request_id)
        finally:
            self._world.request = Request()
        if key:
            self._replays.keep(key, whole, self._world.now(), new)
        return new, False

    def _run(self, request: web.Request, handler: Handler, form: str) -> bytes:
        given = decode(form)
        paths = listing(given, "expand")
        given.pop("expand", None)
        origin = f"{request.scheme}://{request.host}"
        self._world.notes["origin"] = origin
        call = Call(given, dict(request.match_info), origin, request.path)
        return json.dumps(expanded(self._world, handler(self._world, call), paths)).encode()

    def _authenticate(self, request: web.Request) -> None:
        """Check the key: Bearer, or Basic with the key as username."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
        elif scheme.lower() != "bearer":
            raise RefusedError(401, "You did not provide an API key.")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise RefusedError(401, "Invalid API Key provided.")


def _check_version(request: web.Request) -> None:
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise RefusedError(
            400, f"Invalid Stripe API version: {version}. The local Stripe supports {API_VERSION}."
        )


def _refusal(refused: RefusedError, request_id: str) -> Answer:
    return Answer(refused.status, json.dumps(refused.body(request_id)).encode(), request_id)


def _nowhere(_world: World, call: Call) -> Thing:
    raise RefusedError(404, f"Unrecognized request URL ({call.address}).")


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
