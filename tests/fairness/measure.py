"""The second tenant alone and beside each attack, in turn, on one running stack.

Alone comes before each attack again, so that a machine whose speed drifts is compared with itself. The
eraser's schedule is five minutes on a deployed stack; here its functions are invoked one after the other.
"""

import json
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
from statistics import quantiles

from functions.accounts.directory import Account, Directory, Key
from functions.accounts.keys import generate
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.items import BATCH
from local.naming import PROJECT_ROOT, physical
from tests.fairness.attacks import Attacker
from tests.fairness.probes import (
    ERASURE,
    FILE_TO_ROWS,
    ONE_REQUEST,
    REQUEST_TO_SEARCHABLE,
    SEARCH,
    Samples,
    Tenant,
    repeat,
)
from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, wait_until

MAX_RATIO = 2.0
NOISE_SECONDS = 0.25
"""What a probe may take longer whatever the ratio: a search alone takes a few hundredths of a second here,
and two cores serve the engine, all functions and the attacker."""

NEVER = 1_000_000.0
ERASERS = ("eraser", "eraser-byoc")
ERASURE_PATIENCE_SECONDS = 900
SETTLE_SECONDS = 120
WARM_UPS = 3


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured during so long, and what the attacker was answered; no attack: alone.

    `busy`: the share of the machine's processor time that was used, by whatever process.
    """

    attack: str
    samples: Samples
    answers: Counter[str] = field(default_factory=Counter)
    busy: float = 0.0

    def p95(self, probe: str) -> float:
        """Seconds; NEVER when it did not succeed once."""
        return _p95(self.samples.seconds.get(probe, []))

    def line(self) -> str:
        """How the time of a small file is divided, and how much of the machine is left for it."""
        parts = ", ".join(f"{part} {_p95(seconds):.3f}s" for part, seconds in self.samples.parts.items())
        return f"{self.attack or 'alone':<18}p95 of the parts: {parts}; processors {self.busy:.0%} busy"


@dataclass(frozen=True, slots=True)
class Compared:
    """One probe beside one attack, against the same probe alone, in seconds."""

    attack: str
    probe: str
    alone: float
    beside: float

    @property
    def ratio(self) -> float:
        return self.beside / self.alone

    @property
    def is_fair(self) -> bool:
        return self.beside <= max(MAX_RATIO * self.alone, self.alone + NOISE_SECONDS)


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons, and every failure of the second tenant."""

    compared: list[Compared]
    failures: list[str]
    answers: dict[str, Counter[str]]
    phases: list[Phase]

    @property
    def is_fair(self) -> bool:
        return not self.failures and all(each.is_fair for each in self.compared)

    def lines(self) -> Iterator[str]:
        yield f"{'attack':<18}{'probe':<24}{'alone':>8}{'beside':>8}{'ratio':>7}"
        for each in self.compared:
            verdict = "" if each.is_fair else "  UNFAIR"
            yield (
                f"{each.attack:<18}{each.probe:<24}{each.alone:>7.2f}s{each.beside:>7.2f}s"
                f"{each.ratio:>7.2f}{verdict}"
            )
        yield from (phase.line() for phase in self.phases)
        for name, answers in self.answers.items():
            yield f"{name}: {dict(answers)}"
        yield from self.failures


def measure(
    stack: RunningStack,
    attacks: Sequence[str],
    seconds: float,
    *,
    erasures: bool = False,
    notify: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure alone and beside each of `attacks`, for so long each, or until an erasure is verified."""
    _let_parts_go(stack)
    _warm_up(stack)
    quiet: list[Phase] = []
    hostile: list[Phase] = []
    for name in attacks:
        quiet.append(_phase(stack, "", seconds, erasures=erasures and not quiet))
        hostile.append(_phase(stack, name, seconds, erasures=erasures))
        notify(f"{name}: {dict(hostile[-1].answers)}")
    return Report(
        [each for phase in hostile for each in _compared(phase, quiet)],
        [
            f"{phase.attack or 'alone'}: {each}"
            for phase in quiet + hostile
            for each in phase.samples.failures
        ],
        {phase.attack: phase.answers for phase in hostile},
        [phase for pair in zip(quiet, hostile, strict=True) for phase in pair],
    )


def _p95(seconds: Sequence[float]) -> float:
    """Never more than the longest: few samples of a slow probe are not extrapolated."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else (*seconds, NEVER)[0]


def _processor_seconds() -> tuple[float, float]:
    """Used and in total, since the machine started."""
    first = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, idle, waiting, *_ = map(float, first.split()[1:])
    used = user + nice + system
    return used, used + idle + waiting


def _warm_up(stack: RunningStack) -> None:
    """Start both environments that read files: else the first attack pays for the cold start of the second.

    One probe alone uses one environment. Two accounts at a time use two.
    """
    tenants = [Tenant(stack, keys) for keys in (stack.keys, stack.second_keys) for _ in range(2)]
    for _ in range(WARM_UPS):
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(Tenant.file_to_rows, tenants))
    for each in tenants:
        each.close()


