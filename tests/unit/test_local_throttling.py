"""The local gateway throttles as the deployed one does: each route by itself, callers together."""

import asyncio
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from infra.topology import CLOSED, DEFAULT_ROUTE, FUNCTIONS, Throttle, throttles
from local.gateway import Gateway
from local.throttling import Throttles
from tests.unit.test_local_gateway import ROUTES, Invoker

LITTLE = Throttle(rate=2, burst=3)


def bucket(now: list[float], **own: Throttle) -> Throttles:
    return Throttles(own, Throttle(rate=100, burst=100), lambda: now[0])


def test_a_burst_passes_and_what_comes_after_it_at_the_rate() -> None:
    now = [0.0]
    throttle = bucket(now, route=LITTLE)
    assert [throttle.admit("route") for _ in range(5)] == [True] * 3 + [False] * 2
    now[0] = 0.5
    assert [throttle.admit("route") for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [throttle.admit("route") for _ in range(4)] == [True] * 3 + [False]


def test_a_flood_of_one_route_leaves_the_others() -> None:
    throttle = bucket([0.0], route=LITTLE)
    assert not all(throttle.admit("route") for _ in range(10))
    assert all(throttle.admit("another") for _ in range(100))
    assert not throttle.admit("another")
    assert throttle.admit("a third")


def test_a_throttled_request_reaches_neither_authorizer_nor_function() -> None:
    invoker = Invoker(app={"statusCode": 204}, unmatched={"statusCode": 404})
    own = {"GET /open": LITTLE, "POST /closed/{id}": LITTLE, DEFAULT_ROUTE: LITTLE}
    gateway = Gateway(ROUTES, invoker, Throttles(own, CLOSED, lambda: 0.0))  # type: ignore[arg-type]

    async def scenario() -> list[list[tuple[int, Any]]]:
        async with TestClient(TestServer(gateway.application())) as client:
            requests = (("GET", "/open"), ("POST", "/closed/7"), ("GET", "/nowhere"))
            return [
                [
                    (answer.status, await answer.read())
                    for _ in range(5)
                    for answer in [await client.request(*each)]
                ]
                for each in requests
            ]

    for answers in asyncio.run(scenario()):
        assert [status for status, _ in answers[3:]] == [429, 429]
        assert {body for _, body in answers[3:]} == {b'{"message": "Too Many Requests"}'}
        assert 429 not in [status for status, _ in answers[:3]]
    assert len(invoker.events) == 3 + 2 * 3 + 3, (
        "three of the open route, three of the closed one with its authorizer, three that match no route"
    )


def test_every_open_route_has_a_throttle_of_its_own_and_a_low_one() -> None:
    open_routes = {
        f"{route.method} {route.path}" for each in FUNCTIONS for route in each.routes if not route.auth
    }
    assert open_routes <= throttles().keys()
    assert all(throttles()[key].rate <= 50 for key in open_routes | {DEFAULT_ROUTE})
