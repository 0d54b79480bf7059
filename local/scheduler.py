"""EventBridge Scheduler on one machine: invokes functions with a schedule at each interval."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.topology import Function
from local.execution_environment import InvocationError
from local.invoker import Invoker
from local.naming import ACCOUNT_ID, REGION, physical

SECONDS_A_MINUTE = 60


async def run_schedules(functions: tuple[Function, ...], invoker: Invoker) -> None:
    """Run until cancelled; the first tick comes one interval after the start."""
    async with asyncio.TaskGroup() as schedules:
        for function in functions:
            if function.schedule_minutes:
                schedules.create_task(_tick(function.name, function.schedule_minutes, invoker))


async def _tick(name: str, minutes: int, invoker: Invoker) -> None:
    while True:
        await asyncio.sleep(minutes * SECONDS_A_MINUTE)
        try:
            await invoker.invoke(name, schedule_event(name, datetime.now(UTC)))
        except InvocationError as fault:
            print(f"{name}, scheduled: {fault}", flush=True)


def schedule_event(name: str, now: datetime) -> dict[str, Any]:
    """The event a schedule sends."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{physical(name)}"],
        "detail": {},
    }
