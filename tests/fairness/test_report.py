"""The verdict of the fairness report, and the load it compares with."""

import threading
import time
from collections.abc import Mapping, Sequence

import pytest

from tests.fairness.neutral import burn
from tests.fairness.probes import ONE_REQUEST, SEARCH, Samples
from tests.fairness.report import ALONE, ATTACK, NEUTRAL, NEVER, Compared, Phase, Report, compared


def phase(kind: str, seconds: Mapping[str, Sequence[float]], attack: str = "flood") -> Phase:
    return Phase(attack, kind, Samples({name: list(each) for name, each in seconds.items()}))


@pytest.mark.parametrize(
    ("alone", "neutral", "beside", "verdict"),
    [
        (1.0, 1.0, 2.0, ""),
        (1.0, 1.0, 2.01, "UNFAIR"),
        (0.1, 0.1, 0.35, ""),
        (0.1, 0.1, 0.36, "UNFAIR"),
        (1.0, 3.0, 4.0, "over 2x: the processors"),
        (1.0, 3.0, 4.01, "UNFAIR"),
        (1.0, 0.5, 2.01, "UNFAIR"),
        (1.0, 1.0, NEVER, "UNFAIR"),
    ],
)
def test_the_verdict_is_twice_alone_beyond_what_the_processors_explain(
    alone: float, neutral: float, beside: float, verdict: str
) -> None:
    line = Compared("flood", SEARCH, alone, neutral, beside)
    assert line.line().endswith(verdict or f"{beside / neutral:.2f}")
    assert Report([line], [], []).is_fair == (verdict != "UNFAIR")
    assert line.is_within == (not verdict)


def test_a_failure_of_the_second_tenant_is_unfair() -> None:
    assert not Report([], ["flood, attack: search: 429"], []).is_fair


def test_an_attack_is_compared_with_all_phases_alone_and_with_its_own_neutral_load() -> None:
    phases = [
        phase(ALONE, {SEARCH: [1.0]}),
        phase(NEUTRAL, {SEARCH: [2.0]}),
        phase(ATTACK, {SEARCH: [5.0], ONE_REQUEST: [1.0]}),
        phase(ALONE, {SEARCH: [3.0], "other": [1.0]}, "bomb"),
        phase(NEUTRAL, {SEARCH: [9.0]}, "bomb"),
        phase(ATTACK, {SEARCH: [9.0]}, "bomb"),
    ]
    first, second = compared("flood", phases)
    assert (first.probe, first.neutral, first.beside) == (SEARCH, 2.0, 5.0)
    assert first.alone == pytest.approx(2.9)
    assert (second.probe, second.beside) == ("other", NEVER), "a probe that never succeeded is not left out"


class Machine(threading.Event):
    """A process that runs a millisecond of every two that it asks for, as beside another one."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.ran = 0.0

    def clock(self) -> float:
        self.now += 0.002
        self.ran += 0.001
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return self.is_set()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 10 / 7), (0.2, 2.0), (0.4, 4.0), (0.9, 5.0)])
def test_the_neutral_load_uses_the_share_that_it_is_given(share: float, expected: float) -> None:
    """At rest it looks at the clock, too: here a millisecond in seven."""
    machine = Machine()
    burn(share, 10.0, machine, machine.clock, lambda: machine.ran)
    assert machine.now >= 10.0
    assert machine.ran == pytest.approx(expected, rel=0.05)


def test_the_neutral_load_ends_when_it_is_asked_to() -> None:
    ended, began = threading.Event(), time.monotonic()
    threading.Timer(0.2, ended.set).start()
    burn(0.1, 60.0, ended)
    assert time.monotonic() - began < 30
