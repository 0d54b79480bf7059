"""The second tenant alone, beside each attack, and beside a neutral load of its size, on one running stack.

The three are repeated in several rounds, so that a machine whose speed drifts is compared with itself. Phases
are short, since an attack is at its worst when it begins, and each probe has several dozen samples in all.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

import httpx

from tests.fairness.attacking import attacking
from tests.fairness.erasing import Erasers, let_parts_go, measure_erasures
from tests.fairness.neutral import neutral_load
from tests.fairness.neutral_requests import request_costs
from tests.fairness.probes import (
    FILE_TO_ROWS,
    ONE_REQUEST,
    SEARCH,
    Samples,
    Tenant,
    repeat,
)
from tests.fairness.profile import Load, Slice, added, load_of, mean, scaled, slices
from tests.fairness.recording import recording
from tests.fairness.report import ALONE, ATTACK, NEUTRAL, Phase, Report, reported
from tests.fairness.searchable_requests import measure_requests
from tests.integration.stack import RunningStack, bearer, wait_until

SECONDS = 7.0
ROUNDS = 3
SETTLE_SECONDS = 120
WARM_UPS = 3
REQUESTS_AT_ONCE = 12
WARMED_PATHS = ("/v1/uploads", "/v1/erasures")
LONGEST_LOAD_SECONDS = 600
RECORDED = ("aws", "gateway", "clickhouse")
"""Processes that stand for services which share nothing among tenants in AWS, and for ClickHouse."""


def measure(
    stack: RunningStack,
    attacks: Sequence[str],
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    *,
    erasures: bool = True,
    notify: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Measure each phase for so long in each round, and a few erasures beside each attack.

    All phases alone are compared with each attack, so they last half as long.
    """
    let_parts_go(stack)
    _warm_up(stack)
    costs = request_costs(stack.aws_endpoint)
    phases: list[Phase] = []
    with _second_tenant(stack) as tenant:
        for name in attacks:
            for number in range(rounds):
                with_erasures = erasures and number == 0
                alone = _alone(tenant, name, seconds / 2, erasures=with_erasures)
                beside = _beside_attack(tenant, name, seconds, erasures=with_erasures)
                load = load_of(extra(beside, alone), costs)
                neutral = _beside_neutral_load(tenant, name, seconds, load, erasures=with_erasures)
                phases += [alone, neutral, beside]
                for each in phases[-3:]:
                    notify(each.line())
    return reported(phases)


def extra(beside: Phase, alone: Phase) -> list[Slice]:
    """What the attack added, slice by slice.

    The second tenant does less beside the attack than alone, so its own share is smaller there.
    """
    return added(beside.profile, scaled(mean(alone.profile), beside.work / (alone.work or 1.0)))


@dataclass(frozen=True, slots=True)
class _SecondTenant:
    """The tenant of which the probes are, with a connection for each. All phases have the same one."""

    stack: RunningStack
    erasers: Erasers
    requests: Tenant
    searches: Tenant
    files: Tenant
    aws: Tenant

    @contextmanager
    def probes(self, samples: Samples) -> Iterator[list[threading.Thread]]:
        """Threads, not started yet, that repeat the probes until the block ends; it ends when all have."""
        ended = threading.Event()
        repeated: dict[str, Callable[[], Mapping[str, float]]] = {
            SEARCH: self.searches.search,
            FILE_TO_ROWS: self.files.file_to_rows,
            ONE_REQUEST: self.aws.one_request,
        }
        threads = [
            threading.Thread(target=measure_requests, args=(self.requests, samples, ended)),
            *(
                threading.Thread(target=repeat, args=(probe, once, samples, ended))
                for probe, once in repeated.items()
            ),
        ]
        try:
            yield threads
        finally:
            ended.set()
            for each in threads:
                if each.ident is not None:
                    each.join()


@contextmanager
def _second_tenant(stack: RunningStack) -> Iterator[_SecondTenant]:
    with ExitStack() as closing_all:
        tenants = [closing_all.enter_context(closing(Tenant(stack, stack.second_keys))) for _ in range(4)]
        erasers = closing_all.enter_context(closing(Erasers(stack)))
        tenant = _SecondTenant(stack, erasers, *tenants)
        tenant.searches.wait_until_warm()
        yield tenant


def _alone(tenant: _SecondTenant, attack: str, seconds: float, *, erasures: bool) -> Phase:
    return _phase(tenant, Phase(attack, ALONE, Samples()), seconds, lambda: None, erasures=erasures)


def _beside_attack(tenant: _SecondTenant, name: str, seconds: float, *, erasures: bool) -> Phase:
    with attacking(tenant.stack, name, LONGEST_LOAD_SECONDS) as attack:
        phase = Phase(name, ATTACK, Samples())
        phase = _phase(tenant, phase, seconds, attack.begin, erasures=erasures, attacker=attack.pid)
    return replace(phase, answers=attack.answers)


def _beside_neutral_load(
    tenant: _SecondTenant, attack: str, seconds: float, load: Load, *, erasures: bool
) -> Phase:
    with neutral_load(load, tenant.stack.aws_endpoint, LONGEST_LOAD_SECONDS) as begin:
        return _phase(tenant, Phase(attack, NEUTRAL, Samples()), seconds, begin, erasures=erasures)


def _phase(
    tenant: _SecondTenant,
    phase: Phase,
    seconds: float,
    begin: Callable[[], None],
    *,
    erasures: bool,
    attacker: int | None = None,
) -> Phase:
    """Run all probes for so long, and erasures after them, beside a load that `begin` starts with them."""
    stack = tenant.stack
    wait_until(lambda: not stack.staged_keys(), SETTLE_SECONDS, "all rows are loaded")
    processes = {name: stack.page["pids"][name] for name in RECORDED}
    with (
        tenant.probes(phase.samples) as threads,
        recording(stack.aws_endpoint, processes, attacker) as readings,
    ):
        begin()
        for each in threads:
            each.start()
        time.sleep(seconds)
    if erasures:
        measure_erasures(stack, tenant.erasers, phase.samples)
    return replace(phase, profile=slices(readings), processors=os.cpu_count() or 1)


def _warm_up(stack: RunningStack) -> None:
    """Start all environments that the tenants use: a cold start is a second of this machine's processors.

    Lambda starts one on a machine of its own, so no other tenant notices it. One probe alone uses one
    environment: as many requests at once as any function has environments, and more, start all of them.
    """
    tenants = [Tenant(stack, keys) for keys in (stack.keys, stack.second_keys) for _ in range(2)]
    for each in tenants:
        each.wait_until_warm()
    for _ in range(WARM_UPS):
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(Tenant.file_to_rows, tenants))
            list(pool.map(Tenant.search, tenants))
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            for path in WARMED_PATHS:
                list(pool.map(lambda _, path=path: _get(stack, path), range(REQUESTS_AT_ONCE)))
    for each in tenants:
        each.close()


def _get(stack: RunningStack, path: str) -> None:
    headers = bearer(stack.keys["admin"])
    httpx.get(stack.api + path, headers=headers, timeout=60).raise_for_status()
