"""One execution environment seen by the gateway: its process, its socket, and its failures."""

import asyncio
import contextlib
import json
import socket
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra.topology import Function
from local.endpoints import Endpoints
from local.lambda_runtime import LENGTH_BYTES
from local.naming import PROJECT_ROOT, function_arn, python_module
from local.variables import variables

INIT_TIMEOUT_SECONDS = 20


class InvocationError(Exception):
    """The invocation returned no answer."""


class FunctionFailedError(InvocationError):
    """The handler raised; the message names the exception."""


class FunctionCrashedError(InvocationError):
    """The environment ended before it answered."""


class FunctionTimedOutError(InvocationError):
    """The function timed out; its environment was killed."""


class ExecutionEnvironment:
    """One execution environment's process and the socket to it."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self, endpoints: Endpoints, logs: Path) -> None:
        """Start the process; returns when the handler is imported.

        Raises
        ------
        FunctionCrashedError: it could not be imported, or not in time.
        """
        ours, theirs = socket.socketpair()
        with theirs, (logs / f"{self._function.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *python_module("local.lambda_runtime", self._function.handler, str(theirs.fileno())),
                env=variables(self._function, endpoints),
                cwd=PROJECT_ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            await asyncio.wait_for(self._receive(), INIT_TIMEOUT_SECONDS)
        except TimeoutError:
            raise FunctionCrashedError(f"{self._function.name}: not imported in time") from None

    async def call(self, event: Any) -> Any:
        """Send one event and return what the handler returns."""
        assert self._writer is not None  # noqa: S101 - start() came first
        timeout = self._function.timeout_seconds
        invocation = {
            "event": event,
            "request_id": str(uuid4()),
            "function_arn": function_arn(self._function.name),
            "deadline_ms": time.time_ns() // 1_000_000 + timeout * 1000,
        }
        encoded = json.dumps(invocation).encode()
        try:
            self._writer.write(len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded)
            reply = await asyncio.wait_for(self._receive(), timeout)
        except TimeoutError:
            message = f"{self._function.name}: Task timed out after {timeout:.2f} seconds"
            raise FunctionTimedOutError(message) from None
        except ConnectionError:
            raise FunctionCrashedError(f"{self._function.name}: the environment ended") from None
        if "error_type" in reply:
            name, message = reply["error_type"], reply["error_message"]
            raise FunctionFailedError(f"{self._function.name}: {name}: {message}")
        return reply["answer"]

    async def end(self) -> None:
        """Kill the process and wait for it."""
        if self._writer:
            self._writer.close()
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _receive(self) -> dict[str, Any]:
        assert self._reader is not None  # noqa: S101 - start() came first
        try:
            length = await self._reader.readexactly(LENGTH_BYTES)
            message: dict[str, Any] = json.loads(
                await self._reader.readexactly(int.from_bytes(length, "big"))
            )
        except (asyncio.IncompleteReadError, ConnectionError):
            raise FunctionCrashedError(f"{self._function.name}: the environment ended, see its log") from None
        return message
