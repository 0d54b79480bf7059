"""Templates and their numbers as ClickHouse counted them, estimated for all rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.compile.templates import MAX_TEMPLATE_BYTES, MAX_TEMPLATES
from functions.query.results.statistics import EngineStatistics
from functions.query.templates.merge import TemplateCount
from functions.shared.warehouse import UnusableAnswerError

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_TEMPLATE_CHARACTERS = 2000
"""Four times what our statement reads of a message."""


class TemplateRow(Struct):
    """A row of functions.query.compile.templates.template_counts."""

    c0: Annotated[str, Meta(max_length=MAX_TEMPLATE_CHARACTERS)]
    c1: Annotated[str, Meta(pattern=r"^[0-9]{0,20}$")]
    c2: int | str
    c3: Annotated[list[str], Meta(max_length=3)]
    c4: int | str


class TemplateRows(Struct):
    """The decoded answer; the row without a hash has the number of all rows."""

    data: list[TemplateRow]
    statistics: EngineStatistics


NO_TEMPLATES = TemplateRows([TemplateRow("", "", 0, [], 0)], EngineStatistics(0, 0.0))
"""The answer of a store without a table."""

_TEMPLATES = msgspec.json.Decoder(TemplateRows)


@dataclass(frozen=True, slots=True)
class RangeCounts:
    """The rows of a range in one store, how many of them are in the sample, and its templates."""

    rows: int
    sampled: int
    templates: Sequence[TemplateRow]

    @property
    def weight(self) -> float:
        """The rows for which one of the sample stands."""
        return self.rows / self.sampled if self.sampled else 1.0


def decode_templates(content: bytes) -> TemplateRows:
    """The templates of an answer.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or more than was asked for.
    """
    if len(content) > MAX_ANSWER_BYTES:
        raise UnusableAnswerError("the answer is longer than the templates of messages may be")
    try:
        found = _TEMPLATES.decode(content)
        for row in found.data:
            row.c2, row.c4 = int(row.c2), int(row.c4)
            for timestamp in row.c3:
                times.from_engine(timestamp)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no templates of messages") from None
    size = sum(len(row.c0) for row in found.data)
    sound = all(int(row.c2) >= 0 and int(row.c4) >= 0 for row in found.data)
    if (
        sum(not row.c1 for row in found.data) != 1
        or len(found.data) > MAX_TEMPLATES + 1
        or size > MAX_TEMPLATE_BYTES
        or not sound
    ):
        raise UnusableAnswerError("the answer has other templates than were asked for")
    return found


def range_counts(found: TemplateRows) -> RangeCounts:
    """What the rows of an answer say."""
    total = next(row for row in found.data if not row.c1)
    templates = [row for row in found.data if row.c1]
    sampled = int(templates[0].c4) if templates else 0
    return RangeCounts(max(int(total.c2), sampled), sampled, templates)


def all_templates(now: Sequence[RangeCounts], before: Sequence[RangeCounts]) -> list[TemplateCount]:
    """The templates of all stores in both ranges, most frequent first, within the limits of one statement."""
    found: dict[str, TemplateCount] = {}
    for counts, current in ((now, True), (before, False)):
        for store in counts:
            for row in store.templates:
                known = found.setdefault(row.c0, TemplateCount(row.c0, row.c1))
                estimated = int(row.c2) * store.weight
                if current:
                    known.now += estimated
                else:
                    known.before += estimated
                known.times += sorted({*map(times.from_engine, row.c3)} - {*known.times})
    ordered = sorted(found.values(), key=lambda each: (-max(each.now, each.before), each.text))
    return _within_limits(ordered)


def _within_limits(templates: Sequence[TemplateCount]) -> list[TemplateCount]:
    kept: list[TemplateCount] = []
    left = MAX_TEMPLATE_BYTES
    for each in templates[:MAX_TEMPLATES]:
        left -= len(each.text)
        if left < 0:
            break
        kept.append(each)
    return kept
