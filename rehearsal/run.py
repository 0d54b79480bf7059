"""One rehearsal from an empty emulator to the report."""

import json
import resource
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.naming import PROJECT_ROOT, child_environment
from rehearsal import deployment
from rehearsal.api_client import Api, RehearsalError
from rehearsal.checks import EVERY_FUNCTION, Check, final_checks
from rehearsal.cloud import Cloud
from rehearsal.deployed import Deployed
from rehearsal.deployment import DeploymentError, Edit
from rehearsal.documented import deploy_as_documented
from rehearsal.forbidden.trial import Tried, try_roles
from rehearsal.mailbox import Mailbox
from rehearsal.processes import Children, StartError, module
from rehearsal.proxy import CALLS_PATH
from rehearsal.scenarios import SCENARIOS, Scenario
from rehearsal.schedules import Schedules
from rehearsal.site import MAIL_FROM, MOVED_CLOCK, VENV, Site, clock_variables, emulator_environment, new_site

PROMPT_CLEANUP = (
    "old_parts_lifetime = 1",
    "cleanup_delay_period = 1",
    "cleanup_delay_period_random_add = 0",
    "max_cleanup_delay_period = 1",
)

DEPLOY = "deploy the stacks"
"""The phase after which the stacks are there."""

Say = Callable[[str], None]
"""Shows progress: one line."""


@dataclass(slots=True)
class Outcome:
    """What a rehearsal found. `failures`: sentences that name what failed; empty if all is well."""

    failures: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    substituted: list[str] = field(default_factory=list)
    scenarios: dict[str, float] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    tried: Tried = field(default_factory=Tried)
    calls: list[dict[str, Any]] = field(default_factory=list)
    invocations: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `edits` change the templates. `only`: the names of scenarios; None for all.

    `as_documented`: deploy by the commands of docs/deployment.md; without edits.
    The first scenario always runs, because it signs the customers up.
    """

    edits: Sequence[Edit] = ()
    only: Sequence[str] | None = None
    stop_at_a_failure: bool = False
    as_documented: bool = False

    @property
    def scenarios(self) -> list[Scenario]:
        return [
            each for each in SCENARIOS if self.only is None or each.name in self.only or each is SCENARIOS[0]
        ]


def rehearse(root: Path, say: Say, order: Order) -> Outcome:
    """Deploy, run the scenarios and the checks.

    `root` is emptied first; its logs are left there. Never raises for what a rehearsal is meant to find.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    site, outcome, began = new_site(root), Outcome(), time.monotonic()
    try:
        with Children(site.logs) as children:
            _rehearse(site, children, outcome, say, order)
            outcome.cpu_seconds = children.cpu_seconds() + _cpu_seconds()
    except (DeploymentError, StartError) as fault:
        outcome.failures.append(str(fault))
    outcome.seconds = time.monotonic() - began
    return outcome


def _rehearse(site: Site, children: Children, outcome: Outcome, say: Say, order: Order) -> None:
    with _phase("build", outcome, say):
        zips, made = deployment.build_zips()
        say(f"  {made} zips built")
    with _phase("start and synthesize", outcome, say):
        start_services(site, children)
        assembly = deployment.synthesize_for(site, zips, order.edits)
        wait_for_services(site, children)
        outcome.resources, outcome.substituted = assembly.resources, assembly.substituted
    cloud = Cloud(site, assembly.stacks)
    if order.as_documented:
        with _phase(DEPLOY, outcome, say):
            (site.logs / "deploy.log").write_text(deploy_as_documented(site, zips))
    else:
        with _phase("cdk bootstrap", outcome, say):
            store_secrets(site, cloud)
            deployment.bootstrap(site)
        with _phase(DEPLOY, outcome, say):
            (site.logs / "deploy.log").write_text(deployment.deploy(site))
    here = first_deployed(site, cloud)
    with _phase("scenarios", outcome, say):
        for scenario in order.scenarios:
            if not (order.stop_at_a_failure and outcome.failures):
                _play(scenario, here, outcome, say)
    if not (order.stop_at_a_failure and outcome.failures):
        with _phase("forbidden calls", outcome, say):
            outcome.tried = try_roles(here)
    with _phase("checks", outcome, say):
        _finish(site, here, children, outcome, order)


def store_secrets(site: Site, cloud: Cloud) -> None:
    """Store the secrets that the operator stores before the first deployment."""
    for name, value in site.secret_values.items():
        cloud.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))


