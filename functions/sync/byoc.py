"""Sync for BYOC: load objects staged in customers' buckets into their ClickHouse, exactly once.

Trigger: SQS, with messages of ingest, quarantine and the sweeper, up to 10,000 at a time, each for one
tenant.
Promise: that of functions.sync.handler, for each tenant's destination. A slow, broken or hostile destination
does not delay the logs of other tenants: each has its own thread, at most two invocations at a time, and none
while its circuit is open (functions.shared.byoc.health). No loaded data is stored on our side.
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

from functions.shared.aws_client import client
from functions.shared.byoc.clients import byoc_clients
from functions.shared.byoc.health import MAX_PAUSE_SECONDS, HealthStore
from functions.shared.byoc.settings import ByocSettings
from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.fan_out import FanOut
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.direct_client import DirectClient
from functions.shared.tenancy import TenantId
from functions.sync.backoff import backoff_seconds, set_visibility_timeouts
from functions.sync.batch_processor import Deadline
from functions.sync.byoc_loader import ByocLoader, Outcome
from functions.sync.byoc_schema import prepare_tables
from functions.sync.ledger import Ledger
from functions.sync.notifications import (
    PartialBatchResponse,
    QueueMessage,
    StagedObject,
    read_messages,
    redeliver,
)

MARGIN_SECONDS = 5
"""Time that a batch needs besides its insert: ledger, fetch, delete."""

RESERVE_SECONDS = 3
"""Reserved at the end of the invocation for setting visibility timeouts."""

CROWDED_RECEIVES = 20
"""15 minutes with all slots of a destination in use; then the sweeper sends new messages for what is left."""


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    ledger_table: str
    health_table: str
    byoc_queue: str
    insert_timeout_seconds: int


@dataclass(slots=True)
class Sync:
    """The parts of this function; `seconds_taken`: duration of each tenant's last run in this process."""

    clouds: ByocLoader
    queue: Any
    queue_url: str
    a_batch_seconds: float
    threads: int = 16
    seconds_taken: dict[TenantId, float] = field(default_factory=dict)


@cache
def _sync() -> Sync:
    settings = load(Settings)
    keeper = byoc_clients(settings)
    queue = client("sqs")
    clouds = ByocLoader(
        Ledger(settings.ledger_table, client=DirectClient()),
        HealthStore(settings.health_table),
        keeper,
        partial(prepare_tables, keeper),
        settings.insert_timeout_seconds,
    )
    return Sync(
        clouds,
        queue,
        queue.get_queue_url(QueueName=settings.byoc_queue)["QueueUrl"],
        settings.insert_timeout_seconds + MARGIN_SECONDS,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> PartialBatchResponse:
    """Settle the objects that the messages name; return the messages to be redelivered."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _sync())


def answer_to(event: dict[str, Any], seconds_left: Callable[[], float], sync: Sync) -> PartialBatchResponse:
    """`handler` with its parts injected; `seconds_left`: time until the invocation is stopped."""
    messages = read_messages(event)
    deadline = Deadline(lambda: seconds_left() - RESERVE_SECONDS, sync.a_batch_seconds)
    outcomes = _settled(_by_tenant(messages), deadline, sync)
    pauses = [(each, _pause(each, outcomes)) for each in messages]
    unsettled = [(each, seconds) for each, seconds in pauses if seconds is not None]
    set_visibility_timeouts(sync.queue, sync.queue_url, unsettled, seconds_left)
    return redeliver([each for each, _ in unsettled])


def _by_tenant(messages: list[QueueMessage]) -> dict[TenantId, list[StagedObject]]:
    objects: dict[TenantId, list[StagedObject]] = defaultdict(list)
    for each in messages:
        if each.tenant and each.objects and _is_sound(each):
            objects[each.tenant] += each.objects
    return objects


def _is_sound(message: QueueMessage) -> bool:
    """Whether the message names staged objects of its own tenant only."""
    return all(
        is_staged(each.key) and StagedKey.parse(each.key).tenant == message.tenant
        for each in message.objects or ()
    )


def _settled(
    objects: dict[TenantId, list[StagedObject]], deadline: Deadline, sync: Sync
) -> dict[TenantId, Outcome]:
    """The outcome of each tenant's objects; tenants that were fastest the last time come first."""

    def work(tenant: TenantId) -> Outcome:
        began = deadline.left()
        outcome = sync.clouds.work(tenant, objects[tenant], deadline)
        sync.seconds_taken[tenant] = began - deadline.left()
        return outcome

    fan_out = FanOut(work, deadline.left, lambda: not deadline.runs_low, sync.threads)
    quickest_first = sorted(objects, key=lambda tenant: sync.seconds_taken.get(tenant, 0))
    outcomes, abandoned = fan_out.run(quickest_first)
    for tenant in abandoned:
        sync.clouds.abandon(tenant)
    return outcomes


def _pause(message: QueueMessage, outcomes: dict[TenantId, Outcome]) -> int | None:
    """Seconds until the message is redelivered; None when it can be deleted."""
    if message.objects is None or not message.tenant or not _is_sound(message):
        return _message_backoff(message)
    outcome = outcomes.get(message.tenant)
    if not message.objects or (outcome and all(each.key in outcome.settled for each in message.objects)):
        return None
    if outcome is None:
        return _message_backoff(message)
    if outcome.left_to_sweeper or (outcome.no_free_slot and message.receive_count > CROWDED_RECEIVES):
        return None
    if outcome.wait_seconds is None:
        return backoff_seconds(message.receive_count) if outcome.no_free_slot else _message_backoff(message)
    # Jitter: the first message to return tries the destination for all of them.
    spread = random.uniform(0, min(5, outcome.wait_seconds / 4))  # noqa: S311
    return min(MAX_PAUSE_SECONDS, math.ceil(outcome.wait_seconds + spread))


def _message_backoff(message: QueueMessage) -> int:
    return backoff_seconds(message.receive_count, MAX_PAUSE_SECONDS)
