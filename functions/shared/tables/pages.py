"""Pagination: the only place that follows DynamoDB's LastEvaluatedKey."""

from collections.abc import Callable, Iterator
from typing import Any

LAST_EVALUATED_KEY = "LastEvaluatedKey"

Start = dict[str, Any]
"""The opaque position after which a page begins."""

Answer = dict[str, Any]


def next_start(answer: Answer) -> Start | None:
    """Where the page after `answer` begins; None when there is none."""
    return answer.get(LAST_EVALUATED_KEY)


def pages(ask: Callable[[Start | None], Answer], start: Start | None = None) -> Iterator[Answer]:
    """All pages from `start` on; `ask` reads the one that begins at its argument."""
    while True:
        answer = ask(start)
        yield answer
        start = next_start(answer)
        if start is None:
            return
