"""Erasures of the second tenant, each beside an attack, with both erasers running as often as they can.

A deployed stack runs them every five minutes, and they wait minutes for rows that may still arrive.
Neither depends on any tenant, so both are shorter here.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from local import overrides
from local.endpoints import Endpoints
from local.execution_environment import InvocationError
from local.invoker import Invoker
from tests.fairness.probes import ERASURE, ProbeFailedError, Samples, Tenant
from tests.integration.stack import RunningStack

HANDLERS = {"eraser": "eraser_handler", "eraser-byoc": "byoc_eraser_handler"}
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.5


def let_parts_go(stack: RunningStack) -> None:
    """The engine keeps replaced parts for eight minutes, and an erasure waits for that: seconds here."""
    settings = ("old_parts_lifetime", "cleanup_delay_period", "max_cleanup_delay_period")
    changes = ", ".join(f"{each} = 1" for each in settings)
    stack.command(f"ALTER TABLE events MODIFY SETTING {changes}")


def measure_erasure(stack: RunningStack, samples: Samples) -> None:
    """Measure one erasure of a person, from the request until it is verified."""
    tenant = Tenant(stack, stack.second_keys)
    try:
        with _running_erasers(stack):
            began = time.monotonic()
            try:
                tenant.erasure(PATIENCE_SECONDS)
            except ProbeFailedError as fault:
                samples.fail(ERASURE, str(fault))
            else:
                samples.add(ERASURE, time.monotonic() - began)
    finally:
        tenant.close()


@contextmanager
def _running_erasers(stack: RunningStack) -> Iterator[None]:
    """Run both erasers again and again until the block ends, independently of each other as Lambda does."""
    ended = threading.Event()
    threads = [threading.Thread(target=_run, args=(stack, name, ended)) for name in HANDLERS]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in threads:
            each.join()


def _run(stack: RunningStack, name: str, ended: threading.Event) -> None:
    page = stack.page
    endpoints = Endpoints(page["aws_endpoint"], {each: page[each] for each in ("api", "stripe")})
    function = replace(overrides.function(name), handler=f"tests.fairness.short_waits.{HANDLERS[name]}")

    async def invoke_until_ended() -> None:
        invoker = Invoker((function,), endpoints, stack.logs)
        try:
            while not ended.is_set():
                await _invoke(invoker, name, ended)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await invoker.close()

    asyncio.run(invoke_until_ended())


async def _invoke(invoker: Invoker, name: str, ended: threading.Event) -> None:
    """One run, which is left when the block ends; what it fails with is in its log."""
    run = asyncio.create_task(invoker.invoke(name, {}))
    while not run.done() and not ended.is_set():
        await asyncio.wait({run}, timeout=0.1)
    if not run.done():
        run.cancel()
    try:
        await run
    except (InvocationError, asyncio.CancelledError):
        return
