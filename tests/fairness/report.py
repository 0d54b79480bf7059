"""What was measured, and the verdict: alone, beside an attack, and beside a neutral load."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from tests.fairness.probes import ONE_REQUEST, Samples

MAX_RATIO = 2.0
NOISE_SECONDS = 0.25
"""What a probe may take longer whatever the ratio: a search alone takes a few hundredths of a second here,
and two cores serve the engine, all functions and the attacker."""

NEVER = 1_000_000.0
ALONE, NEUTRAL, ATTACK = "alone", "neutral load", "attack"

COLUMNS = "{:<18}{:<24}{:>8}{:>9}{:>8}{:>10}{:>10}  {}"


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured in one phase; `kind` is ALONE, NEUTRAL or ATTACK.

    `answers`: what the attacker was answered. `busy_seconds`: processor time that all processes used in one
    second, of `processors`; `attackers_seconds`: the part of it that the attacker's own process used.
    """

    attack: str
    kind: str
    samples: Samples
    answers: Counter[str] = field(default_factory=Counter)
    busy_seconds: float = 0.0
    attackers_seconds: float = 0.0
    processors: int = 1

    def p95(self, probe: str) -> float:
        """Seconds; NEVER when it did not succeed once."""
        return p95(self.samples.seconds.get(probe, []))

    @property
    def work(self) -> int:
        """How often the second tenant did something."""
        return sum(len(each) for each in self.samples.seconds.values())

    def line(self) -> str:
        """How the time of a file and a search is divided, and how much of the machine is left for them."""
        parts = ", ".join(
            f"{part} {p95(seconds):.3f}s" for part, seconds in sorted(self.samples.parts.items())
        )
        busy = self.busy_seconds / self.processors
        return f"{self.attack:<18}{self.kind:<14}p95: {parts}; processors {busy:.0%} busy"


@dataclass(frozen=True, slots=True)
class Compared:
    """The p95 of one probe in seconds. `neutral`: beside a load of equal size that is not the service's."""

    attack: str
    probe: str
    alone: float
    neutral: float
    beside: float

    @property
    def longest(self) -> float:
        """What the promise permits."""
        return max(MAX_RATIO * self.alone, self.alone + NOISE_SECONDS)

    @property
    def is_within(self) -> bool:
        """Whether the promise holds on this machine."""
        return self.beside <= self.longest

    @property
    def is_fair(self) -> bool:
        """Whether it holds without the time that the busy processors alone explain."""
        return self.beside - max(0.0, self.neutral - self.alone) <= self.longest

    def line(self) -> str:
        verdict = "" if self.is_within else "over 2x: the processors" if self.is_fair else "UNFAIR"
        times = (f"{each:.2f}s" for each in (self.alone, self.neutral, self.beside))
        ratios = (f"{self.beside / each:.2f}" for each in (self.alone, self.neutral))
        return COLUMNS.format(self.attack, self.probe, *times, *ratios, verdict).rstrip()


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons, and every failure of the second tenant."""

    compared: list[Compared]
    failures: list[str]
    phases: list[Phase]

    @property
    def is_fair(self) -> bool:
        return not self.failures and all(each.is_fair for each in self.compared)

    def lines(self) -> Iterator[str]:
        yield COLUMNS.format(
            "attack", "probe", "alone", "neutral", "beside", "/ alone", "/ neutral", ""
        ).rstrip()
        yield from (each.line() for each in self.compared)
        yield from (each.line() for each in self.phases)
        yield from (f"{each.attack}: {dict(each.answers)}" for each in self.phases if each.answers)
        yield from self.failures


def compared(attack: str, phases: Sequence[Phase]) -> Iterator[Compared]:
    """Each probe beside `attack`, against all phases alone and the neutral load of the same size."""
    of_attack = {each.kind: each for each in phases if each.attack == attack}
    alone = Samples()
    for phase in phases:
        for probe, seconds in phase.samples.seconds.items() if phase.kind == ALONE else ():
            for one in seconds:
                alone.add(probe, one)
    for probe in of_attack[ATTACK].samples.seconds | alone.seconds:
        if probe != ONE_REQUEST:
            yield Compared(
                attack,
                probe,
                p95(alone.seconds.get(probe, [])),
                of_attack[NEUTRAL].p95(probe),
                of_attack[ATTACK].p95(probe),
            )


def p95(seconds: Sequence[float]) -> float:
    """Never more than the longest: few samples of a slow probe are not extrapolated."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else (*seconds, NEVER)[0]
