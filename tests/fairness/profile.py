"""What an attack made the service use, slice by slice, and the schedule of a load that uses the same again.

Attacks are bursts, and the p95 of a probe is that of the burst. A load that spreads the same use evenly is
smaller than the attack at that moment.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, pairwise

SLICE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment, `at` in seconds of a clock; only differences of two readings mean something.

    `processor_seconds`: of all processes but the attacker's. `processes`: of some of them, by name.
    `requests`: to the local AWS, by kind; `aws_seconds`: its processor time for them.
    """

    at: float
    processor_seconds: float
    processes: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)
    aws_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """What was used in `seconds`; the other fields are those of Reading."""

    seconds: float
    processor_seconds: float
    processes: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)
    aws_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestCost:
    """Processor time of one request of the load: of the local AWS, and of the process that makes it."""

    aws_seconds: float
    caller_seconds: float


def slices(readings: Sequence[Reading]) -> list[Slice]:
    """The use between each reading and the next."""
    return [
        Slice(
            after.at - before.at,
            after.processor_seconds - before.processor_seconds,
            _difference(after.processes, before.processes),
            _difference(after.requests, before.requests),
            _difference(after.aws_seconds, before.aws_seconds),
        )
        for before, after in pairwise(readings)
    ]


def mean(profile: Sequence[Slice]) -> Slice:
    """The use of one second on average; nothing for no slices."""
    lasted = sum(each.seconds for each in profile)
    if not lasted:
        return Slice(1.0, 0.0)
    together = Slice(
        1.0,
        sum(each.processor_seconds for each in profile),
        _sums([each.processes for each in profile]),
        _sums([each.requests for each in profile]),
        _sums([each.aws_seconds for each in profile]),
    )
    return scaled(together, 1 / lasted)


def scaled(of: Slice, factor: float) -> Slice:
    """`factor` times what `of` used, in the same time."""
    return Slice(
        of.seconds,
        factor * of.processor_seconds,
        *(
            {name: factor * used for name, used in each.items()}
            for each in (of.processes, of.requests, of.aws_seconds)
        ),
    )


def added(profile: Sequence[Slice], own: Slice) -> list[Slice]:
    """Processor time of the slices without the second tenant's own use, which is `own` a second.

    The second tenant does less while the attack is at its worst, so there is less left of such a slice than
    the attack used. In no slice anything less than 0 is left, and in all together never more than the
    difference.
    """
    processors = _at_least_zero(
        [each.processor_seconds - each.seconds * own.processor_seconds for each in profile]
    )
    aws = {
        kind: _at_least_zero(
            [
                each.aws_seconds.get(kind, 0.0) - each.seconds * own.aws_seconds.get(kind, 0.0)
                for each in profile
            ]
        )
        for kind in sorted({kind for each in profile for kind in each.aws_seconds})
    }
    return [
        Slice(
            each.seconds,
            processors[number],
            aws_seconds={kind: amounts[number] for kind, amounts in aws.items() if any(amounts)},
        )
        for number, each in enumerate(profile)
    ]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How much is to be done until when: `amounts[n]` evenly in slice n, which lasts `lengths[n]` seconds.

    After the last slice it continues at the average rate of the second half, when the burst is over.
    """

    lengths: tuple[float, ...]
    amounts: tuple[float, ...]

    def by(self, passed: float) -> float:
        """How much is to be done in the first `passed` seconds."""
        ends = self._ends()
        number = bisect_left(ends, passed)
        if number == len(ends):
            return sum(self.amounts) + self._rate_afterwards() * (passed - (ends[-1] if ends else 0.0))
        done = sum(self.amounts[:number])
        return done + self.amounts[number] * (1 - (ends[number] - passed) / self.lengths[number])

    def at(self, amount: float) -> float:
        """After how many seconds `amount` is to be done; infinity if never."""
        totals, ends = list(accumulate(self.amounts)), self._ends()
        number = bisect_left(totals, amount)
        if number == len(totals):
            rate, left = self._rate_afterwards(), amount - sum(self.amounts)
            return (ends[-1] if ends else 0.0) + left / rate if rate else float("inf")
        return ends[number] - self.lengths[number] * (totals[number] - amount) / self.amounts[number]

    def divided_by(self, number: int) -> "Schedule":
        """The share of each of `number` workers."""
        return Schedule(self.lengths, tuple(each / number for each in self.amounts))

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Schedule":
        """The Schedule of `as_json`."""
        return Schedule(**{name: tuple(values) for name, values in json.loads(text).items()})

    def _ends(self) -> list[float]:
        return list(accumulate(self.lengths))

    def _rate_afterwards(self) -> float:
        half = len(self.lengths) // 2
        lasted = sum(self.lengths[half:])
        return sum(self.amounts[half:]) / lasted if lasted else 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """`processors`: seconds of processor time beside that of the requests. `requests`: by kind."""

    processors: Schedule
    requests: Mapping[str, Schedule]


def load_of(profile: Sequence[Slice], costs: Mapping[str, RequestCost]) -> Load:
    """A load that uses what the slices say: requests keep the local AWS busy for their `aws_seconds`.

    The processor time of the requests, caller included, is part of the slices' and never more than that.
    """
    lengths = tuple(each.seconds for each in profile)
    numbers = {
        kind: [each.aws_seconds.get(kind, 0.0) / costs[kind].aws_seconds for each in profile]
        for kind in sorted({kind for each in profile for kind in each.aws_seconds})
    }
    whole = {kind: costs[kind].aws_seconds + costs[kind].caller_seconds for kind in numbers}
    of_requests = [sum(whole[kind] * numbers[kind][each] for kind in numbers) for each in range(len(profile))]
    total = sum(each.processor_seconds for each in profile)
    factor = min(1.0, total / (sum(of_requests) or 1.0))
    left = [each.processor_seconds - factor * used for each, used in zip(profile, of_requests, strict=True)]
    return Load(
        Schedule(lengths, tuple(_at_least_zero(left))),
        {kind: Schedule(lengths, tuple(factor * each for each in found)) for kind, found in numbers.items()},
    )


def _at_least_zero(amounts: Sequence[float]) -> list[float]:
    """Those below 0 are 0, and the others so much smaller that the sum stays the same, or 0."""
    positive = [max(0.0, each) for each in amounts]
    factor = max(0.0, sum(amounts)) / (sum(positive) or 1.0)
    return [factor * each for each in positive]


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Of each that grew; a process that was started again begins at 0."""
    found = {name: number - before.get(name, 0.0) for name, number in after.items()}
    return {name: number for name, number in found.items() if number > 0}


def _sums(counted: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = sorted({name for each in counted for name in each})
    return {name: sum(each.get(name, 0.0) for each in counted) for name in names}
