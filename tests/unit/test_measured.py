"""A bound of CPU seconds holds on a busy machine, and still fails a call that is too expensive."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.measured import cost_of, cpu_seconds_of

BOUND, SLOW = 0.1, 0.25
"""CPU seconds; a fast call takes none."""

BOUNDED = re.compile(r"\bcpu_seconds <")
PROJECT_ROOT = Path(__file__).parents[2]


def burn(calls: str, slow_calls: int, held_mb: list[int]) -> int:
    """The number of this call, from 1; the first `slow_calls` take SLOW CPU seconds."""
    with Path(calls).open("a+") as file:
        file.write("x")
        number = file.tell()
    held = bytearray(held_mb[number - 1] * 1024 * 1024)
    until = time.process_time() + (SLOW if number <= slow_calls else 0)
    while time.process_time() < until:
        pass
    return number if held is not None else 0


def cost(tmp_path: Path, slow_calls: int, held_mb: tuple[int, ...] = (0, 0, 0), **bound: float) -> Any:
    argument = {"calls": str(tmp_path / "calls"), "slow_calls": slow_calls, "held_mb": held_mb}
    return cost_of("tests.unit.test_measured:burn", argument, memory_mb=1024, **bound)


@pytest.mark.measured
def test_a_call_that_was_slow_beside_other_work_is_measured_again(tmp_path: Path) -> None:
    measured = cost(tmp_path, 2, within_cpu_seconds=BOUND)
    assert measured.cpu_seconds < BOUND
    assert measured.result == 3


@pytest.mark.measured
def test_a_call_that_is_always_slow_is_over_its_bound_after_three_runs(tmp_path: Path) -> None:
    assert cost(tmp_path, 3, within_cpu_seconds=BOUND).cpu_seconds >= SLOW
    assert (tmp_path / "calls").read_text() == "xxx"


@pytest.mark.measured
@pytest.mark.parametrize(("slow_calls", "bound"), [(1, {}), (0, {"within_cpu_seconds": BOUND})])
def test_a_call_within_its_bound_or_without_one_is_run_once(
    tmp_path: Path, slow_calls: int, bound: dict[str, float]
) -> None:
    assert cost(tmp_path, slow_calls, **bound).result == 1


@pytest.mark.measured
def test_the_memory_is_the_most_of_all_runs(tmp_path: Path) -> None:
    """Other work does not change it: a bound of memory gets no second try."""
    measured = cost(tmp_path, 1, (300, 0, 0), within_cpu_seconds=BOUND)
    assert measured.result == 2
    assert measured.peak_mb > 300


@pytest.mark.parametrize(("slow_calls", "runs"), [(0, 1), (1, 2), (3, 3)])
def test_a_call_in_this_process_is_measured_again_too(tmp_path: Path, slow_calls: int, runs: int) -> None:
    calls = tmp_path / "calls"
    seconds = cpu_seconds_of(lambda: burn(str(calls), slow_calls, [0, 0, 0]), within=BOUND)
    assert (seconds < BOUND) == (slow_calls < 3)
    assert calls.read_text() == "x" * runs


def test_each_bound_of_cpu_seconds_is_given_to_what_measures() -> None:
    """Without it the first run counts, whatever else the machine was doing."""
    bounded = {
        path: text
        for path in (PROJECT_ROOT / "tests").rglob("test_*.py")
        if "cost_of(" in (text := path.read_text(encoding="utf-8")) and BOUNDED.search(text)
    }
    assert len(bounded) > 10
    assert [path.name for path, text in bounded.items() if "within_cpu_seconds=" not in text] == []
