"""What was measured, and the verdict: alone, beside an attack, and beside a neutral load."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles

from tests.fairness.probes import ONE_REQUEST, Samples
from tests.fairness.profile import Slice, mean

MAX_RATIO = 2.0
NOISE_SECONDS = 0.25
"""What a probe may take longer whatever the ratio: a search alone takes a few hundredths of a second here,
and two cores serve the engine, all functions and the attacker."""

NEVER = 1_000_000.0
INCOMPLETE = " (incomplete)"
ALONE, NEUTRAL, ATTACK = "alone", "neutral load", "attack"

COLUMNS = "{:<16}{:<22}{:>7}{:>8}{:>8}{:>8}{:>10}   {:<22}{:<13}{}"
PART_COLUMNS = "{:<16}{:<30}{:>7}{:>8}{:>8}"


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured in one phase; `kind` is ALONE, NEUTRAL or ATTACK.

    `profile`: what was used while it lasted, by all processes but the attacker's. `answers`: what the
    attacker was answered.
    """

    attack: str
    kind: str
    samples: Samples
    answers: Counter[str] = field(default_factory=Counter)
    profile: Sequence[Slice] = ()
    processors: int = 1

    @property
    def work(self) -> float:
        """How often the second tenant did something, a second."""
        lasted = sum(each.seconds for each in self.profile)
        return sum(len(each) for each in self.samples.seconds.values()) / (lasted or 1.0)

    def line(self) -> str:
        """How much of the machine was used, on average and in the slice with the most requests."""
        average = mean(self.profile)
        most = mean([max(self.profile, key=lambda each: sum(each.requests.values()) / each.seconds)])
        return f"{self.attack:<16}{self.kind:<14}{self._used(average)}; busiest slice: {self._used(most)}"

    def _used(self, of: Slice) -> str:
        processes = "".join(f", {name} {seconds:.0%}" for name, seconds in sorted(of.processes.items()))
        return (
            f"processors {of.processor_seconds / self.processors:.0%} busy{processes}, "
            f"{sum(of.requests.values()):.0f} requests a second"
        )


def together(phases: Sequence[Phase]) -> Phase:
    """Rounds of one phase as one."""
    answers: Counter[str] = Counter()
    for each in phases:
        answers += each.answers
    return Phase(
        phases[0].attack,
        phases[0].kind,
        Samples.of_all(each.samples for each in phases),
        answers,
        [each for phase in phases for each in phase.profile],
        phases[0].processors,
    )


@dataclass(frozen=True, slots=True)
class Times:
    """The times of one probe in one kind of phase, in seconds; NEVER when it did not succeed once."""

    p95: float
    median: float
    samples: int


def times(seconds: Sequence[float]) -> Times:
    return Times(p95(seconds), median(seconds) if seconds else NEVER, len(seconds))


