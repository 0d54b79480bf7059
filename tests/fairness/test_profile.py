"""The load to compare with uses in each slice of time what the attack added in that slice."""

import math
import os
import threading
import time
from itertools import count

import pytest

from tests.fairness import recording as recorder
from tests.fairness.measure import extra
from tests.fairness.neutral import burn
from tests.fairness.neutral_requests import AwsUsage, repeat_by
from tests.fairness.probes import SEARCH, Samples
from tests.fairness.profile import (
    Reading,
    RequestCost,
    Schedule,
    Slice,
    added,
    load_of,
    mean,
    scaled,
    slices,
)
from tests.fairness.recording import Process, descendants
from tests.fairness.report import ALONE, ATTACK, Phase

BURST = Schedule((0.5, 0.5, 1.0, 1.0), (8.0, 0.0, 1.0, 3.0))


def test_a_slice_is_the_difference_of_two_readings() -> None:
    readings = [
        Reading(10.0, 100.0, {"aws": 7.0}, {"SQS": 5}, {"SQS": 0.1}),
        Reading(10.5, 100.4, {"aws": 7.1}, {"SQS": 5}, {"SQS": 0.1}),
        Reading(11.5, 101.0, {"aws": 0.2}, {"SQS": 9, "S3 reads": 2}, {"SQS": 0.4, "S3 reads": 0.3}),
    ]
    first, second = slices(readings)
    assert [first.seconds, first.processor_seconds] == pytest.approx([0.5, 0.4])
    assert first.processes["aws"] == pytest.approx(0.1)
    assert first.requests == {}
    assert (second.processes, second.requests) == ({}, {"SQS": 4, "S3 reads": 2}), "aws was started again"
    average = mean([first, second])
    assert [average.seconds, average.processor_seconds] == pytest.approx([1.0, 1.0 / 1.5])
    assert average.requests == {"SQS": pytest.approx(4 / 1.5), "S3 reads": pytest.approx(2 / 1.5)}
    assert average.aws_seconds == {"SQS": pytest.approx(0.2), "S3 reads": pytest.approx(0.2)}
    assert mean([]).processor_seconds == 0


def test_what_an_attack_added_is_its_use_without_the_second_tenants_own() -> None:
    profile = [
        Slice(0.5, 1.0, aws_seconds={"SQS": 0.1, "S3 reads": 0.01}),
        Slice(1.0, 1.2, aws_seconds={"SQS": 0.05, "S3 reads": 0.02}),
    ]
    burst, rest = added(profile, scaled(Slice(1.0, 1.6, aws_seconds={"SQS": 0.04, "S3 reads": 0.04}), 0.5))
    assert (burst.seconds, rest.seconds) == (0.5, 1.0)
    assert [burst.processor_seconds, rest.processor_seconds] == pytest.approx([0.6, 0.4])
    assert burst.aws_seconds == {"SQS": pytest.approx(0.09)}
    assert rest.aws_seconds == {"SQS": pytest.approx(0.03)}


def test_slices_with_less_than_the_own_use_do_not_make_the_load_larger_than_the_attack() -> None:
    """Otherwise noise alone would be a load: what is missing in a slice is taken from the others."""
    profile = [Slice(1.0, used, aws_seconds={"SQS": used}) for used in (5.0, 0.0, 2.0)]
    left = added(profile, Slice(1.0, 1.0, aws_seconds={"SQS": 1.0}))
    assert [each.processor_seconds for each in left] == [pytest.approx(3.2), 0, pytest.approx(0.8)]
    assert [each.aws_seconds["SQS"] for each in left] == [pytest.approx(3.2), 0, pytest.approx(0.8)]
    nothing = added(profile, Slice(1.0, 3.0, aws_seconds={"SQS": 3.0}))
    assert [each.processor_seconds for each in nothing] == [0, 0, 0]
    assert [each.aws_seconds for each in nothing] == [{}, {}, {}]


def test_the_second_tenants_own_use_is_smaller_when_it_does_less_beside_the_attack() -> None:
    """Alone it did four things in two seconds, beside the attack two in four."""
    alone = Phase("flood", ALONE, Samples({SEARCH: [0.1] * 4}), profile=[Slice(2.0, 1.6)])
    beside = Phase("flood", ATTACK, Samples({SEARCH: [0.1] * 2}), profile=[Slice(1.0, 2.0), Slice(3.0, 1.2)])
    burst, rest = extra(beside, alone)
    assert [burst.processor_seconds, rest.processor_seconds] == pytest.approx([1.8, 0.6])