def _compared(phase: Phase, quiet: Sequence[Phase]) -> Iterator[Compared]:
    merged = Samples()
    for each in quiet:
        for probe, seconds in each.samples.seconds.items():
            for one in seconds:
                merged.add(probe, one)
    alone = Phase("", merged)
    for probe in merged.seconds:
        if probe != ONE_REQUEST:
            yield Compared(phase.attack, probe, alone.p95(probe), phase.p95(probe))


def _phase(stack: RunningStack, attack: str, seconds: float, *, erasures: bool) -> Phase:
    samples, ended, before = Samples(), threading.Event(), _processor_seconds()
    lasts = ERASURE_PATIENCE_SECONDS if erasures else seconds
    with _attacking(stack, attack, lasts) as answers, _probing(stack, samples, ended):
        if erasures:
            _erase_one(stack, samples)
        else:
            time.sleep(seconds)
        ended.set()
        used, total = (now - then for now, then in zip(_processor_seconds(), before, strict=True))
    wait_until(lambda: not stack.staged_keys(), SETTLE_SECONDS, "all rows are loaded")
    return Phase(attack, samples, answers, used / total)


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


def _erase_one(stack: RunningStack, samples: Samples) -> None:
    tenant, own = Tenant(stack, stack.second_keys), threading.Event()

    def once() -> None:
        tenant.erasure(lambda: _invoke_erasers(stack), ERASURE_PATIENCE_SECONDS)
        own.set()

    def stop_waiting() -> None:
        own.set()

    timer = threading.Timer(ERASURE_PATIENCE_SECONDS, stop_waiting)
    timer.start()
    repeat(ERASURE, once, samples, own)
    timer.cancel()
    tenant.close()


def _invoke_erasers(stack: RunningStack) -> None:
    """As their schedule does, which is shorter here. What one of them fails with is its own."""
    for name in ERASERS:
        command = [sys.executable, "-m", "local", "--state", str(stack.logs.parent), "invoke", name]
        subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=False)
    time.sleep(2)


def _let_parts_go(stack: RunningStack) -> None:
    """The engine keeps replaced parts for eight minutes, and an erasure waits for that: a second here."""
    stack.command("ALTER TABLE events MODIFY SETTING old_parts_lifetime = 1")


@contextmanager
def _attacking(stack: RunningStack, attack: str, seconds: float) -> Iterator[Counter[str]]:
    """Run the attack until the end of the block; what it was answered is known then."""
    answers: Counter[str] = Counter()
    if not attack:
        yield answers
        return
    attacker = new_attacker(stack, is_byoc=attack == "endless listing")
    # The attacker's own machine is not part of the service: its process yields to the functions.
    command = ["nice", "-n", "19", sys.executable, "-m", "tests.fairness.attacks", attack]
    command += [attacker.as_json(), str(seconds)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    try:
        yield answers
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=90)
        answers.update(json.loads(output.splitlines()[-1]) if output.strip() else {})
        _delete_files(attacker)
        wait_until(lambda: stack.visible_messages("dropped") == 0, SETTLE_SECONDS, "messages are received")
        _delete_backlog(stack, attacker)


def _delete_files(attacker: Attacker) -> None:
    """What an attack leaves unread is not the next attack's."""
    s3 = attacker.s3()
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=attacker.drop_bucket, Prefix=attacker.drop_prefix
    ):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=attacker.drop_bucket, Delete={"Objects": keys})


def _delete_backlog(stack: RunningStack, attacker: Attacker) -> None:
    """The files are deleted, and to find that out for each of a thousand would delay the next phase."""
    dynamodb, table = stack.aws("dynamodb"), physical("uploads")
    tenant = attacker.drop_prefix.rpartition("tenant=")[2].rstrip("/")
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="tenant_id = :tenant AND begins_with(entry, :batch)",
        ExpressionAttributeValues={":tenant": {"S": tenant}, ":batch": {"S": BATCH}},
    )
    for item in [item for page in pages for item in page["Items"]]:
        dynamodb.delete_item(TableName=table, Key={"tenant_id": item["tenant_id"], "entry": item["entry"]})


def new_attacker(stack: RunningStack, *, is_byoc: bool) -> Attacker:
    """A tenant on trial that looks like an honest one; a BYOC tenant with a destination."""
    tenant, key = TenantId(f"h{new_run()[:12]}"), generate()
    plan = PLANS[TRIAL]
    directory = Directory(
        *(physical(table) for table in ("accounts", "keys", "key-lists")), client=stack.aws("dynamodb")
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
    page = stack.page
    return Attacker(
        stack.api, key, stack.aws_endpoint, page["drop_bucket"], dropin_prefix(tenant), destination
    )
