"""Test a candidate: its bucket and its ClickHouse in parallel, within one time limit."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

from functions.destinations.bucket_trial import BucketTrial
from functions.destinations.clickhouse_trial import ClickHouseTrial
from functions.destinations.steps import Budget, Step
from functions.shared import journal
from functions.shared.custody.destinations import Destination
from functions.shared.custody.guarantee import AT_LEAST_ONCE
from functions.shared.guarded.guard import Guard

TRIAL_SECONDS = 24.0
"""Of the 29 seconds for a response; storing the result needs the rest."""


@dataclass(frozen=True, slots=True)
class Report:
    """`guarantee`: the weaker of the bucket's and the table's; at least once when unknown."""

    steps: tuple[Step, ...]
    guarantee: str

    @property
    def usable(self) -> bool:
        return all(step.outcome == "ok" for step in self.steps)

    def shown(self) -> dict[str, Any]:
        """As JSON; the guarantee only for a usable destination."""
        return {
            "usable": self.usable,
            "guarantee": self.guarantee if self.usable else None,
            "steps": [step.shown() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Trials:
    """Tests candidates. `ca_certs`: root certificates instead of certifi's, for tests."""

    guard: Guard
    seconds: float = TRIAL_SECONDS
    ca_certs: str | None = None

    def of(self, candidate: Destination) -> Report:
        """Run every step within `seconds`; raises no error of the customer's servers.

        A half that exceeds the limit ends by itself: its daemon threads block nothing.
        """
        began = time.monotonic()
        budget = Budget(self.seconds)
        bucket = BucketTrial(candidate, self.guard, budget, self.ca_certs)
        clickhouse = ClickHouseTrial(candidate, self.guard, budget, self.ca_certs)
        _run_both(bucket.run, clickhouse.run, budget)
        judged = clickhouse.guarantee
        kept = judged.name if judged and bucket.writes_once else AT_LEAST_ONCE
        report = Report((*bucket.report(), *clickhouse.report()), kept)
        _tell(candidate, report, time.monotonic() - began)
        return report


def _run_both(one: Callable[[], None], other: Callable[[], None], budget: Budget) -> None:
    threads = [Thread(target=run, daemon=True, name="destination-trial") for run in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(budget.left())


def _tell(candidate: Destination, report: Report, seconds: float) -> None:
    failed = next((step.name for step in report.steps if step.outcome == "failed"), "")
    journal.write(
        "destination_tested",
        tenant_id=candidate.tenant,
        state="usable" if report.usable else "unusable",
        phase=failed,
        duration_ms=round(seconds * 1000),
    )
