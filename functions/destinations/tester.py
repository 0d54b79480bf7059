"""Test a candidate: its bucket and its ClickHouse in parallel, within one time limit."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

from functions.destinations.bucket_tester import BucketTester
from functions.destinations.clickhouse_tester import ClickHouseTester
from functions.destinations.guarantee import AT_LEAST_ONCE
from functions.destinations.steps import StepResult, TimeBudget
from functions.shared import journal
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.egress.egress_filter import EgressFilter

TEST_SECONDS = 24.0
"""The part of the 29 seconds for a response; storing the result needs the rest."""


@dataclass(frozen=True, slots=True)
class DestinationReport:
    """`guarantee`: the weaker of the bucket's and the table's; at least once when unknown."""

    steps: tuple[StepResult, ...]
    guarantee: str

    @property
    def usable(self) -> bool:
        return all(step.outcome == "ok" for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """As JSON; the guarantee only for a usable destination."""
        return {
            "usable": self.usable,
            "guarantee": self.guarantee if self.usable else None,
            "steps": [step.as_json() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class DestinationTester:
    """Tests candidates. `ca_certs`: root certificates instead of certifi's, for tests."""

    guard: EgressFilter
    roles: RoleSessions
    seconds: float = TEST_SECONDS
    ca_certs: str | None = None

    def test(self, candidate: Destination) -> DestinationReport:
        """Run every step within `seconds`; raises no error of the customer's servers.

        A half that exceeds the limit ends by itself: its daemon threads block nothing.
        """
        began = time.monotonic()
        budget = TimeBudget(self.seconds)
        bucket = BucketTester(candidate, self.guard, budget, self.roles, self.ca_certs)
        clickhouse = ClickHouseTester(candidate, self.guard, budget, self.ca_certs)
        _run_both(bucket.run, clickhouse.run, budget)
        judged = clickhouse.guarantee
        kept = judged.name if judged and bucket.writes_once else AT_LEAST_ONCE
        report = DestinationReport((*bucket.report(), *clickhouse.report()), kept)
        _log_result(candidate, report, time.monotonic() - began)
        return report


def _run_both(one: Callable[[], None], other: Callable[[], None], budget: TimeBudget) -> None:
    threads = [Thread(target=run, daemon=True, name="destination-trial") for run in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(budget.left())


def _log_result(candidate: Destination, report: DestinationReport, seconds: float) -> None:
    failed = next((step.name for step in report.steps if step.outcome == "failed"), "")
    journal.write(
        "destination_tested",
        tenant_id=candidate.tenant,
        state="usable" if report.usable else "unusable",
        phase=failed,
        duration_ms=round(seconds * 1000),
    )
