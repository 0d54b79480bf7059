"""The second tenant alone, beside each attack, and beside a neutral load of its size, on one running stack.

Alone comes before each attack again, so that a machine whose speed drifts is compared with itself.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from functions.accounts.directory import Account, Directory, Key
from functions.accounts.keys import generate
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.items import BATCH
from local.naming import PROJECT_ROOT, physical
from tests.fairness.attacks import Attacker
from tests.fairness.erasing import let_parts_go, measure_erasure
from tests.fairness.neutral import neutral_load
from tests.fairness.probes import (
    FILE_TO_ROWS,
    ONE_REQUEST,
    REQUEST_TO_SEARCHABLE,
    SEARCH,
    Samples,
    Tenant,
    repeat,
)
from tests.fairness.report import ALONE, ATTACK, NEUTRAL, Phase, Report, compared
from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, wait_until

SETTLE_SECONDS = 120
WARM_UPS = 3
LONGEST_ATTACK_SECONDS = 600


@dataclass(slots=True)
class AttackResult:
    """What the attacker was answered, and the processor time of its process: known when it has ended."""

    answers: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0


def measure(
    stack: RunningStack,
    attacks: Sequence[str],
    seconds: float,
    *,
    erasures: bool = True,
    notify: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure each phase for so long, and one erasure beside each attack."""
    let_parts_go(stack)
    _warm_up(stack)
    phases: list[Phase] = []
    for name in attacks:
        alone = _alone(stack, name, seconds, erasures=erasures)
        beside = _beside_attack(stack, name, seconds, erasures=erasures)
        neutral = _beside_neutral_load(stack, name, seconds, alone, beside, erasures=erasures)
        phases += [alone, neutral, beside]
        for each in phases[-3:]:
            notify(each.line())
    return Report(
        [each for name in attacks for each in compared(name, phases)],
        [f"{phase.attack}, {phase.kind}: {each}" for phase in phases for each in phase.samples.failures],
        phases,
    )


def _alone(stack: RunningStack, attack: str, seconds: float, *, erasures: bool) -> Phase:
    samples = Samples()
    busy = _probe(stack, samples, seconds)
    if erasures:
        measure_erasure(stack, samples)
    return _phase(stack, attack, ALONE, samples, busy)


def _beside_attack(stack: RunningStack, attack: str, seconds: float, *, erasures: bool) -> Phase:
    samples = Samples()
    with _attacking(stack, attack) as result:
        began = time.monotonic()
        busy = _probe(stack, samples, seconds)
        if erasures:
            measure_erasure(stack, samples)
        lasted = time.monotonic() - began
    return _phase(stack, attack, ATTACK, samples, busy, result.answers, result.cpu_seconds / lasted)


def _beside_neutral_load(
    stack: RunningStack, attack: str, seconds: float, alone: Phase, beside: Phase, *, erasures: bool
) -> Phase:
    """Beside a load that uses what the attack made the service use.

    The attacker's own process is not part of it, and yields to all others anyway. The second tenant does less
    beside the attack than alone, so its own share is smaller there.
    """
    own_seconds = alone.busy_seconds * beside.work / max(1, alone.work)
    extra = beside.busy_seconds - beside.attackers_seconds - own_seconds
    samples = Samples()
    with neutral_load(max(0.0, extra), LONGEST_ATTACK_SECONDS):
        busy = _probe(stack, samples, seconds)
        if erasures:
            measure_erasure(stack, samples)
    return _phase(stack, attack, NEUTRAL, samples, busy)


def _phase(
    stack: RunningStack,
    attack: str,
    kind: str,
    samples: Samples,
    busy_seconds: float,
    answers: Counter[str] | None = None,
    attackers_seconds: float = 0.0,
) -> Phase:
    """The result of a phase, when all its rows are loaded."""
    wait_until(lambda: not stack.staged_keys(), SETTLE_SECONDS, "all rows are loaded")
    return Phase(
        attack, kind, samples, answers or Counter(), busy_seconds, attackers_seconds, os.cpu_count() or 1
    )


def _probe(stack: RunningStack, samples: Samples, seconds: float) -> float:
    """Run all probes for so long; the processor time that all processes used in one second."""
    ended, before, began = threading.Event(), _processor_seconds(), time.monotonic()
    with _probing(stack, samples, ended):
        time.sleep(seconds)
        ended.set()
        return (_processor_seconds() - before) / (time.monotonic() - began)


