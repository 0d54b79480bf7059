"""An aiohttp server on the loopback address for the stack's HTTP children."""

import asyncio
import signal

from aiohttp import web

from local.naming import LOOPBACK

MAX_LINE_BYTES = 1024 * 1024
"""A ClickHouse client puts whole statements into the URL."""


class Listener:
    """Serves `application` at `port`; handlers get bodies as sent, never decompressed."""

    def __init__(self, application: web.Application, port: int) -> None:
        self._port = port
        self._runner = web.AppRunner(
            application,
            access_log=None,
            auto_decompress=False,
            max_line_size=MAX_LINE_BYTES,
            keepalive_timeout=60,
            shutdown_timeout=1,
        )
        self._site: web.TCPSite | None = None

    async def open(self) -> None:
        await self._runner.setup()
        await self._listen()

    async def rest(self, seconds: float) -> None:
        """Refuse connections for `seconds` and drop open ones."""
        if self._site and self._runner.server:
            await self._site.stop()
            for connection in self._runner.server.connections:
                if connection.transport:
                    connection.transport.abort()
        await asyncio.sleep(seconds)
        await self._listen()

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await self._site.start()


async def wait_for_stop_signal() -> None:
    """Return when the process gets SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
