"""The cost of a search: what the engine reports of each statement, and what a response shows. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from functions.shared.warehouse import UnusableAnswerError


class EngineStatistics(Struct):
    """`statistics` of an answer in FORMAT JSON: uncompressed bytes; `elapsed` in seconds."""

    rows_read: int
    elapsed: float
    bytes_read: int = 0


class SearchStats(Struct):
    """The cost of a search, of all its statements in all stores.

    `partial` is always false: a search that reaches a limit fails instead of returning a part of its result.
    """

    rows_read: int
    bytes_read: int
    elapsed_ms: float
    partial: Literal[False] = False


@dataclass(frozen=True, slots=True)
class SearchCost:
    """Rows and bytes read, and the engine's time."""

    rows_read: int = 0
    bytes_read: int = 0
    elapsed_ms: float = 0.0

    def then(self, later: "HasCost") -> "SearchCost":
        """The cost of this and `later`, one after the other."""
        return SearchCost(
            self.rows_read + later.rows_read,
            self.bytes_read + later.bytes_read,
            self.elapsed_ms + later.elapsed_ms,
        )

    def beside(self, other: "HasCost") -> "SearchCost":
        """The cost of this and `other` at the same time."""
        return SearchCost(
            self.rows_read + other.rows_read,
            self.bytes_read + other.bytes_read,
            max(self.elapsed_ms, other.elapsed_ms),
        )


class HasStatistics(Protocol):
    """A decoded answer of the engine."""

    statistics: EngineStatistics


class HasCost(Protocol):
    """A result with its cost."""

    @property
    def rows_read(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def elapsed_ms(self) -> float: ...


class _StatisticsAnswer(Struct):
    statistics: EngineStatistics


_ANSWER = msgspec.json.Decoder(_StatisticsAnswer)


def cost_of(statistics: EngineStatistics) -> SearchCost:
    """The cost that the engine reports."""
    return SearchCost(statistics.rows_read, statistics.bytes_read, statistics.elapsed * 1000)


def cost_of_steps(steps: Iterable[Sequence[HasStatistics]]) -> SearchCost:
    """The cost of steps one after the other, each of which runs in all stores at the same time."""
    total = SearchCost()
    for step in steps:
        together = SearchCost()
        for each in step:
            together = together.beside(cost_of(each.statistics))
        total = total.then(together)
    return total


def rows_read_in(content: bytes) -> int:
    """The rows that the engine read for the answer `content`.

    Raises
    ------
    UnusableAnswerError: the answer does not say it.
    """
    try:
        return _ANSWER.decode(content).statistics.rows_read
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no statistics") from None


def stats_of(cost: HasCost) -> SearchStats:
    """The cost as a response shows it: the `stats` of every route of search."""
    return SearchStats(cost.rows_read, cost.bytes_read, round(cost.elapsed_ms, 3))
