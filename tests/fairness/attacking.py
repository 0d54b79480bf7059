"""Runs an attack in its process, on a tenant of its own, and removes what it leaves."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from functions.accounts.directory import Account, Directory, Key
from functions.accounts.keys import generate
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tables.uploads import SLOT_LEASES
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.items import BATCH, SLOTS
from local.naming import physical
from tests.fairness.attacks import Attacker
from tests.fairness.settling import delete_rows, wait_until_settled
from tests.fairness.waiting_process import WaitingProcess
from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, wait_until

SETTLE_SECONDS = 120
LOWEST_PRIORITY = 19
"""The attacker's own machine is not part of the service: its process yields to the functions."""


class Attack:
    """An attack that is prepared; `answers`: how often it got which status, known when it has ended."""

    def __init__(self, process: WaitingProcess) -> None:
        self._process = process
        self._has_ended = False
        self.answers: Counter[str] = Counter()

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self) -> None:
        self._process.begin()

    def end(self) -> None:
        """End it, if it has not ended."""
        if self._has_ended:
            return
        self._has_ended = True
        if lines := self._process.end():
            self.answers.update(json.loads(lines[-1]))


@contextmanager
def attacking(stack: RunningStack, name: str, seconds: float) -> Iterator[Attack]:
    """Prepare the attack, which lasts from its `begin` to its `end` or that of the block, or so many seconds.

    Raises
    ------
    StackNotReadyError: its messages or files are not gone SETTLE_SECONDS after the block, or its rows are not
        loaded and deleted in the times of tests.fairness.settling.
    """
    attacker = new_attacker(stack, is_byoc=name == "endless listing")
    arguments = ("-m", "tests.fairness.attacks", name, attacker.as_json(), str(seconds))
    process = WaitingProcess(arguments, LOWEST_PRIORITY)
    attack = Attack(process)
    try:
        process.wait_until_ready()
        yield attack
    finally:
        attack.end()
        _delete_files(stack, attacker)
        wait_until(lambda: stack.visible_messages("dropped") == 0, SETTLE_SECONDS, "messages are received")
        wait_until(lambda: _has_ended(stack, attacker), SETTLE_SECONDS, "no file of the attacker is read")
        wait_until_settled(stack)
        delete_rows(stack, TenantId(attacker.tenant))
        _delete_items(stack, attacker, "erasures", "erasure_id")


def _delete_files(stack: RunningStack, attacker: Attacker) -> None:
    """What an attack leaves unread is not the next attack's."""
    s3, bucket = stack.aws("s3"), stack.page["drop_bucket"]
    prefix = dropin_prefix(TenantId(attacker.tenant))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _has_ended(stack: RunningStack, attacker: Attacker) -> bool:
    """Whether the attacker has no backlog and no invocation that reads a file: else delete the backlog.

    Its files are deleted, and to find that out for each of a thousand would delay the next phase.
    """
    deleted = _delete_items(stack, attacker, "uploads", "entry", BATCH)
    key = {"tenant_id": {"S": attacker.tenant}, "entry": {"S": SLOTS}}
    slots = stack.aws("dynamodb").get_item(TableName=physical("uploads"), Key=key).get("Item", {})
    leases = [int(slots.get(each.until.attr_name, {"N": "0"})["N"]) for each in SLOT_LEASES]
    return not deleted and max(leases) < time.time()


def _delete_items(
    stack: RunningStack, attacker: Attacker, table: str, sort_key: str, prefix: str = ""
) -> int:
    """Delete the attacker's items of a table; how many there were."""
    dynamodb, name = stack.aws("dynamodb"), physical(table)
    pages = dynamodb.get_paginator("query").paginate(
        TableName=name,
        KeyConditionExpression="tenant_id = :tenant",
        ExpressionAttributeValues={":tenant": {"S": attacker.tenant}},
    )
    keys = [
        {each: item[each] for each in ("tenant_id", sort_key)} for page in pages for item in page["Items"]
    ]
    chosen = [each for each in keys if each[sort_key]["S"].startswith(prefix)]
    for each in chosen:
        dynamodb.delete_item(TableName=name, Key=each)
    return len(chosen)


def new_attacker(stack: RunningStack, *, is_byoc: bool) -> Attacker:
    """A tenant on trial that looks like an honest one; a BYOC tenant with a destination."""
    tenant, key = new_account(stack, "byoc" if is_byoc else "managed_15")
    destination = None
    if is_byoc:
        destination = deepcopy(stack.byoc_destination)
        destination["bucket"]["name"] = f"{tenant}-logs"
        destination["clickhouse"]["database"] = tenant
        stack.aws("s3").create_bucket(Bucket=f"{tenant}-logs")
    return Attacker(tenant, stack.api, key, stack.aws_endpoint, destination)


def new_account(stack: RunningStack, plan_name: str) -> tuple[TenantId, str]:
    """An account with the limits of a trial, and a key of it that may do everything."""
    tenant, key = TenantId(f"h{new_run()[:12]}"), generate()
    plan = PLANS[TRIAL]
    directory = Directory(
        physical("accounts"), physical("keys"), physical("key-lists"), client=stack.aws("dynamodb")
    )
    directory.put_account(
        Account(tenant, AccountStatus(plan_name, plan.retention_days, plan.bytes_per_second))
    )
    scopes = frozenset({"ingest", "read", "admin"})
    directory.put_key(key, Key(tenant, f"key_{tenant}", scopes=scopes, project_id="default"))
    return tenant, key
