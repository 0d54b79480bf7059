"""Steps of a test, run one after another within a time that they share, and what became of each.

A step that fails says what was seen and what to do, in sentences of ours: never what a server wrote.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functions.shared import journal
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

RESERVED_SECONDS = 10
"""No step begins with less left: it needs some, and so does removing what it wrote."""

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step; `fix` says what to do, or what could be better where it went well."""

    name: str
    outcome: Outcome
    detail: str
    fix: str | None = None

    def shown(self) -> dict[str, Any]:
        """As JSON: `ok` is true or false, and absent from a step that was skipped."""
        state = {"skipped": True} if self.outcome == "skipped" else {"ok": self.outcome == "ok"}
        return {"step": self.name, **state, "detail": self.detail, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Passed:
    """What a step that went well has to say."""

    detail: str
    advice: str | None = None


class StepFailedError(PermanentError):
    """The step did not go well.

    Parameters
    ----------
    detail: what was seen.
    fix: one sentence a person can act on.
    blocks: whether the steps that build on this one can still tell something.
    """

    def __init__(self, detail: str, fix: str, *, blocks: bool = True) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
        self.blocks = blocks


class StepSkippedError(PermanentError):
    """The step has a reason not to be tried."""


class Budget:
    """Seconds that all steps of a test share."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def left(self) -> float:
        return max(0.0, self._ends_at - self._clock())


class Trial:
    """The steps `names`, each run at most once and in order by one thread; any may read the report."""

    def __init__(self, tenant: TenantId, names: Sequence[str], budget: Budget) -> None:
        self._tenant = tenant
        self._names = names
        self._budget = budget
        self._done: dict[str, Step] = {}
        self._blocked: set[str] = set()
        self._running: str | None = None

    def run(
        self, name: str, act: Callable[[], Passed], after: str | None = None, *, always: bool = False
    ) -> None:
        """Run the step unless `after` is blocked; `always`: even when time is short."""
        if after in self._blocked:
            self._note(Step(name, "skipped", f"Not tried: {self._cause(after)} comes first."), blocks=True)
        elif self._budget.left() < RESERVED_SECONDS and not always:
            self._note(_out_of_time(name), blocks=True)
        else:
            self._running = name
            self._note(*self._outcome(name, act))
            self._running = None

    def passed(self, name: str) -> bool:
        return name in self._done and self._done[name].outcome == "ok"

    def report(self) -> list[Step]:
        """Every step as it is now; one that still runs has taken longer than a test may."""
        done, running = dict(self._done), self._running
        return [
            done.get(name) or (_hanging(name) if name == running else _out_of_time(name))
            for name in self._names
        ]

    def _outcome(self, name: str, act: Callable[[], Passed]) -> tuple[Step, bool]:
        try:
            passed = act()
        except StepFailedError as failed:
            return Step(name, "failed", failed.detail, failed.fix), failed.blocks
        except StepSkippedError as skipped:
            return Step(name, "skipped", str(skipped)), True
        except Exception as fault:  # noqa: BLE001 - a stranger's server may answer anything
            journal.write(
                "destination_step_broke", tenant_id=self._tenant, phase=name, error_type=type(fault).__name__
            )
            return Step(name, "failed", *_UNINTELLIGIBLE), True
        return Step(name, "ok", passed.detail, passed.advice), False

    def _note(self, step: Step, blocks: bool) -> None:
        if blocks:
            self._blocked.add(step.name)
        self._done[step.name] = step

    def _cause(self, name: str | None) -> str:
        """The first step that went wrong on the way to `name`."""
        failed = [each.name for each in self._done.values() if each.outcome == "failed"]
        return failed[0] if failed else str(name)


_UNINTELLIGIBLE = (
    "The answer cannot be understood.",
    "Check that the address is that of the service itself and not of a proxy, a console or a login page.",
)


def _out_of_time(name: str) -> Step:
    return Step(name, "skipped", "Not tried: the steps before it took too long. Test again.")


def _hanging(name: str) -> Step:
    return Step(
        name,
        "failed",
        "No end after as long as the whole test may take.",
        "Look for what is slow on the way there or in the service itself, and test again.",
    )
