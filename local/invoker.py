"""Run functions as Lambda does: in separate execution environments, each with one invocation at a time.

Environments are processes with only their function's variables. One is started when no idle one is available
for an event, up to `local_concurrency`; further events queue. One that crashes or times out fails only its
own invocation, and the next event gets a new one. Output goes to `<logs>/<function>.log`.
"""

import asyncio
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from infra.topology import Function
from local.endpoints import Endpoints
from local.execution_environment import ExecutionEnvironment, FunctionFailedError

WAITS: ContextVar[list[float] | None] = ContextVar("waits", default=None)
"""For how many seconds each invocation of a request waited for an environment, if the request asks for it."""


class Pool:
    """The execution environments of one function."""

    def __init__(self, function: Function, endpoints: Endpoints, logs: Path) -> None:
        self._function = function
        self._endpoints = endpoints
        self._logs = logs
        self._turn = asyncio.Semaphore(function.local_concurrency)
        self._environments: set[ExecutionEnvironment] = set()
        self._idle: list[ExecutionEnvironment] = []

    async def invoke(self, event: Any) -> Any:
        """The handler's answer to `event`, a JSON value.

        Raises
        ------
        InvocationError: see its subclasses.
        """
        asked_at, waits = time.monotonic(), WAITS.get()
        async with self._turn:
            environment = await self._take()
            if waits is not None:
                waits.append(time.monotonic() - asked_at)
            try:
                answer = await environment.call(event)
            except FunctionFailedError:
                self._idle.append(environment)
                raise
            except BaseException as fault:
                self._note(fault)
                await self._drop(environment)
                raise
            self._idle.append(environment)
            return answer

    async def close(self) -> None:
        for environment in tuple(self._environments):
            await self._drop(environment)

    async def _take(self) -> ExecutionEnvironment:
        if self._idle:
            return self._idle.pop()
        environment = ExecutionEnvironment(self._function)
        self._environments.add(environment)
        try:
            await environment.start(self._endpoints, self._logs)
        except BaseException:
            await self._drop(environment)
            raise
        return environment

    async def _drop(self, environment: ExecutionEnvironment) -> None:
        self._environments.discard(environment)
        await environment.end()

    def _note(self, fault: BaseException) -> None:
        with (self._logs / f"{self._function.name}.log").open("a") as log:
            log.write(f"{fault}\n")


class Invoker:
    """The pools of all functions, by name."""

    def __init__(self, functions: tuple[Function, ...], endpoints: Endpoints, logs: Path) -> None:
        self._pools = {function.name: Pool(function, endpoints, logs) for function in functions}

    async def invoke(self, name: str, event: Any) -> Any:
        """The answer of the function called `name`; raises InvocationError."""
        return await self._pools[name].invoke(event)

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
