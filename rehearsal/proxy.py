"""The `proxy` child: stands in front of the emulator, says that requests came over TLS, and records them.

Over plain HTTP `aws:SecureTransport` is false, and the deny statements of buckets, queues and topics reject
every request, as they should. The emulator takes `X-Forwarded-Proto: https` as TLS (docs/adr/0032).
`Host` stays as sent, because the API and virtual-hosted buckets are found by it.

Everything passes here: the CDK command line, the scenarios, and the functions' own calls of AWS.
`GET /_rehearsal/calls` lists them, each once with its count, as JSON.

`/_rehearsal/to/<host>/<path>` is <path> with <host> as Host, for Stripe's webhooks.
"""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass

import aiohttp
from aiohttp import web
from yarl import URL

from local.child import configuration
from local.serving import Listener, wait_for_stop_signal
from rehearsal.calls import Call, call_of

CALLS_PATH = "/_rehearsal/calls"
TO_HOST = "/_rehearsal/to/"
MAX_BODY_BYTES = 256 * 1024 * 1024
HOP_BY_HOP = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
TIMEOUT = aiohttp.ClientTimeout(total=1000)
"""Longer than any function's timeout: a synchronous invocation is one request."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """`target`: the emulator's URL."""

    port: int
    target: str


class Proxy:
    """Forwards each request to `target`; bodies pass unchanged."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._calls: Counter[Call] = Counter()
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_get(CALLS_PATH, self._show)
        application.router.add_route("*", "/{rest:.*}", self._forward)
        application.on_startup.append(self._open)
        application.on_cleanup.append(self._close)
        return application

    async def _open(self, _application: web.Application) -> None:
        self._session = aiohttp.ClientSession(
            timeout=TIMEOUT,
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _close(self, _application: web.Application) -> None:
        if self._session:
            await self._session.close()

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response([{**asdict(call), "count": count} for call, count in self._calls.items()])

    async def _forward(self, request: web.Request) -> web.Response:
        assert self._session  # noqa: S101 - opened on start
        body = await request.read()
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
        path, host = request.raw_path, request.host
        if path.startswith(TO_HOST):
            host, _, rest = path.removeprefix(TO_HOST).partition("/")
            path = f"/{rest}"
        headers += [("Host", host), ("X-Forwarded-Proto", "https")]
        async with self._session.request(
            request.method,
            # The path as sent: a signature is over its very bytes.
            URL(f"{self._target}{path}", encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            content = await answer.read()
            sent = {name.lower(): value for name, value in headers}
            self._calls[call_of(request.method, path, sent, answer.status, content)] += 1
            return web.Response(
                status=answer.status,
                body=content,
                headers=[
                    (name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP
                ],
            )


async def serve(config: Configuration) -> None:
    """Serve until SIGTERM or SIGINT."""
    listener = Listener(Proxy(config.target).application(), config.port)
    await listener.open()
    await wait_for_stop_signal()
    await listener.close()


if __name__ == "__main__":
    asyncio.run(serve(configuration(Configuration)))
