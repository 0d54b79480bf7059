"""JSON endpoints for tests: clock, settings, disputes and webhook delivery. No API key is needed.

GET  /_clock                                       {"now"}
POST /_clock             {"advance_seconds"}       {"now", "happened"}
POST /_settings          fields of world.Settings  the settings
POST /_dispute           {"charge", "reason"}, or {"dispute", "status": "won"|"lost"}
GET  /_webhooks                                    {"pending", "held", "deliveries"}
POST /_webhooks          fields of webhooks.DeliveryFaults; {} restores the default
POST /_webhooks/release  {"how": "given"|"reversed"|"shuffled", "seed"}
POST /_webhooks/resend   {"event"}
POST /_webhooks/forge    {"event", "how"}, one of signing.FORGERIES: {"statuses"}
"""

import json
from dataclasses import asdict, fields
from typing import Any

from aiohttp import web

from fake_stripe.billing_cycle import advance_clock
from fake_stripe.disputes import close_dispute, open_dispute
from fake_stripe.errors import ApiError
from fake_stripe.signing import FORGERIES
from fake_stripe.webhooks import Deliveries, DeliveryFaults
from fake_stripe.world import Settings, World

MAX_ADVANCE_SECONDS = 5 * 366 * 86_400


class ControlRoutes:
    """Handlers for one world and its deliveries."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    def add_to(self, application: web.Application) -> None:
        router = application.router
        router.add_get("/_clock", self._time)
        router.add_post("/_clock", self._advance)
        router.add_post("/_settings", self._set)
        router.add_post("/_dispute", self._dispute)
        router.add_get("/_webhooks", self._webhooks)
        router.add_post("/_webhooks", self._order)
        router.add_post("/_webhooks/release", self._release)
        router.add_post("/_webhooks/resend", self._resend)
        router.add_post("/_webhooks/forge", self._forge)

    async def _time(self, _request: web.Request) -> web.Response:
        return web.json_response({"now": self._world.now()})

    async def _advance(self, request: web.Request) -> web.Response:
        seconds = (await _order(request)).get("advance_seconds")
        if not isinstance(seconds, int) or not 0 <= seconds <= MAX_ADVANCE_SECONDS:
            raise _wrong(f"advance_seconds: a whole number of at most {MAX_ADVANCE_SECONDS}")
        happened = advance_clock(self._world, seconds)
        return web.json_response({"now": self._world.now(), "happened": happened})

    async def _set(self, request: web.Request) -> web.Response:
        order = await _order(request)
        unknown = set(order) - {each.name for each in fields(Settings)}
        if unknown:
            raise _wrong(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in order.items():
            setattr(self._world.settings, name, value)
        return web.json_response(asdict(self._world.settings))

    async def _dispute(self, request: web.Request) -> web.Response:
        order = await _order(request)
        try:
            if "dispute" in order:
                thing = close_dispute(self._world, order["dispute"], str(order.get("status")))
            else:
                reason = str(order.get("reason", "fraudulent"))
                thing = open_dispute(self._world, str(order.get("charge")), reason)
        except ApiError as refused:
            raise _wrong(str(refused)) from None
        return web.json_response(thing)

    async def _webhooks(self, _request: web.Request) -> web.Response:
        deliveries = self._deliveries
        return web.json_response(
            {
                "pending": deliveries.pending(),
                "held": len(deliveries.held),
                "deliveries": list(deliveries.log),
            }
        )

    async def _order(self, request: web.Request) -> web.Response:
        try:
            order = DeliveryFaults(**await _order(request))
        except TypeError as wrong:
            raise _wrong(str(wrong)) from None
        self._deliveries.take(order)
        return web.json_response(asdict(order))

    async def _release(self, request: web.Request) -> web.Response:
        order = await _order(request)
        count = self._deliveries.release(str(order.get("how", "given")), int(order.get("seed", 0)))
        return web.json_response({"released": count})

    async def _resend(self, request: web.Request) -> web.Response:
        event = self._world.find("event", (await _order(request)).get("event"))
        if event is None:
            raise _wrong("no such event")
        self._deliveries.again(event)
        return web.json_response({"event": event["id"]})

    async def _forge(self, request: web.Request) -> web.Response:
        order = await _order(request)
        event = self._world.find("event", order.get("event"))
        if event is None or order.get("how") not in FORGERIES:
            raise _wrong(f"event: one there is; how: one of {', '.join(FORGERIES)}")
        return web.json_response({"statuses": await self._deliveries.forge(event, order["how"])})


async def _order(request: web.Request) -> dict[str, Any]:
    try:
        order = json.loads(await request.text() or "{}")
    except ValueError:
        raise _wrong("not JSON") from None
    if not isinstance(order, dict):
        raise _wrong("not a JSON object")
    return order


def _wrong(why: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=f"{why}\n")
