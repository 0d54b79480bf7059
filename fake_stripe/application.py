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

from fake_stripe import API_VERSION
from fake_stripe.billing_cycle import advance_clock
from fake_stripe.call import Call, Handler
from fake_stripe.controls import ControlRoutes
from fake_stripe.endpoints import add
from fake_stripe.errors import ApiError
from fake_stripe.expand import expanded
from fake_stripe.idempotency import StoredResponse, StoredResponses
from fake_stripe.ids import new_id
from fake_stripe.pages import Pages
from fake_stripe.params import decode, listing
from fake_stripe.portal_page import PortalPage
from fake_stripe.routes import ROUTES
from fake_stripe.state_file import StateFile
from fake_stripe.webhooks import RETRY_SECONDS, Deliveries
from fake_stripe.world import Request, StripeObject, World

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
    state_file = StateFile(kept_in)
    world, replays = state_file.load()
    if webhook_url and not any(each["url"] == webhook_url for each in world.all("webhook_endpoint")):
        add(world, webhook_url, webhook_secret, ["*"])
    deliveries = Deliveries(world, retry_seconds)
    built = web.Application(
        middlewares=[_kept_before_it_is_answered(lambda: state_file.save(world, replays))]
    )
    Api(world, api_key, replays).add_to(built)
    Pages(world).add_to(built)
    PortalPage(world).add_to(built)
    ControlRoutes(world, deliveries).add_to(built)

    async def alive(_application: web.Application) -> AsyncIterator[None]:
        await deliveries.open()
        ticking = asyncio.create_task(_tick(world, lambda: state_file.save(world, replays)))
        yield
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await deliveries.close()

    built.cleanup_ctx.append(alive)
    return built


async def _tick(world: World, save: Callable[[], None]) -> None:
    """Process due events as real time passes, too."""
    while True:
        if advance_clock(world, 0):
            save()
        await asyncio.sleep(TICK_SECONDS)


def _kept_before_it_is_answered(save: Callable[[], None]) -> Middleware:
    """Store the state before each response. No other task runs in between: no response precedes its state."""

    @web.middleware
    async def kept(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
        finally:
            if request.method != "GET":
                save()
        return answer

    return kept


class Api:
    """The API itself, /v1."""

    def __init__(self, world: World, api_key: str, replays: StoredResponses) -> None:
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
            except ApiError as refused:
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
    ) -> tuple[StoredResponse, bool]:
        """The response, and whether it is a replay."""
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        whole = f"{request.method} {request.path}\n{form}"
        old = self._replays.find(key, whole, self._world.now()) if key else None
        if old:
            return old, True
        self._world.request = Request(request_id, key or None)
        try:
            new = StoredResponse(200, self._run(request, handler, form), request_id)
        except ApiError as refused:
            new = _refusal(refused, request_id)
        finally:
            self._world.request = Request()
        if key:
            self._replays.save(key, whole, self._world.now(), new)
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
            raise ApiError(401, "You did not provide an API key.")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise ApiError(401, "Invalid API Key provided.")


def _check_version(request: web.Request) -> None:
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise ApiError(400, f"Invalid Stripe API version: {version}. The fake Stripe supports {API_VERSION}.")


def _refusal(refused: ApiError, request_id: str) -> StoredResponse:
    return StoredResponse(refused.status, json.dumps(refused.body(request_id)).encode(), request_id)


def _nowhere(_world: World, call: Call) -> StripeObject:
    raise ApiError(404, f"Unrecognized request URL ({call.address}).")


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