def start_services(site: Site, children: Children) -> None:
    """Start the emulator, the proxy, ClickHouse and the fake Stripe."""
    emulator = {"environment": emulator_environment(site), "clock": str(site.clock)}
    script = [str(VENV / "bin" / "python"), str(PROJECT_ROOT / "rehearsal" / "emulator.py")]
    children.start("emulator", emulator, script, {"PATH": "/usr/bin:/bin"}, site.root)
    children.start("proxy", {"port": site.proxy_port, "target": site.emulator}, module("rehearsal.proxy"))
    clickhouse = {
        "port": site.clickhouse_port,
        "data": str(site.root / "clickhouse"),
        "spool": str(site.root / "spool"),
        "users": site.clickhouse_users,
    }
    children.start("clickhouse", clickhouse, module("local.clickhouse"))
    # Its webhook endpoint is created once the API is deployed, as an operator does. Signatures and reports of
    # usage have times, so it follows the functions' clock.
    variables = child_environment()
    clocked = {**variables, **clock_variables(site), "PYTHONPATH": f"{MOVED_CLOCK}:{variables['PYTHONPATH']}"}
    stripe = {"port": site.stripe_port, "api_key": site.stripe_key}
    children.start("stripe", stripe, module("fake_stripe"), clocked)


def wait_for_services(site: Site, children: Children) -> None:
    """Return when all of them answer."""
    children.wait_for("emulator", f"{site.emulator}/_ministack/health")
    children.wait_for("proxy", f"{site.aws}{CALLS_PATH}")
    children.wait_for("clickhouse", f"{site.clickhouse}/ping")
    children.wait_for("stripe", f"{site.stripe}/healthcheck")


def first_deployed(site: Site, cloud: Cloud) -> Deployed:
    """The service after its first deployment, with a verified sender of mail."""
    api = Api(cloud.outputs["ApiUrl"], site.proxy_port)
    # The operator verifies the domain of `mail_from` with SES (docs/deployment.md).
    cloud.client("sesv2").create_email_identity(EmailIdentity=MAIL_FROM.partition("@")[2])
    here = Deployed(site, cloud, api, Schedules(site, cloud), Mailbox(site))
    # ClickHouse keeps replaced parts for eight minutes, and looks for old ones every five. An erasure is
    # verified once they are gone.
    here.command(f"ALTER TABLE events MODIFY SETTING {', '.join(PROMPT_CLEANUP)}")
    return here


def _play(scenario: Scenario, here: Deployed, outcome: Outcome, say: Say) -> None:
    began = time.monotonic()
    try:
        scenario.run(here)
    except (RehearsalError, OSError, LookupError, TypeError, ValueError) as fault:
        outcome.failures.append(f"{scenario.name}: {type(fault).__name__}: {fault}")
    outcome.scenarios[scenario.name] = time.monotonic() - began
    failed = any(each.startswith(f"{scenario.name}: ") for each in outcome.failures)
    say(f"  {'FAILED' if failed else 'ok':<6} {outcome.scenarios[scenario.name]:5.1f} s  {scenario.proves}")


def _finish(site: Site, here: Deployed, children: Children, outcome: Outcome, order: Order) -> None:
    with urllib.request.urlopen(f"{site.aws}{CALLS_PATH}", timeout=30) as answer:  # noqa: S310 - loopback
        outcome.calls = json.load(answer)
    outcome.invocations = here.cloud.invocations()
    expected = frozenset(metric for each in order.scenarios for metric in each.alarms)
    checks = [
        *final_checks(here, outcome.calls, expected),
        Check("no role may make a forbidden call", outcome.tried.faults),
    ]
    # Some scenarios alone do not invoke every function.
    outcome.checks = [each for each in checks if order.only is None or each.name != EVERY_FUNCTION]
    outcome.failures += [f"{check.name}: {fault}" for check in outcome.checks for fault in check.faults]
    outcome.failures += [f"the process {name} ended by itself" for name in children.ended()]


@contextmanager
def _phase(name: str, outcome: Outcome, say: Say) -> Iterator[None]:
    say(name)
    began = time.monotonic()
    yield
    outcome.phases[name] = time.monotonic() - began
    say(f"  {outcome.phases[name]:.1f} s")


def _cpu_seconds() -> float:
    """Processor time of this process and of all its ended children, such as the CDK command line."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