def _processor_seconds() -> float:
    """Used by all processes since the machine started."""
    first = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, *_ = map(float, first.split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _warm_up(stack: RunningStack) -> None:
    """Start the environments that read files and search: else the first phase pays for their cold starts.

    One probe alone uses one environment. Two accounts at a time use two.
    """
    tenants = [Tenant(stack, keys) for keys in (stack.keys, stack.second_keys) for _ in range(2)]
    for _ in range(WARM_UPS):
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(Tenant.file_to_rows, tenants))
            list(pool.map(Tenant.search, tenants))
    for each in tenants:
        each.close()


@contextmanager
def _probing(stack: RunningStack, samples: Samples, ended: threading.Event) -> Iterator[None]:
    tenants = [Tenant(stack, stack.second_keys) for _ in range(4)]
    probes: dict[str, Callable[[], Mapping[str, float] | None]] = {
        REQUEST_TO_SEARCHABLE: tenants[0].request_to_searchable,
        SEARCH: tenants[1].search,
        FILE_TO_ROWS: tenants[2].file_to_rows,
        ONE_REQUEST: tenants[3].one_request,
    }
    threads = [
        threading.Thread(target=repeat, args=(probe, once, samples, ended)) for probe, once in probes.items()
    ]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in threads:
            each.join()
        for tenant in tenants:
            tenant.close()


@contextmanager
def _attacking(stack: RunningStack, attack: str) -> Iterator[AttackResult]:
    """Run the attack until the end of the block; its result is known then."""
    result = AttackResult()
    attacker = new_attacker(stack, is_byoc=attack == "endless listing")
    # The attacker's own machine is not part of the service: its process yields to the functions.
    command = ["nice", "-n", "19", sys.executable, "-m", "tests.fairness.attacks", attack]
    command += [attacker.as_json(), str(LONGEST_ATTACK_SECONDS)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    try:
        yield result
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=90)
        if output.strip():
            ended = json.loads(output.splitlines()[-1])
            result.answers.update(ended["answers"])
            result.cpu_seconds = ended["cpu_seconds"]
        _delete_files(stack, attacker)
        wait_until(lambda: stack.visible_messages("dropped") == 0, SETTLE_SECONDS, "messages are received")
        _delete_backlog(stack, attacker)


def _delete_files(stack: RunningStack, attacker: Attacker) -> None:
    """What an attack leaves unread is not the next attack's."""
    s3, bucket = stack.aws("s3"), stack.page["drop_bucket"]
    prefix = dropin_prefix(TenantId(attacker.tenant))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _delete_backlog(stack: RunningStack, attacker: Attacker) -> None:
    """The files are deleted, and to find that out for each of a thousand would delay the next phase."""
    dynamodb, table = stack.aws("dynamodb"), physical("uploads")
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="tenant_id = :tenant AND begins_with(entry, :batch)",
        ExpressionAttributeValues={":tenant": {"S": attacker.tenant}, ":batch": {"S": BATCH}},
    )
    for item in [item for page in pages for item in page["Items"]]:
        dynamodb.delete_item(TableName=table, Key={"tenant_id": item["tenant_id"], "entry": item["entry"]})


def new_attacker(stack: RunningStack, *, is_byoc: bool) -> Attacker:
    """A tenant on trial that looks like an honest one; a BYOC tenant with a destination."""
    tenant, key = TenantId(f"h{new_run()[:12]}"), generate()
    plan = PLANS[TRIAL]
    directory = Directory(
        physical("accounts"), physical("keys"), physical("key-lists"), client=stack.aws("dynamodb")
    )
    standing = AccountStatus("byoc" if is_byoc else "managed_15", plan.retention_days, plan.bytes_per_second)
    directory.put_account(Account(tenant, standing))
    scopes = frozenset({"ingest", "read", "admin"})
    directory.put_key(key, Key(tenant, f"key_{tenant}", scopes=scopes, project_id="default"))
    destination = None
    if is_byoc:
        destination = deepcopy(stack.byoc_destination)
        destination["bucket"]["name"] = f"{tenant}-logs"
        destination["clickhouse"]["database"] = tenant
        stack.aws("s3").create_bucket(Bucket=f"{tenant}-logs")
    return Attacker(tenant, stack.api, key, stack.aws_endpoint, destination)
