"""Erasures of the second tenant, each beside an attack, with both erasers running as often as they can.

A deployed stack runs them every five minutes, and they wait minutes for rows that may still arrive.
Neither depends on any tenant, so both are shorter here.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace

import httpx

from local import overrides
from local.endpoints import Endpoints
from local.execution_environment import InvocationError
from local.invoker import Invoker
from tests.fairness.attacking import new_account
from tests.fairness.probes import ERASURE, ProbeFailedError, Samples, Tenant
from tests.integration.stack import RunningStack

ERASURES = 4
"""At once beside each attack, of a tenant each: an account may ask for few in a day."""

HANDLERS = {"eraser": "eraser_handler", "eraser-byoc": "byoc_eraser_handler"}
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.5
GRACE_SECONDS = 2.0
"""A run that ends within them keeps its environment; one that an attack prolongs does not."""


def let_parts_go(stack: RunningStack) -> None:
    """The engine keeps replaced parts for eight minutes, and an erasure waits for that: seconds here.

    Attaching the table has the settings apply at once. Otherwise the next clean-up is half a minute away,
    which made the first erasures of a stack, those alone, the slowest.
    """
    settings = ("old_parts_lifetime", "cleanup_delay_period", "max_cleanup_delay_period")
    changes = ", ".join(f"{each} = 1" for each in settings)
    stack.command(f"ALTER TABLE events MODIFY SETTING {changes}, cleanup_delay_period_random_add = 0")
    stack.command("DETACH TABLE events SYNC")
    stack.command("ATTACH TABLE events")


def measure_erasures(stack: RunningStack, erasers: "Erasers", samples: Samples) -> None:
    """Measure ERASURES erasures of a person at once, each from the request until it is verified."""
    keys = [new_account(stack, "managed_15")[1] for _ in range(ERASURES)]
    with erasers.running(), ThreadPoolExecutor(ERASURES) as pool:
        list(pool.map(lambda key: _measure_erasure(stack, key, samples), keys))


def _measure_erasure(stack: RunningStack, key: str, samples: Samples) -> None:
    try:
        with closing(Tenant(stack, dict.fromkeys(("ingest", "read", "admin"), key))) as tenant:
            samples.add(ERASURE, tenant.erasure(PATIENCE_SECONDS))
    except (ProbeFailedError, httpx.HTTPError) as fault:
        samples.fail(ERASURE, f"{type(fault).__name__}: {fault}")


class Erasers:
    """Both erasers, in environments that stay: another tenant's cold start is on another machine in Lambda.

    Each runs again and again inside `running`, independently of the other as in Lambda.
    """

    def __init__(self, stack: RunningStack) -> None:
        page = stack.page
        endpoints = Endpoints(page["aws_endpoint"], {each: page[each] for each in ("api", "stripe")})
        functions = tuple(
            replace(overrides.function(name), handler=f"tests.fairness.short_waits.{handler}")
            for name, handler in HANDLERS.items()
        )
        self._invoker = Invoker(functions, endpoints, stack.logs)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run both until the block ends."""
        ended = threading.Event()
        runs = [asyncio.run_coroutine_threadsafe(self._run(name, ended), self._loop) for name in HANDLERS]
        try:
            yield
        finally:
            ended.set()
            for each in runs:
                each.result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._invoker.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _run(self, name: str, ended: threading.Event) -> None:
        while not ended.is_set():
            await _invoke(self._invoker, name, ended)
            await asyncio.sleep(PAUSE_SECONDS)


async def _invoke(invoker: Invoker, name: str, ended: threading.Event) -> None:
    """One run, which is left soon after the block ends; what it fails with is in its log."""
    run = asyncio.create_task(invoker.invoke(name, {}))
    while not run.done() and not ended.is_set():
        await asyncio.wait({run}, timeout=0.1)
    await asyncio.wait({run}, timeout=GRACE_SECONDS)
    if not run.done():
        run.cancel()
    try:
        await run
    except (InvocationError, asyncio.CancelledError):
        return