@pytest.mark.parametrize(
    ("passed", "done"),
    [(0.0, 0.0), (0.25, 4.0), (0.5, 8.0), (1.0, 8.0), (2.0, 9.0), (2.5, 10.5), (3.0, 12.0), (5.0, 16.0)],
)
def test_a_schedule_says_how_much_is_done_until_when(passed: float, done: float) -> None:
    """After its end it continues as in its second half: 4 in two seconds."""
    assert BURST.by(passed) == pytest.approx(done)
    assert BURST.divided_by(4).by(passed) == pytest.approx(done / 4)
    assert Schedule.from_json(BURST.as_json()) == BURST
    if passed and passed != 1.0:
        assert BURST.at(done) == pytest.approx(passed)


def test_what_is_never_to_be_done_has_no_time() -> None:
    over = Schedule((1.0, 1.0), (2.0, 0.0))
    assert (over.at(2.0), over.at(2.1), over.by(9.0)) == (1.0, math.inf, 2.0)
    assert (Schedule((), ()).by(3.0), Schedule((), ()).at(1.0)) == (0.0, math.inf)


COSTS = {"SQS": RequestCost(0.001, 0.002), "S3 reads": RequestCost(0.004, 0.001)}


def test_requests_keep_the_local_aws_busy_and_their_processor_time_is_part_of_the_load() -> None:
    profile = [
        Slice(0.5, 1.0, aws_seconds={"SQS": 0.1, "S3 reads": 0.2}),
        Slice(0.5, 0.2, aws_seconds={"SQS": 0.1}),
    ]
    load = load_of(profile, COSTS)
    assert load.requests["SQS"].amounts == pytest.approx((100.0, 100.0))
    assert load.requests["S3 reads"].amounts == pytest.approx((50.0, 0.0))
    assert load.processors.lengths == (0.5, 0.5)
    # 1.0 - 0.3 - 0.25 and 0.2 - 0.3: what is missing in the second slice is taken from the first.
    assert load.processors.amounts == pytest.approx((0.35, 0.0))


def test_the_requests_of_the_load_never_use_more_processor_time_than_the_attack() -> None:
    load = load_of(
        [Slice(0.5, 0.3, aws_seconds={"SQS": 0.1}), Slice(0.5, 0.0, aws_seconds={"SQS": 0.1})], COSTS
    )
    assert load.requests["SQS"].amounts == pytest.approx((50.0, 50.0))
    assert sum(load.processors.amounts) == pytest.approx(0.0)
    assert load_of([Slice(0.5, 0.4)], COSTS).processors.amounts == (0.4,)


class Clock(threading.Event):
    """Time passes while waiting, and a little with each look at the clock."""

    now = 0.0

    def look(self) -> float:
        self.now += 0.0005
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return self.is_set()


def test_requests_are_made_in_the_slices_in_which_the_attack_made_them() -> None:
    clock, made_at = Clock(), list[float]()
    repeat_by(BURST, lambda: made_at.append(clock.now), 5.1, clock, count(1), clock.look)
    ends = (0.51, 1.0, 2.01, 3.01, 5.1)
    begins = (0.0, *ends)
    in_slices = [sum(begin < at <= end for at in made_at) for begin, end in zip(begins, ends, strict=False)]
    assert in_slices == [8, 0, 1, 3, 4]


def test_processors_are_used_in_the_slices_in_which_the_attack_used_them() -> None:
    """Half of the first second; nothing in the second one, nor afterwards."""
    ran = [0.0]

    def look() -> float:
        ran[0] += 0.0005
        return clock.look()

    for seconds in (1.0, 2.0, 4.0):
        clock, ran[0] = Clock(), 0.0
        burn(Schedule((1.0, 1.0), (0.5, 0.0)), seconds, clock, look, lambda: ran[0])
        idle = 0.1 * (seconds - 0.5)
        assert 0.5 <= ran[0] <= 0.51 + idle, "a look at the clock each 5 ms is the rest"


def test_processes_that_descend_from_one_are_found_and_others_are_not() -> None:
    tree = {2: 1, 3: 2, 4: 3, 5: 1, 6: 5}
    processes = [Process(pid, parent, 0.0) for pid, parent in tree.items()]
    assert descendants(2, processes) == {2, 3, 4}
    assert descendants(6, processes) == {6}


def test_the_use_of_processes_is_recorded_and_the_attackers_own_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here this process is the service, or the attacker."""
    monkeypatch.setattr(recorder, "read_aws_usage", lambda _endpoint: AwsUsage({"SQS": 3}, {"SQS": 0.1}))
    own = os.getpid()
    with (
        recorder.recording("", {"this": own, "none": 0}) as readings,
        recorder.recording("", {"this": own}, own) as without,
    ):
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
    used = mean(slices(readings))
    assert used.processes.keys() == {"this"}
    assert used.processor_seconds >= used.processes["this"] > 0
    assert used.requests == {}
    assert mean(slices(without)).processor_seconds <= used.processes["this"] / 2