@dataclass(frozen=True, slots=True)
class Compared:
    """One probe. `neutral`: beside a load of equal size that is not the service's."""

    attack: str
    probe: str
    alone: Times
    neutral: Times
    beside: Times

    @property
    def longest(self) -> float:
        """What the promise permits."""
        return max(MAX_RATIO * self.alone.p95, self.alone.p95 + NOISE_SECONDS)

    @property
    def is_within(self) -> bool:
        """Whether the promise holds on this machine."""
        return self.beside.p95 <= self.longest

    @property
    def is_fair(self) -> bool:
        """Whether it holds without the time that the busy processors and the local AWS alone explain."""
        machine = self.neutral.p95 - self.alone.p95 if self.neutral.samples else 0.0
        return self.beside.p95 - max(0.0, machine) <= self.longest

    def line(self) -> str:
        verdict = "" if self.is_within else "over 2x: this machine" if self.is_fair else "UNFAIR"
        all_three = (self.alone, self.neutral, self.beside)
        return COLUMNS.format(
            self.attack,
            self.probe,
            *(f"{each.p95:.2f}s" if each.samples else "never" for each in all_three),
            *(f"{self.beside.p95 / each.p95:.2f}" for each in (self.alone, self.neutral)),
            " ".join(f"{each.median:.2f}s" if each.samples else "never" for each in all_three),
            "/".join(str(each.samples) for each in all_three),
            verdict,
        ).rstrip()


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons, and every failure of the second tenant. `phases`: one for each attack and kind.

    `incomplete`: why an attack was not measured to its end. Its lines say so.
    """

    compared: list[Compared]
    failures: list[str]
    phases: list[Phase]
    incomplete: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_fair(self) -> bool:
        return not self.failures and not self.incomplete and all(each.is_fair for each in self.compared)

    def lines(self) -> Iterator[str]:
        """The whole report: first what was compared."""
        yield from self.compared_lines()
        yield PART_COLUMNS.format("p95 of its parts", "", "alone", "neutral", "beside")
        for attack in dict.fromkeys(each.attack for each in self.phases):
            yield from part_lines(attack, self.phases)
        yield from (each.line() for each in self.phases)
        yield from (f"{each.attack}: {dict(each.answers)}" for each in self.phases if each.answers)
        yield from self.failures

    def compared_lines(self) -> Iterator[str]:
        """A line for each attack and probe, and one for each attack that is incomplete."""
        titles = ("attack", "p95 of", "alone", "neutral", "beside", "/ alone", "/ neutral")
        yield COLUMNS.format(*titles, "medians", "samples", "").rstrip()
        yield from (
            f"{each.line()}{INCOMPLETE if each.attack in self.incomplete else ''}" for each in self.compared
        )
        yield from (f"{attack:<16}INCOMPLETE: {why}" for attack, why in self.incomplete.items())

    def as_json(self) -> str:
        """What was compared, failures, and attacks that are incomplete."""
        return json.dumps(
            {
                "compared": [asdict(each) for each in self.compared],
                "failures": self.failures,
                "incomplete": dict(self.incomplete),
            }
        )


def reported(phases: Iterable[Phase], incomplete: Mapping[str, str] | None = None) -> Report:
    """The report of all phases, in which the rounds of an attack are taken together."""
    rounds: dict[tuple[str, str], list[Phase]] = {}
    for each in phases:
        rounds.setdefault((each.attack, each.kind), []).append(each)
    merged = [together(each) for each in rounds.values()]
    return Report(
        [
            each
            for attack in dict.fromkeys(attack for attack, _ in rounds)
            for each in compared(attack, merged)
        ],
        [f"{phase.attack}, {phase.kind}: {each}" for phase in merged for each in phase.samples.failures],
        merged,
        dict(incomplete or {}),
    )


def compared(attack: str, phases: Sequence[Phase]) -> Iterator[Compared]:
    """Each probe beside `attack`, against all phases alone and the neutral load of the same size."""
    of_attack = {each.kind: each.samples.seconds for each in phases if each.attack == attack}
    alone = Samples.of_all(each.samples for each in phases if each.kind == ALONE).seconds
    if ATTACK not in of_attack:
        return
    for probe in of_attack[ATTACK] | alone:
        if probe != ONE_REQUEST:
            yield Compared(
                attack,
                probe,
                times(alone.get(probe, [])),
                times(of_attack.get(NEUTRAL, {}).get(probe, [])),
                times(of_attack[ATTACK].get(probe, [])),
            )


def part_lines(attack: str, phases: Sequence[Phase]) -> Iterator[str]:
    """The p95 of each part of the probes, in all three kinds of phases."""
    parts = {each.kind: each.samples.parts for each in phases if each.attack == attack}
    for part in dict.fromkeys(part for kind in (ALONE, NEUTRAL, ATTACK) for part in parts.get(kind, ())):
        figures = (p95(parts.get(kind, {}).get(part, [])) for kind in (ALONE, NEUTRAL, ATTACK))
        yield PART_COLUMNS.format(attack, part, *(f"{each:.3f}s" for each in figures))


def p95(seconds: Sequence[float]) -> float:
    """Never more than the longest: few samples of a slow probe are not extrapolated."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else (*seconds, NEVER)[0]
