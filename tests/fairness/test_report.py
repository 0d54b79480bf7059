"""The verdict of the fairness report, and the load it compares with."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from tests.fairness.neutral import burn
from tests.fairness.probes import ONE_REQUEST, SEARCH, Samples
from tests.fairness.profile import Schedule, Slice
from tests.fairness.report import (
    ALONE,
    ATTACK,
    NEUTRAL,
    NEVER,
    Compared,
    Phase,
    Report,
    Times,
    compared,
    reported,
)


def phase(kind: str, seconds: Mapping[str, Sequence[float]], attack: str = "flood") -> Phase:
    return Phase(attack, kind, Samples({name: list(each) for name, each in seconds.items()}))


@pytest.mark.parametrize(
    ("alone", "neutral", "beside", "verdict"),
    [
        (1.0, 1.0, 2.0, ""),
        (1.0, 1.0, 2.01, "UNFAIR"),
        (0.1, 0.1, 0.35, ""),
        (0.1, 0.1, 0.36, "UNFAIR"),
        (1.0, 3.0, 4.0, "over 2x: this machine"),
        (1.0, 3.0, 4.01, "UNFAIR"),
        (1.0, 0.5, 2.01, "UNFAIR"),
        (1.0, 1.0, NEVER, "UNFAIR"),
    ],
)
def test_the_verdict_is_twice_alone_beyond_what_the_machine_explains(
    alone: float, neutral: float, beside: float, verdict: str
) -> None:
    line = Compared("flood", SEARCH, *(Times(each, each, 20) for each in (alone, neutral, beside)))
    assert line.line().endswith(verdict or "20/20/20")
    assert Report([line], [], []).is_fair == (verdict != "UNFAIR")
    assert line.is_within == (not verdict)


def test_a_neutral_load_beside_which_nothing_was_measured_excuses_nothing() -> None:
    """No erasure was verified beside it, and 55.8 s beside the attack were the machine's."""
    line = Compared("flood", SEARCH, Times(1.0, 1.0, 4), Times(NEVER, NEVER, 0), Times(9.0, 9.0, 4))
    assert not line.is_fair
    assert "never" in line.line()


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
    assert (first.probe, first.neutral.p95, first.beside.p95) == (SEARCH, 2.0, 5.0)
    assert first.alone.p95 == pytest.approx(2.9)
    assert (first.alone.median, first.alone.samples) == (2.0, 2)
    assert (second.probe, second.beside.p95) == ("other", NEVER), (
        "a probe that never succeeded is not left out"
    )


def test_the_rounds_of_an_attack_are_one_phase_of_the_report_and_a_failure_of_any_is_one() -> None:
    phases = [
        Phase(
            "flood",
            kind,
            Samples({SEARCH: [float(number)]}, {"waits": [float(number)]}, ["search: 429"] * (number == 3)),
            Counter({"429": 2} if kind == ATTACK else {}),
            [Slice(0.5, 0.25 * number)],
        )
        for number in (1, 2, 3)
        for kind in (ALONE, ATTACK, NEUTRAL)
    ]
    report = reported(phases)
    (line,) = report.compared
    assert (line.beside.median, line.beside.samples) == (2.0, 3)
    assert report.failures == [f"flood, {kind}: search: 429" for kind in (ALONE, ATTACK, NEUTRAL)]
    assert [len(each.profile) for each in report.phases] == [3, 3, 3]
    text = list(report.lines())
    assert any(each.split() == ["flood", "waits", "2.900s", "2.900s", "2.900s"] for each in text)
    assert "flood: {'429': 6}" in text


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
    burn(Schedule((1.0,), (share,)), 10.0, machine, machine.clock, lambda: machine.ran)
    assert machine.now >= 10.0
    assert machine.ran == pytest.approx(expected, rel=0.05)


def test_the_neutral_load_ends_when_it_is_asked_to() -> None:
    ended, began = threading.Event(), time.monotonic()
    threading.Timer(0.2, ended.set).start()
    burn(Schedule((1.0,), (0.1,)), 60.0, ended)
    assert time.monotonic() - began < 30
