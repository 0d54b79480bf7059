"""Sync for BYOC: load objects staged in customers' buckets into their ClickHouse, exactly once.

Trigger: SQS, with messages of ingest, quarantine and the sweeper, up to 10,000 at a time, each for one
tenant.
Promise: that of functions.sync.handler, for each tenant's destination. A slow, broken or hostile destination
does not delay the logs of other tenants: each has its own thread, at most two invocations at a time, and none
while its circuit is open (functions.shared.custody.health). No loaded data is stored on our side.
Failure: messages are redelivered with exponential backoff, up to 15 minutes. From the sixth minute of an
outage on, messages are deleted: the objects wait in the customer's bucket, and the sweeper sends new messages
every five minutes until they are loaded. So an outage does not fill the queue for other tenants, and no
message expires during it. After other failures a message is redelivered up to 1,000 times, over ten days at
the longest pause, before it goes to the dead-letter queue.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from functions.shared.apart import Apart
from functions.shared.aws_client import client
from functions.shared.batch import PartialItemFailureResponse
from functions.shared.custody.clouds import custody
from functions.shared.custody.health import MAX_PAUSE_SECONDS, Health
from functions.shared.custody.settings import CustodySettings
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.staging import StagedKey, is_staged
from functions.shared.tenancy import TenantId
from functions.sync.drive import Time
from functions.sync.ledger import Ledger
from functions.sync.notifications import Message, StagedObject, read, redeliver
from functions.sync.own_cloud import Outcome, OwnClouds
from functions.sync.own_schema import prepare
from functions.sync.pace import come_back_in, pause_seconds

MARGIN_SECONDS = 5
"""Time that a batch needs besides its insert: ledger, fetch, delete."""

RESERVE_SECONDS = 3
"""Reserved at the end of the invocation for setting visibility timeouts."""

CROWDED_RECEIVES = 20
"""15 minutes with all slots of a destination in use; then the sweeper sends new messages for what is left."""


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    ledger_table: str
    health_table: str
    byoc_queue: str
    insert_timeout_seconds: int


@dataclass(slots=True)
class Sync:
    """The parts of this function; `seconds_taken`: duration of each tenant's last run in this process."""

    clouds: OwnClouds
    queue: Any
    queue_url: str
    a_batch_seconds: float
    threads: int = 16
    seconds_taken: dict[TenantId, float] = field(default_factory=dict)


@cache
def _sync() -> Sync:
    settings = load(Settings)
    keeper = custody(settings)
    queue = client("sqs")
    clouds = OwnClouds(
        Ledger(settings.ledger_table),
        Health(settings.health_table),
        keeper,
        partial(prepare, keeper),
        settings.insert_timeout_seconds,
    )
    return Sync(
        clouds,
        queue,
        queue.get_queue_url(QueueName=settings.byoc_queue)["QueueUrl"],
        settings.insert_timeout_seconds + MARGIN_SECONDS,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Settle the objects that the messages name; return the messages to be redelivered."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _sync())


def answer_to(
    event: dict[str, Any], seconds_left: Callable[[], float], sync: Sync
) -> PartialItemFailureResponse:
    """`handler` with its parts injected; `seconds_left`: time until the invocation is stopped."""
    messages = read(event)
    time_given = Time(lambda: seconds_left() - RESERVE_SECONDS, sync.a_batch_seconds)
    outcomes = _settled(_by_tenant(messages), time_given, sync)
    pauses = [(each, _pause(each, outcomes)) for each in messages]
    unsettled = [(each, seconds) for each, seconds in pauses if seconds is not None]
    come_back_in(sync.queue, sync.queue_url, unsettled, seconds_left)
    return redeliver(event, [each for each, _ in unsettled])


def _by_tenant(messages: list[Message]) -> dict[TenantId, list[StagedObject]]:
    objects: dict[TenantId, list[StagedObject]] = defaultdict(list)
    for each in messages:
        if each.tenant and each.objects and _is_sound(each):
            objects[each.tenant] += each.objects
    return objects


def _is_sound(message: Message) -> bool:
    """Whether the message names staged objects of its own tenant only."""
    return all(
        is_staged(each.key) and StagedKey.parse(each.key).tenant == message.tenant
        for each in message.objects or ()
    )


def _settled(
    objects: dict[TenantId, list[StagedObject]], time_given: Time, sync: Sync
) -> dict[TenantId, Outcome]:
    """The outcome of each tenant's objects; tenants that were fastest the last time come first."""

    def work(tenant: TenantId) -> Outcome:
        began = time_given.left()
        outcome = sync.clouds.work(tenant, objects[tenant], time_given)
        sync.seconds_taken[tenant] = began - time_given.left()
        return outcome

    apart = Apart(work, time_given.left, lambda: not time_given.runs_low, sync.threads)
    quickest_first = sorted(objects, key=lambda tenant: sync.seconds_taken.get(tenant, 0))
    outcomes, abandoned = apart.run(quickest_first)
    for tenant in abandoned:
        sync.clouds.abandon(tenant)
    return outcomes


def _pause(message: Message, outcomes: dict[TenantId, Outcome]) -> int | None:
    """Seconds until the message is redelivered; None when it can be deleted."""
    if message.objects is None or not message.tenant or not _is_sound(message):
        return _own_pace(message)
    outcome = outcomes.get(message.tenant)
    if not message.objects or (outcome and all(each.key in outcome.settled for each in message.objects)):
        return None
    if outcome is None:
        return _own_pace(message)
    if outcome.let_go or (outcome.crowded and message.receive_count > CROWDED_RECEIVES):
        return None
    if outcome.wait_seconds is None:
        return pause_seconds(message.receive_count) if outcome.crowded else _own_pace(message)
    # Jitter: the first message to return tries the destination for all of them.
    spread = random.uniform(0, min(5, outcome.wait_seconds / 4))  # noqa: S311
    return min(MAX_PAUSE_SECONDS, math.ceil(outcome.wait_seconds + spread))


def _own_pace(message: Message) -> int:
    return pause_seconds(message.receive_count, MAX_PAUSE_SECONDS)
