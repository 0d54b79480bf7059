"""One upgrade, from an empty emulator to the removal of the installation."""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import deployment
from rehearsal.api_client import Api, RehearsalError, expect, wait_for
from rehearsal.checks import Check, after_an_upgrade
from rehearsal.cloud import Cloud
from rehearsal.deployed import Deployed
from rehearsal.deployment import DeploymentError
from rehearsal.mailbox import Mailbox
from rehearsal.operators_command import all_of
from rehearsal.processes import Children, StartError
from rehearsal.proxy import CALLS_PATH
from rehearsal.run import Say, first_deployed, start_services, store_secrets, wait_for_services
from rehearsal.schedules import Schedules
from rehearsal.site import Site, new_site
from rehearsal.upgrade import customers, leftovers, restore
from rehearsal.upgrade.broken_migration import with_broken_migration
from rehearsal.upgrade.identities import Identity, identities, replaced
from rehearsal.upgrade.load import Load
from rehearsal.upgrade.previous import Previous

ROWS = 100_000
LOAD_SECONDS = 600.0


@dataclass(slots=True)
class Upgraded:
    """What an upgrade showed. `failures`: sentences that name what failed; empty if all is well.

    `rows`: accepted while the current version was deployed. `repeated`: requests that were sent again.
    `data_resources`: those of the old version, of which `replaced` are others now.
    """

    previous: str = ""
    failures: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    requests: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    data_resources: int = 0
    replaced: list[str] = field(default_factory=list)
    rolled_back: dict[str, str] = field(default_factory=dict)
    restored_tables: int = 0
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0


def upgrade(root: Path, say: Say, ref: str) -> Upgraded:
    """Deploy the version `ref` and then this one, with all that `Upgraded` says.

    `root` is emptied first; its logs are left there. Never raises for what an upgrade is meant to find.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    site, outcome, began = new_site(root), Upgraded(), time.monotonic()
    try:
        with Children(site.logs) as children:
            _Upgrade(site, children, outcome, say).run(ref)
    except (DeploymentError, StartError, RehearsalError, OSError, LookupError) as fault:
        outcome.failures.append(f"{type(fault).__name__}: {fault}")
    outcome.failures += [f"{check.name}: {fault}" for check in outcome.checks for fault in check.faults]
    outcome.seconds = time.monotonic() - began
    return outcome


class _Upgrade:
    def __init__(self, site: Site, children: Children, outcome: Upgraded, say: Say) -> None:
        self._site = site
        self._children = children
        self._outcome = outcome
        self._say = say

    def run(self, ref: str) -> None:
        previous = Previous(ref)
        self._outcome.previous = previous.commit
        with self._phase("build both versions"):
            old_zips, (zips, _made) = previous.build_zips(), deployment.build_zips()
        with self._phase("deploy the previous version"):
            old = self._deploy_previous(previous, old_zips)
        with self._phase("store data in it"):
            stored = customers.store(old, previous)
        before = identities(old.cloud)
        with self._phase("try a broken migration"):
            self._try_broken(old, zips)
        with self._phase("upgrade under load"):
            held_back = customers.leave_in_flight(old, stored)
            here = self._upgrade(old, zips)
            held_back.release()
        with self._phase("compare"):
            self._compare(here, stored, before)
        with self._phase("restore tables"):
            self._outcome.restored_tables = restore.restore(here)
            restore.discard(here.cloud)
        with self._phase("destroy"):
            self._destroy(here.cloud)

    def _deploy_previous(self, previous: Previous, zips: Path) -> Deployed:
        start_services(self._site, self._children)
        assembly = previous.synthesize_for(self._site, zips)
        wait_for_services(self._site, self._children)
        cloud = Cloud(self._site, assembly.stacks)
        store_secrets(self._site, cloud)
        deployment.bootstrap(self._site)
        self._deploy("deploy-previous.log")
        return first_deployed(self._site, cloud)

    def _try_broken(self, old: Deployed, zips: Path) -> None:
        """The deployment must fail and leave every function as it was, and the service working."""
        code = _code(old.cloud)
        self._synthesize(with_broken_migration(zips, self._site.root / "broken"))
        try:
            self._deploy("deploy-broken.log")
        except DeploymentError as fault:
            (self._site.logs / "deploy-broken.log").write_text(str(fault))
        else:
            raise RehearsalError("a deployment with a broken migration succeeded")
        stacks = old.cloud.client("cloudformation").describe_stacks()["Stacks"]
        self._outcome.rolled_back = {each["StackName"]: each["StackStatus"] for each in stacks}
        now = _code(old.cloud)
        changed = sorted(name for name in code if now.get(name) != code[name])
        expect(not changed, f"after the rollback these functions have other code: {changed}")
        for customer in old.two:
            lines = customer.send(3, "after the rollback")
            customer.finds_exactly(lines, "after the rollback")

    def _upgrade(self, old: Deployed, zips: Path) -> Deployed:
        self._synthesize(zips)
        load = Load(old.api, old.two, ROWS)
        with load:
            wait_for("the load has begun", lambda: load.rows > 0, LOAD_SECONDS)
            self._deploy("deploy.log")
            self._say(f"  {load.rows} rows were accepted when the deployment ended")
        self._outcome.rows = load.rows
        for sent in load.sent:
            self._outcome.requests += sent.requests
            for status, count in sent.statuses.items():
                self._outcome.statuses[status] = self._outcome.statuses.get(status, 0) + count
        cloud = Cloud(self._site, old.cloud.stacks)
        api = Api(cloud.outputs["ApiUrl"], self._site.proxy_port)
        expect(api.url == old.api.url, f"the API's address was {old.api.url} and is {api.url}")
        here = Deployed(self._site, cloud, api, Schedules(self._site, cloud), Mailbox(self._site))
        here.customers = old.customers
        return here

    def _compare(self, here: Deployed, stored: customers.Stored, before: list[Identity]) -> None:
        self._outcome.data_resources = len(before)
        self._outcome.replaced = replaced(before, identities(here.cloud))
        self._outcome.failures += self._outcome.replaced
        customers.expect_all(here, stored)
        for each in here.two:
            wait_for(
                f"the rows of {each.name} are stored",
                lambda one=each: here.stored(one.tenant) >= len(one.sent),  # type: ignore[misc]
                LOAD_SECONDS,
            )
        with urllib.request.urlopen(f"{self._site.aws}{CALLS_PATH}", timeout=30) as answer:  # noqa: S310 - loopback
            calls: list[dict[str, Any]] = json.load(answer)
        self._outcome.checks = after_an_upgrade(here, calls)
        self._outcome.failures += [f"the process {name} ended by itself" for name in self._children.ended()]

    def _destroy(self, cloud: Cloud) -> None:
        before = identities(cloud)
        shown = all_of(self._site, "destroy", "--yes")
        listed = {each["name"] for each in shown}
        self._outcome.failures += leftovers.faults_of(cloud, before, listed)

    def _synthesize(self, zips: Path) -> None:
        shutil.rmtree(self._site.assembly)
        deployment.synthesize_for(self._site, zips)

    def _deploy(self, log: str) -> None:
        (self._site.logs / log).write_text(deployment.deploy(self._site))

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self._say(name)
        began = time.monotonic()
        yield
        self._outcome.phases[name] = time.monotonic() - began
        self._say(f"  {self._outcome.phases[name]:.1f} s")


def _code(cloud: Cloud) -> dict[str, str]:
    """Physical name -> digest of the code, of all functions."""
    pages = cloud.client("lambda").get_paginator("list_functions").paginate()
    return {each["FunctionName"]: each["CodeSha256"] for page in pages for each in page["Functions"]}
