"""`python -m local up`: the whole service on one machine, until it is stopped.

A stack starts empty. AWS's side is in memory, the batch ledger too, and rows without their ledger would
belong to no batch; `keep` still leaves them, to look at.
"""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import aiohttp

from local import overrides
from local.byoc import DestinationRefusedError, configure
from local.invoker import Invoker
from local.serving import wait_for_stop_signal
from local.stack import BYOC_ACCOUNT, Places, Stack, new_stack, publish
from local.supervisor import Child, StackError, Supervisor, run_job
from local.welcome import welcome


def up(places: Places, gateway_port: int, *, keep: bool) -> None:
    """Run a stack until SIGINT or SIGTERM.

    Raises
    ------
    PortTakenError: the gateway's port is in use.
    StackError: a child does not start, or another stack runs in the same place.
    """
    places.root.mkdir(parents=True, exist_ok=True)
    with _alone(places.lock):
        stack = new_stack(places, gateway_port)
        if not keep:
            shutil.rmtree(places.tables, ignore_errors=True)
        shutil.rmtree(places.logs, ignore_errors=True)
        places.stripe.unlink(missing_ok=True)
        places.logs.mkdir()
        try:
            asyncio.run(_run(stack))
        finally:
            places.page.unlink(missing_ok=True)


async def _run(stack: Stack) -> None:
    def publish_page(pids: Mapping[str, int]) -> None:
        publish(stack.page({"supervisor": os.getpid(), **pids}), stack.places.page)

    supervisor = Supervisor(stack.places.logs, publish_page)
    stop = asyncio.create_task(wait_for_stop_signal())
    start = asyncio.create_task(_start(stack, supervisor))
    try:
        await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            publish_page(supervisor.pids)
            print(welcome(stack), flush=True)
            await stop
        print("stopping", flush=True)
    finally:
        start.cancel()
        await asyncio.wait({start})
        await supervisor.stop()


async def _start(stack: Stack, supervisor: Supervisor) -> None:
    began = time.monotonic()

    def show(step: str) -> None:
        print(f"  {time.monotonic() - began:4.1f} s  {step}", flush=True)

    aws, clickhouse, stripe, gateway = children(stack)
    print("Starting AstraLog on this machine", flush=True)
    await asyncio.gather(*(supervisor.start(each) for each in (aws, clickhouse, stripe)))
    show("AWS services, ClickHouse and Stripe answer")
    await asyncio.gather(provision(stack), _write_openapi_document(stack), supervisor.start(gateway))
    show("buckets, queues, tables, secrets and accounts are there")
    await asyncio.gather(_migrate(stack), _sync_catalogue(stack))
    show("the schema is up to date, Stripe has our plans")
    await _configure_byoc(stack)
    show("the BYOC account has its own bucket and ClickHouse")


def children(stack: Stack) -> tuple[Child, Child, Child, Child]:
    """The child processes of a stack."""
    places = stack.places
    return (
        Child(
            "aws",
            "local.aws",
            {"port": stack.aws_port, "services": dict(stack.endpoints.services)},
            ready_url=f"{stack.aws_endpoint}/moto-api/",
            again=lambda: _provision_again(stack),
        ),
        Child(
            "clickhouse",
            "local.clickhouse",
            {
                "port": stack.clickhouse_port,
                "data": str(places.tables),
                "spool": str(places.spool),
                "users": stack.clickhouse_users,
            },
            ready_url=f"{stack.clickhouse}/ping",
        ),
        Child(
            "stripe",
            "fake_stripe",
            {
                "port": stack.stripe_port,
                "webhook_url": stack.webhook,
                "kept_in": str(places.stripe),
                **asdict(stack.stripe_secrets),
            },
            ready_url=f"{stack.stripe}/healthcheck",
            again=lambda: _sync_catalogue(stack),
        ),
        Child(
            "gateway",
            "local.gateway",
            {
                "port": stack.gateway_port,
                "aws_endpoint": stack.aws_endpoint,
                "services": dict(stack.endpoints.services),
                "logs": str(places.logs),
            },
            ready_url=f"{stack.api}/health",
        ),
    )


async def provision(stack: Stack) -> None:
    """Create all AWS resources, with the same keys each time."""
    configuration = {
        "aws_endpoint": stack.aws_endpoint,
        "keys": {account: dict(scoped) for account, scoped in stack.keys.items()},
        "secrets": stack.secret_values,
        "byoc_account": BYOC_ACCOUNT,
        "byoc_bucket": stack.byoc.bucket,
    }
    await run_job("local.provision", configuration, stack.places.logs / "provision.log")


async def _provision_again(stack: Stack) -> None:
    """After a restart AWS is empty: the BYOC account's configuration is lost as well."""
    await provision(stack)
    await _configure_byoc(stack)


async def _configure_byoc(stack: Stack) -> None:
    try:
        await configure(stack.api, stack.keys[BYOC_ACCOUNT]["admin"], stack.destination)
    except (DestinationRefusedError, aiohttp.ClientError, TimeoutError) as fault:
        raise StackError(f"The API rejected the BYOC account's destination: {fault}") from None


async def _sync_catalogue(stack: Stack) -> None:
    configuration = {"aws_endpoint": stack.aws_endpoint}
    await run_job("local.catalogue", configuration, stack.places.logs / "catalogue.log")


async def _write_openapi_document(stack: Stack) -> None:
    await run_job("openapi", None, stack.places.logs / "openapi.log")


async def _migrate(stack: Stack) -> None:
    invoker = Invoker((overrides.function("migrate"),), stack.endpoints, stack.places.logs)
    try:
        await invoker.invoke("migrate", {})
    finally:
        await invoker.close()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Lock the folder: a second stack in it would delete the tables of the first."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"A stack is already running in {lock.parent}.") from None
        yield
