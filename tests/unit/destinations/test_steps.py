"""Steps: what follows what, what a failure says, and what becomes of them when time runs out."""

import threading
from typing import Any

import pytest

from functions.destinations.steps import StepFailedError, StepPassed, StepRunner, StepSkippedError, TimeBudget
from functions.shared.tenancy import TenantId

ACME = TenantId("acme")
NAMES = ("a", "b", "c", "d")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def runner(clock: Clock | None = None, seconds: float = 60) -> StepRunner:
    return StepRunner(ACME, NAMES, TimeBudget(seconds, clock or Clock()))


def failing(*, blocks: bool = True) -> StepPassed:
    raise StepFailedError("It broke.", "Fix it.", blocks=blocks)


def fine() -> StepPassed:
    return StepPassed("Fine.")


def outcomes(trying: StepRunner) -> list[str]:
    return [step.outcome for step in trying.report()]


def test_what_builds_on_a_failed_step_is_skipped_and_says_what_comes_first() -> None:
    trying = runner()
    trying.run("a", failing)
    trying.run("b", fine, after="a")
    trying.run("c", fine, after="b")
    trying.run("d", fine)
    assert outcomes(trying) == ["failed", "skipped", "skipped", "ok"]
    assert trying.report()[2].detail == "Not run: a must pass first."
    assert trying.report()[0].as_json() == {"step": "a", "ok": False, "detail": "It broke.", "fix": "Fix it."}
    assert "ok" not in trying.report()[1].as_json()


def test_a_failure_that_does_not_block_lets_the_next_step_be_tried() -> None:
    trying = runner()
    trying.run("a", lambda: failing(blocks=False))
    trying.run("b", fine, after="a")
    assert outcomes(trying)[:2] == ["failed", "ok"]


def test_a_step_that_skips_itself_is_no_cause_for_another() -> None:
    def skips() -> StepPassed:
        raise StepSkippedError("Not now.")

    trying = runner()
    trying.run("a", skips)
    trying.run("b", failing)
    trying.run("c", fine, after="a")
    assert trying.report()[2].detail == "Not run: b must pass first."


def test_no_step_begins_without_the_time_to_remove_what_it_writes_but_the_removal_itself() -> None:
    clock = Clock()
    trying = runner(clock, seconds=24)
    clock.now = 20
    trying.run("a", fine)
    trying.run("b", fine, always=True)
    assert outcomes(trying)[:2] == ["skipped", "ok"]


def test_a_step_that_hangs_is_reported_as_such() -> None:
    trying, hung, resume = runner(), threading.Event(), threading.Event()

    def hangs() -> StepPassed:
        hung.set()
        resume.wait(10)
        return fine()

    thread = threading.Thread(target=trying.run, args=("a", hangs))
    thread.start()
    hung.wait(10)
    assert outcomes(trying) == ["failed", "skipped", "skipped", "skipped"]
    resume.set()
    thread.join()


def test_an_unexpected_error_is_logged_by_its_type_alone(capsys: Any) -> None:
    def breaks() -> StepPassed:
        raise ValueError("canary")

    trying = runner()
    trying.run("a", breaks)
    assert outcomes(trying)[0] == "failed"
    assert "canary" not in str(trying.report())
    logged = capsys.readouterr().out
    assert "ValueError" in logged
    assert "canary" not in logged


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_budget_never_owes(seconds: float) -> None:
    clock = Clock()
    budget = TimeBudget(seconds, clock)
    clock.now = 100
    assert budget.left() == 0
