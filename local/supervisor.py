"""Start the children, restart them, provision what they need, and stop them all.

A child that dies is restarted on its port within a second. A child's standard input is a pipe from the
supervisor, and the child ends with the pipe, so nothing outlives the supervisor, not even after kill -9.
"""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.naming import PROJECT_ROOT, child_environment, python_module

RESTART_PAUSE_SECONDS = 0.2
POLL_SECONDS = 0.05
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 5


class StackError(Exception):
    """The stack cannot start; the message says what to check."""


async def _nothing() -> None:
    """Do nothing, which is enough for most children after a restart."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the stack.

    `module` runs with `configuration` on its standard input; it is ready when `ready_url` answers 200.
    `again` is awaited after each restart, once the child is ready.
    """

    name: str
    module: str
    configuration: Mapping[str, Any]
    ready_url: str
    again: Callable[[], Awaitable[None]] = _nothing


class Supervisor:
    """Runs children; `changed` is called with all pids by name after each restart."""

    def __init__(self, logs: Path, changed: Callable[[Mapping[str, int]], None]) -> None:
        self._logs = logs
        self._changed = changed
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._watches: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._processes.items()}

    async def start(self, child: Child) -> None:
        """Start `child`, return when it is ready, and restart it from then on.

        Raises
        ------
        StackError: it died or did not become ready.
        """
        await self._spawn(child)
        await self._ready(child)
        self._watches.append(asyncio.create_task(self._watch(child)))

    async def stop(self) -> None:
        """Stop all children, in reverse order of their start."""
        for watch in self._watches:
            watch.cancel()
        for process in reversed(self._processes.values()):
            await _ended(process)

    async def _spawn(self, child: Child) -> None:
        with (self._logs / f"{child.name}.log").open("ab") as log:
            process = await start_module(child.module, child.configuration, log)
        self._processes[child.name] = process

    async def _ready(self, child: Child) -> None:
        process = self._processes[child.name]
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_SECONDS
        while not await asyncio.to_thread(_answers, child.ready_url):
            log = self._logs / f"{child.name}.log"
            if process.returncode is not None:
                raise StackError(f"{child.name} ended with {process.returncode} while starting: see {log}")
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(f"{child.name} is not ready after {READY_TIMEOUT_SECONDS} s: see {log}")
            await asyncio.sleep(POLL_SECONDS)

    async def _watch(self, child: Child) -> None:
        while True:
            code = await self._processes[child.name].wait()
            print(f"{child.name} ended ({code}); restarting", flush=True)
            await self._spawn(child)
            self._changed(self.pids)
            try:
                await self._ready(child)
                await child.again()
            except StackError as fault:
                print(fault, flush=True)
                await asyncio.sleep(RESTART_PAUSE_SECONDS)


async def start_module(module: str, configuration: Any, log: Any) -> asyncio.subprocess.Process:
    """Start `python -m module`, a process that reads its configuration as local.child describes."""
    process = await asyncio.create_subprocess_exec(
        *python_module(module),
        env=child_environment(),
        cwd=PROJECT_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=log,
        stderr=log,
        # Ctrl-C in the terminal is for the supervisor, which stops the others in order.
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    process.stdin.write(json.dumps(configuration).encode() + b"\n")
    with contextlib.suppress(ConnectionError):
        await process.stdin.drain()
    return process


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - loopback, our own URL
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


async def run_job(module: str, configuration: Any, log_path: Path) -> None:
    """Run `python -m module` to its end.

    Raises
    ------
    StackError: it failed.
    """
    with log_path.open("ab") as log:
        process = await start_module(module, configuration, log)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await _ended(process)
        raise
    if code:
        raise StackError(f"{module} ended with {code}: see {log_path}")
