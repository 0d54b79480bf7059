"""The `gateway` child: API Gateway's HTTP API, the SQS poller and the schedule.

Routes, throttles, body limit and timeouts are the topology's; events and answers are payload 2.0. The
authorizer is called for every request that is not throttled (it has its own cache). Not supported: CORS, TLS.
Loopback only.

`Server-Timing` is not API Gateway's: `queue` is the time for which the request waited for an environment,
which Lambda would have started, and `total` the whole time, in milliseconds.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from infra.topology import (
    AUTHORIZER,
    CLOSED,
    HTTP_TIMEOUT_SECONDS,
    MAX_BODY_BYTES,
    throttles,
)
from local import overrides
from local.child import configuration
from local.endpoints import Endpoints
from local.execution_environment import InvocationError
from local.http_event import (
    MAX_PAYLOAD_BYTES,
    Call,
    GarbledAnswerError,
    Response,
    authorizer_event_of,
    event_of,
    response_of,
)
from local.invoker import WAITS, Invoker
from local.poller import poll_queues
from local.routing import Match, Routes
from local.scheduler import run_schedules
from local.serving import Listener, wait_for_stop_signal
from local.throttling import Throttles


@dataclass(frozen=True, slots=True)
class Configuration:
    port: int
    aws_endpoint: str
    services: dict[str, str]
    logs: str


ANY_PATH = r"/{path:[\s\S]*}"
"""A path may have line breaks, which `.` does not match."""


class Gateway:
    """The HTTP side: one request, one event, one answer."""

    def __init__(
        self,
        routes: Routes,
        invoker: Invoker,
        admitted: Throttles | None = None,
    ) -> None:
        self._routes = routes
        self._invoker = invoker
        self._throttles = admitted or Throttles(throttles(), CLOSED)
        self._running: set[asyncio.Task[Any]] = set()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES + 1)
        application.router.add_route("*", ANY_PATH, self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        request_id = str(uuid4())
        try:
            call = await _call_of(request, request_id)
        except web.HTTPRequestEntityTooLarge:
            return _sent(_message(413, "Request Entity Too Large"), request_id)
        match = self._routes.match(call.method, call.path)
        if not self._throttles.admit(match.route_key):
            return _sent(_message(429, "Too Many Requests"), request_id)
        began, waits = time.monotonic(), list[float]()
        WAITS.set(waits)
        sent = _sent(await self._routed(call, match), request_id)
        sent.headers["server-timing"] = _timing(sum(waits), time.monotonic() - began)
        return sent

    async def _routed(self, call: Call, match: Match) -> Response:
        event = event_of(call, match.route_key, match.parameters)
        if len(json.dumps(event)) > MAX_PAYLOAD_BYTES:
            return _message(413, "Request Entity Too Large")
        try:
            if match.route.auth and not await self._allowed(event):
                return _message(403, "Forbidden")
            return response_of(await self._within_time(match.function.name, event))
        except TimeoutError:
            return _message(503, "Service Unavailable")
        except (InvocationError, GarbledAnswerError):
            return _message(500, "Internal Server Error")

    async def _allowed(self, event: dict[str, Any]) -> bool:
        """Call the authorizer and put its context into `event`."""
        verdict = await self._invoker.invoke(AUTHORIZER, authorizer_event_of(event))
        if not isinstance(verdict, dict) or not isinstance(verdict.get("isAuthorized"), bool):
            raise GarbledAnswerError("the authorizer's answer is not a simple response")
        event["requestContext"]["authorizer"] = {"lambda": verdict.get("context") or {}}
        return bool(verdict["isAuthorized"])

    async def _within_time(self, name: str, event: dict[str, Any]) -> Any:
        """Stop waiting at the gateway's own limit; the function continues until its own timeout."""
        invocation = asyncio.create_task(self._invoker.invoke(name, event))
        self._running.add(invocation)
        invocation.add_done_callback(self._done)
        return await asyncio.wait_for(asyncio.shield(invocation), HTTP_TIMEOUT_SECONDS)

    def _done(self, invocation: asyncio.Task[Any]) -> None:
        self._running.discard(invocation)
        if not invocation.cancelled():
            invocation.exception()


async def _call_of(request: web.Request, request_id: str) -> Call:
    source_ip = request.remote or "127.0.0.1"
    forwarded = [
        ("x-forwarded-for", source_ip),
        ("x-forwarded-port", str(request.url.port)),
        ("x-forwarded-proto", request.scheme),
    ]
    return Call(
        method=request.method,
        path=request.path,
        raw_query=request.rel_url.raw_query_string,
        query=list(request.query.items()),
        headers=[*request.headers.items(), *forwarded],
        body=await request.read(),
        source_ip=source_ip,
        request_id=request_id,
    )


def _message(status: int, text: str) -> Response:
    """A response of the gateway itself."""
    return Response(status, {"content-type": "application/json"}, body=json.dumps({"message": text}).encode())


def _sent(response: Response, request_id: str) -> web.Response:
    sent = web.Response(status=response.status, headers=response.headers, body=response.body)
    for cookie in response.cookies:
        sent.headers.add("set-cookie", cookie)
    sent.headers["apigw-requestid"] = request_id
    return sent


def _timing(waited_seconds: float, total_seconds: float) -> str:
    return f"queue;dur={1000 * waited_seconds:.1f}, total;dur={1000 * total_seconds:.1f}"


async def serve(config: Configuration) -> None:
    """Serve until SIGTERM or SIGINT; execution environments end with it."""
    functions = overrides.functions()
    endpoints = Endpoints(config.aws_endpoint, config.services)
    invoker = Invoker(functions, endpoints, Path(config.logs))
    listener = Listener(Gateway(Routes(functions), invoker).application(), config.port)
    await listener.open()
    background = [
        asyncio.create_task(poll_queues(functions, invoker, config.aws_endpoint)),
        asyncio.create_task(run_schedules(functions, invoker)),
    ]
    await wait_for_stop_signal()
    for task in background:
        task.cancel()
    await listener.close()
    await invoker.close()


if __name__ == "__main__":
    asyncio.run(serve(configuration(Configuration)))
