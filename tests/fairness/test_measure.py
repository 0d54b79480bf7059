"""What of a run is kept when an attack cannot be measured to its end, and what each mode measures."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId
from tests.fairness import measure as measuring
from tests.fairness import settling
from tests.fairness.__main__ import last_written
from tests.fairness.attacking import Attack
from tests.fairness.attacks import ATTACKS
from tests.fairness.measure import Erasures, measure
from tests.fairness.probes import ERASURE, SEARCH, Samples
from tests.fairness.profile import Reading
from tests.fairness.report import ALONE, ATTACK, NEUTRAL, Phase, Report
from tests.fairness.settling import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    SLOWEST_BYTES_PER_SECOND,
    settle_seconds,
)
from tests.fairness.waiting_process import WaitingProcess
from tests.integration.stack import StackNotReadyError

UNSETTLED = "waited in vain until all rows are loaded"


class Run:
    """Phases without a stack: `unsettled` names the attack after which the stack is not settled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, unsettled: str, phases_before: int) -> None:
        self.stacks = 0
        self.log: list[str] = []
        self._unsettled, self._phases_before = unsettled, phases_before
        monkeypatch.setattr(measuring, "_prepared", self._prepared)
        monkeypatch.setattr(measuring, "_rounds", self._rounds)

    @contextmanager
    def _prepared(self, _open_stack: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        self.stacks += 1
        self.log.append(f"stack {self.stacks}")
        yield None, {}
        self.log.append(f"end of stack {self.stacks}")

    def _rounds(self, _tenant: Any, name: str, *_arguments: Any) -> Iterator[Phase]:
        self.log.append(name)
        for number, kind in enumerate((ALONE, ATTACK, NEUTRAL)):
            if name == self._unsettled and number == self._phases_before:
                raise StackNotReadyError(UNSETTLED)
            yield Phase(name, kind, Samples({SEARCH: [0.1]}))


@pytest.mark.parametrize("unsettled", ATTACKS)
def test_an_attack_that_leaves_the_stack_unsettled_costs_no_other_attack_its_figures(
    unsettled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run stopped at the Parquet bombs, and the figures of all attacks were lost."""
    run = Run(monkeypatch, unsettled, 2)
    monkeypatch.setattr(Phase, "line", lambda _self: "")
    *_, report = measure(cast("Any", None), list(ATTACKS), erasures=Erasures.NONE)
    assert report.incomplete == {unsettled: UNSETTLED}
    assert not report.is_fair
    assert [each.attack for each in report.compared] == list(ATTACKS)
    lines = list(report.compared_lines())
    assert [each.endswith("(incomplete)") for each in lines[1:-1]] == [each == unsettled for each in ATTACKS]
    assert lines[-1].split() == [*unsettled.split(), "INCOMPLETE:", *UNSETTLED.split()]
    ended = run.log.index("end of stack 1")
    assert run.log[ended - 1] == unsettled, "the next attack has a new stack"
    assert [each for each in run.log if "stack" not in each] == list(ATTACKS), "each is measured once"
    assert run.stacks == (1 if unsettled == list(ATTACKS)[-1] else 2)


def test_an_attack_that_could_not_begin_is_incomplete_and_has_no_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Run(monkeypatch, "file flood", 1)
    monkeypatch.setattr(Phase, "line", lambda _self: "")
    *_, report = measure(cast("Any", None), ["file flood"])
    assert report.compared == []
    assert list(report.lines())[1] == f"{'file flood':<16}INCOMPLETE: {UNSETTLED}"
    assert json.loads(report.as_json())["incomplete"] == {"file flood": UNSETTLED}


@pytest.mark.parametrize("as_json", [True, False])
def test_the_report_is_written_after_each_attack(as_json: bool, tmp_path: Path) -> None:
    path, notified = tmp_path / "report", list[str]()
    written = list[str]()

    def reports() -> Iterator[Report]:
        for name in ("one", "two"):
            yield Report([], [], [], {name: "why"})
            written.append(path.read_text())
        raise StackNotReadyError("a new stack did not start")

    with pytest.raises(StackNotReadyError):
        last_written(reports(), path, as_json=as_json, notify=notified.append)
    assert ["one" in written[0], "two" in written[1]] == [True, True]
    assert path.read_text() == written[1]
    assert ["one" in notified[0], "two" in notified[1]] == [True, True]


def staged(raw_bytes: int) -> str:
    day = date(2026, 11, 23)
    return str(StagedKey(TenantId("flood"), day, time_ordered_id(), 1, raw_bytes, day))


@pytest.mark.parametrize(
    ("staged_seconds", "seconds"),
    [
        ([], SHORTEST_SECONDS),
        ([10, 20], SHORTEST_SECONDS + 30),
        ([10_000], LONGEST_SECONDS),
    ],
)
def test_settling_may_take_longer_when_more_is_staged_but_not_for_ever(
    staged_seconds: list[int], seconds: float
) -> None:
    keys = [staged(each * SLOWEST_BYTES_PER_SECOND) for each in staged_seconds]
    assert settle_seconds([*keys, "staged/no-such-form"]) == seconds


class Busy:
    """A stack that has loaded all rows and is still merging some, as often as `merges` says."""

    def __init__(self, *merges: int) -> None:
        self.merges = list(merges)
        self.page = {"staging_bucket": "staging"}

    def aws(self, _service: str) -> None:
        return None

    def staged_keys(self) -> list[str]:
        return []

    def rows(self, _statement: str) -> list[dict[str, str]]:
        return [{"merges": str(self.merges.pop(0))}]


def test_a_phase_does_not_begin_while_the_rows_of_the_one_before_are_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside the neutral load an erasure took 50 s: the attack had ended, and merges of its rows had not."""
    monkeypatch.setattr(settling, "staged_keys", lambda _s3, _bucket: [])
    stack = Busy(2, 1, 0, 0)
    settling.wait_until_settled(cast("Any", stack))
    assert stack.merges == [0]


class Deleting:
    """A stack on which a deletion takes a while: `rows_left` are those that each look finds."""

    def __init__(self, *rows_left: int) -> None:
        self.commands: list[str] = []
        self.rows_left = list(rows_left)

    def command(self, statement: str) -> None:
        self.commands.append(statement)

    def rows(self, _statement: str, *, tenant: str) -> list[dict[str, str]]:
        assert f"tenant_id = '{tenant}'" in self.commands[0]
        return [{"rows": str(self.rows_left.pop(0))}]


def test_the_rows_of_an_attack_are_gone_before_the_next_phase() -> None:
    """Alone erasures took 6 s, and 74 s after the Parquet bombs: beside any attack they were fair."""
    stack = Deleting(3, 3, 0, 0)
    settling.delete_rows(cast("Any", stack), TenantId("hostile"))
    assert stack.rows_left == [0]


class Second:
    """The second tenant on a stack that is settled; `used` says what ran."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.used: list[str] = []
        self.stack, self.erasers = self, None
        self.aws_endpoint, self.page = "", {"pids": dict.fromkeys(measuring.RECORDED, 1)}
        monkeypatch.setattr(measuring, "wait_until_settled", lambda _stack: None)
        monkeypatch.setattr(measuring, "recording", self._recording)
        monkeypatch.setattr(measuring, "measure_erasures", self._measure_erasures)

    @contextmanager
    def probes(self, _samples: Samples) -> Iterator[list[Any]]:
        yield [self]

    ident = None

    def start(self) -> None:
        self.used.append("probes")

    @contextmanager
    def _recording(self, *_arguments: Any) -> Iterator[list[Reading]]:
        readings = [Reading(0.0, 0.0)]
        self.used.append("recorded")
        yield readings
        self.used.append("no longer recorded")
        readings.append(Reading(1.0, 1.0))

    def _measure_erasures(self, _stack: Any, _erasers: Any, samples: Samples) -> None:
        self.used.append("erasures")
        samples.add(ERASURE, 1.0)


@pytest.mark.parametrize(
    ("erasures", "used"),
    [
        (Erasures.NONE, ["recorded", "load", "probes", "no longer recorded"]),
        (Erasures.TOO, ["recorded", "load", "probes", "no longer recorded", "erasures"]),
        (Erasures.ONLY, ["recorded", "load", "erasures", "no longer recorded"]),
    ],
)
def test_erasures_alone_are_measured_from_the_beginning_of_the_load_and_are_its_size(
    erasures: Erasures, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Second(monkeypatch)
    begin: Callable[[], None] = lambda: second.used.append("load")  # noqa: E731
    phase = measuring._phase(
        cast("Any", second), Phase("flood", ATTACK, Samples()), 0.0, begin, erasures=erasures
    )
    assert second.used == used
    assert len(phase.profile) == 1
    assert phase.work == (1.0 if ERASURE in phase.samples.seconds else 0.0)


def test_an_attack_that_has_ended_is_not_ended_again() -> None:
    program = (
        "from tests.fairness.waiting_process import ready_to_begin\nready_to_begin().wait(60)\nprint(TEXT)"
    )
    attack = Attack(WaitingProcess(("-c", program.replace("TEXT", repr(json.dumps({"200": 3}))))))
    attack._process.wait_until_ready()
    attack.begin()
    attack.end()
    attack.end()
    assert attack.answers == {"200": 3}
