"""The second tenant alone, beside each attack, and beside a neutral load of its size, on one running stack.

The three are repeated in several rounds, so that a machine whose speed drifts is compared with itself. Phases
are short, since an attack is at its worst when it begins, and each probe has several dozen samples in all.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from enum import Enum

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
from tests.fairness.profile import Load, RequestCost, Slice, added, load_of, mean, scaled, slices
from tests.fairness.recording import recording
from tests.fairness.report import ALONE, ATTACK, NEUTRAL, Phase, Report, reported
from tests.fairness.searchable_requests import measure_requests
from tests.fairness.settling import wait_until_settled
from tests.integration.stack import RunningStack, StackNotReadyError, bearer

SECONDS = 7.0
ROUNDS = 3
WARM_UPS = 3
REQUESTS_AT_ONCE = 12
WARMED_PATHS = ("/v1/uploads", "/v1/erasures")
LONGEST_LOAD_SECONDS = 600
RECORDED = ("aws", "gateway", "clickhouse")
"""Processes that stand for services which share nothing among tenants in AWS, and for ClickHouse."""


class Erasures(Enum):
    """Whether erasures are measured: beside each attack after the other probes, alone, or not."""

    TOO = "too"
    ONLY = "only"
    NONE = "none"


OpenStack = Callable[[], AbstractContextManager[RunningStack]]


def measure(
    open_stack: OpenStack,
    attacks: Sequence[str],
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    *,
    erasures: Erasures = Erasures.TOO,
    notify: Callable[[str], None] = lambda _line: None,
) -> Iterator[Report]:
    """Measure each phase for so long in each round, and a few erasures beside each attack.

    Yields the report so far after each attack: the last one is that of all. All phases alone are compared
    with each attack, so they last half as long. An attack that leaves the stack unsettled ends there, with
    what was measured of it, and the others continue on a new stack.
    """
    phases: list[Phase] = []
    incomplete: dict[str, str] = {}
    waiting = deque(attacks)
    while waiting:
        with _prepared(open_stack) as (tenant, costs):
            while waiting:
                name = waiting.popleft()
                try:
                    for each in _rounds(tenant, name, seconds, rounds, costs, erasures):
                        phases.append(each)
                        notify(each.line())
                except StackNotReadyError as fault:
                    incomplete[name] = str(fault)
                yield reported(phases, incomplete)
                if name in incomplete:
                    break


@contextmanager
def _prepared(open_stack: OpenStack) -> Iterator[tuple["_SecondTenant", Mapping[str, RequestCost]]]:
    """A warm stack with the second tenant, and what requests to its AWS cost."""
    with open_stack() as stack:
        let_parts_go(stack)
        _warm_up(stack)
        costs = request_costs(stack.aws_endpoint)
        with _second_tenant(stack) as tenant:
            yield tenant, costs


def _rounds(
    tenant: "_SecondTenant",
    name: str,
    seconds: float,
    rounds: int,
    costs: Mapping[str, RequestCost],
    erasures: Erasures,
) -> Iterator[Phase]:
    """All phases of an attack, each as soon as it ended. Erasures are measured in the first round.

    Raises
    ------
    StackNotReadyError: the attack's rows, messages or files are not gone in time.
    """
    for number in range(1 if erasures is Erasures.ONLY else rounds):
        of_round = erasures if number == 0 else Erasures.NONE
        alone = _alone(tenant, name, seconds / 2, erasures=of_round)
        yield alone
        with attacking(tenant.stack, name, LONGEST_LOAD_SECONDS) as attack:
            beside = _phase(
                tenant,
                Phase(name, ATTACK, Samples()),
                seconds,
                attack.begin,
                erasures=of_round,
                attacker=attack.pid,
            )
            attack.end()
            yield replace(beside, answers=attack.answers)
        load = load_of(extra(beside, alone), costs)
        yield _beside_neutral_load(tenant, name, seconds, load, erasures=of_round)


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


def _alone(tenant: _SecondTenant, attack: str, seconds: float, *, erasures: Erasures) -> Phase:
    return _phase(tenant, Phase(attack, ALONE, Samples()), seconds, lambda: None, erasures=erasures)


def _beside_neutral_load(
    tenant: _SecondTenant, attack: str, seconds: float, load: Load, *, erasures: Erasures
) -> Phase:
    with neutral_load(load, tenant.stack.aws_endpoint, LONGEST_LOAD_SECONDS) as begin:
        return _phase(tenant, Phase(attack, NEUTRAL, Samples()), seconds, begin, erasures=erasures)


def _phase(
    tenant: _SecondTenant,
    phase: Phase,
    seconds: float,
    begin: Callable[[], None],
    *,
    erasures: Erasures,
    attacker: int | None = None,
) -> Phase:
    """Run all probes for so long, and erasures after them, beside a load that `begin` starts with them.

    With Erasures.ONLY no probe but the erasures, from the beginning of the load.
    """
    stack = tenant.stack
    wait_until_settled(stack)
    processes = {name: stack.page["pids"][name] for name in RECORDED}
    with ExitStack() as measuring:
        threads: list[threading.Thread] = []
        if erasures is not Erasures.ONLY:
            threads = measuring.enter_context(tenant.probes(phase.samples))
        readings = measuring.enter_context(recording(stack.aws_endpoint, processes, attacker))
        begin()
        for each in threads:
            each.start()
        if threads:
            time.sleep(seconds)
        else:
            measure_erasures(stack, tenant.erasers, phase.samples)
    if erasures is Erasures.TOO:
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
