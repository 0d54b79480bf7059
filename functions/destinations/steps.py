"""Steps of a test, run in order within a shared time limit, and their outcomes.

A failed step states the observation and what to do, in our own sentences: never in text of the server.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functions.shared import journal
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

RESERVED_SECONDS = 10
"""No step starts with less time left: the step and the deletion of its test data need it."""

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """The outcome of one step; `fix` says what to do, or what to improve after a success."""

    name: str
    outcome: Outcome
    detail: str
    fix: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON: `ok` is true or false, and absent from a skipped step."""
        state = {"skipped": True} if self.outcome == "skipped" else {"ok": self.outcome == "ok"}
        return {"step": self.name, **state, "detail": self.detail, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class StepPassed:
    """The result of a successful step."""

    detail: str
    advice: str | None = None


class StepFailedError(PermanentError):
    """The step failed.

    Parameters
    ----------
    detail: the observation.
    fix: one sentence that says what to do.
    blocks: whether the steps that depend on this one are skipped.
    """

    def __init__(self, detail: str, fix: str, *, blocks: bool = True) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
        self.blocks = blocks


class StepSkippedError(PermanentError):
    """The step has a reason not to run."""


class TimeBudget:
    """The seconds that all steps of a test share."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def left(self) -> float:
        return max(0.0, self._ends_at - self._clock())


class StepRunner:
    """The steps `names`: one thread runs each at most once, in order; any thread may read the report."""

    def __init__(self, tenant: TenantId, names: Sequence[str], budget: TimeBudget) -> None:
        self._tenant = tenant
        self._names = names
        self._budget = budget
        self._done: dict[str, StepResult] = {}
        self._blocked: set[str] = set()
        self._running: str | None = None

    def run(
        self, name: str, act: Callable[[], StepPassed], after: str | None = None, *, always: bool = False
    ) -> None:
        """Run the step unless `after` is blocked; `always`: even when time is short."""
        if after in self._blocked:
            self._note(
                StepResult(name, "skipped", f"Not run: {self._cause(after)} must pass first."), blocks=True
            )
        elif self._budget.left() < RESERVED_SECONDS and not always:
            self._note(_out_of_time(name), blocks=True)
        else:
            self._running = name
            self._note(*self._outcome(name, act))
            self._running = None

    def passed(self, name: str) -> bool:
        return name in self._done and self._done[name].outcome == "ok"

    def report(self) -> list[StepResult]:
        """Every step in its current state; a step that still runs has exceeded the time limit."""
        done, running = dict(self._done), self._running
        return [
            done.get(name) or (_hanging(name) if name == running else _out_of_time(name))
            for name in self._names
        ]

    def _outcome(self, name: str, act: Callable[[], StepPassed]) -> tuple[StepResult, bool]:
        try:
            passed = act()
        except StepFailedError as failed:
            return StepResult(name, "failed", failed.detail, failed.fix), failed.blocks
        except StepSkippedError as skipped:
            return StepResult(name, "skipped", str(skipped)), True
        except Exception as fault:  # noqa: BLE001 - a customer's server may answer anything
            journal.write(
                "destination_step_broke", tenant_id=self._tenant, phase=name, error_type=type(fault).__name__
            )
            return StepResult(name, "failed", *_UNINTELLIGIBLE), True
        return StepResult(name, "ok", passed.detail, passed.advice), False

    def _note(self, step: StepResult, blocks: bool) -> None:
        if blocks:
            self._blocked.add(step.name)
        self._done[step.name] = step

    def _cause(self, name: str | None) -> str:
        """The first step that failed before `name`."""
        failed = [each.name for each in self._done.values() if each.outcome == "failed"]
        return failed[0] if failed else str(name)


_UNINTELLIGIBLE = (
    "The service sent an invalid answer.",
    "Check that the address is that of the service itself, not of a proxy, a console or a login page.",
)


def _out_of_time(name: str) -> StepResult:
    return StepResult(name, "skipped", "Not run: earlier steps took too long. Test again.")


def _hanging(name: str) -> StepResult:
    return StepResult(
        name,
        "failed",
        "The step did not finish within the time limit of the test.",
        "Find out whether the network or the service is slow, then test again.",
    )
