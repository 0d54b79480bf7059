"""The local gateway on a socket, with ingest in this process and a table of keys; requests are bytes."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any

from aiohttp import web

from functions.ingest import handler as ingesting
from functions.shared import sent_key
from infra.topology import AUTHORIZER, FUNCTIONS
from local.gateway import Gateway
from local.naming import LOOPBACK
from local.routing import Routes
from tests.integration.http_events import drain_event

KEYS = {
    "ast_sk_live_acme00000000000000000000000000000000": "acme",
    "ast_sk_live_globex000000000000000000000000000000": "globex",
}
"""Key -> its tenant."""

TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """What the client reads. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class IngestInvoker:
    """Calls ingest, and instead of the authorizer looks the key up; `verdict` changes what it says."""

    verdict: dict[str, str] = field(default_factory=dict)

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        if name == AUTHORIZER:
            return {"isAuthorized": True, "context": self._context(event)}
        return await asyncio.to_thread(ingesting.handler, event, None)

    def _context(self, event: dict[str, Any]) -> dict[str, str]:
        query = event.get("queryStringParameters") or {}
        key = sent_key.find(event["headers"]) or sent_key.find_in_query(query)
        if key is None:
            return {"verdict": "missing_key"}
        if key not in KEYS:
            return {"verdict": "unknown_key"}
        known: dict[str, str] = drain_event(b"", tenant=KEYS[key])["requestContext"]["authorizer"]["lambda"]
        return {**known, **self.verdict}


class SocketGateway:
    """A running gateway: `port`, and the `invoker` that its requests reach."""

    def __init__(self) -> None:
        self.invoker = IngestInvoker()
        self.port = 0

    @contextmanager
    def running(self) -> Iterator["SocketGateway"]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="socket gateway")
        thread.start()
        runner = asyncio.run_coroutine_threadsafe(self._open(), loop).result(TIMEOUT_SECONDS)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(TIMEOUT_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def _open(self) -> web.AppRunner:
        gateway = Gateway(Routes(FUNCTIONS), self.invoker)  # type: ignore[arg-type]
        runner = web.AppRunner(gateway.application(), access_log=None, auto_decompress=False)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        (address,) = runner.addresses
        self.port = address[1]
        return runner

    def send(self, raw: bytes) -> ClientResponse:
        """The response to a request, which is sent as these bytes."""
        method = raw.partition(b" ")[0].decode()
        with socket.create_connection((LOOPBACK, self.port), TIMEOUT_SECONDS) as connection:
            connection.sendall(raw)
            response = HTTPResponse(connection, method=method)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return ClientResponse(response.status, headers, response.read())
