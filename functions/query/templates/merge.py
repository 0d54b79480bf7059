"""Merge templates of messages into patterns: templates of as many words, of which most are equal. Pure.

This is the idea of the parser Drain: a template is compared with few patterns only, those of as many words
with the same first or the same last word. Templates come most frequent first, and the result depends on
nothing else. The time is bounded by the words of all templates times 2 * MAX_SIMILAR comparisons.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import eq

from functions.query.compile.templates import WILD

MIN_SIMILARITY = 0.7
"""The share of words without WILD that are equal."""

MAX_SIMILAR = 16
"""Patterns of one length with the same first, or the same last word, that a template is compared with."""

MAX_MEMBERS = 5

_EDGE = re.compile(r"[^0-9A-Za-z]")
_WILD_RUN = re.compile(f"{WILD}+")


@dataclass(slots=True)
class TemplateCount:
    """A template, its hash in the engine, and its estimated number of events now and before.

    `times`: of some events with it, in nanoseconds since 1970.
    """

    text: str
    hash: str
    now: float = 0.0
    before: float = 0.0
    times: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Pattern:
    """Merged templates; `members` are the most frequent of them."""

    words: list[str]
    now: float
    before: float
    members: list[TemplateCount]
    _compared: Sequence[str | None] = ()
    _literals: int = 0

    def __post_init__(self) -> None:
        self._settle()

    @property
    def text(self) -> str:
        """The template, with WILD for what varies."""
        return _WILD_RUN.sub(WILD, " ".join(self.words))

    def similarity(self, words: Sequence[str], literals: int) -> float:
        """The share of the words that are equal; two templates without any are not similar."""
        equal: int = sum(map(eq, self._compared, words))
        return equal / max(literals, self._literals, 1)

    def add(self, found: TemplateCount, words: Sequence[str]) -> None:
        """Merge a template of as many words."""
        self.now, self.before = self.now + found.now, self.before + found.before
        if len(self.members) < MAX_MEMBERS:
            self.members.append(found)
        if self.words != words:
            both = zip(self.words, words, strict=True)
            self.words = [one if one == other else _merged(one, other) for one, other in both]
            self._settle()

    def _settle(self) -> None:
        self._compared = [None if word == WILD else word for word in self.words]
        self._literals = len(self.words) - self.words.count(WILD)


def patterns_of(templates: Iterable[TemplateCount]) -> list[Pattern]:
    """The patterns of `templates`, which come most frequent first."""
    patterns: list[Pattern] = []
    similar: dict[tuple[int, str, str], list[Pattern]] = {}
    for found in templates:
        words = found.text.split(" ")
        literals = len(words) - words.count(WILD)
        ends = ((len(words), "first", words[0]), (len(words), "last", words[-1]))
        best = _most_similar([each for end in ends for each in similar.get(end, ())], words, literals)
        if best is not None:
            best.add(found, words)
            continue
        made = Pattern(words, found.now, found.before, [found])
        patterns.append(made)
        for end in ends:
            listed = similar.setdefault(end, [])
            if len(listed) < MAX_SIMILAR:
                listed.append(made)
    return patterns


def _most_similar(patterns: Sequence[Pattern], words: Sequence[str], literals: int) -> Pattern | None:
    """The first of the most similar patterns; None when none is similar enough."""
    best, share = None, 0.0
    for each in patterns:
        reached = each.similarity(words, literals)
        if reached >= MIN_SIMILARITY and reached > share:
            best, share = each, reached
    return best


def _merged(one: str, other: str) -> str:
    """The word with WILD for what differs, between edges of parts that both have: `uid=<*>`, `(<*>)`."""
    start = one[: _alike(one, other)]
    rest = min(len(one), len(other)) - len(start)
    same = _alike(one[::-1][:rest], other[::-1][:rest])
    end = one[len(one) - same :]
    start = start[: max((match.end() for match in _EDGE.finditer(start)), default=0)]
    edge = _EDGE.search(end)
    return f"{start}{WILD}{end[edge.start() :] if edge else ''}"


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    both = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in both if a != b), min(len(one), len(other)))
