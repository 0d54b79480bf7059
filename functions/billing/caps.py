"""The caps that customers set themselves: which are near, which are reached, and what their owner is told.

A soft cap only tells; a hard cap also stops new logs until the period is over or the cap is raised
(functions.billing.entitlements). Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.billing.book import Book
from functions.shared.plans import GIGABYTE

WARN_AT_PERCENT = (80, 100)


@dataclass(frozen=True, slots=True)
class CapNotice:
    """A mail; the same `notice_id` is sent once, so the same cap warns once a period at each mark."""

    notice_id: str
    kind: str
    title: str
    text: str


def due_notices(book: Book, used_bytes: int, period_start: int) -> list[CapNotice]:
    """What the account is to be told at `used_bytes`: of each cap the highest mark that is reached."""
    return [
        _notice(name, cap, percent, used_bytes, period_start)
        for name, cap in (("soft", book.soft_cap_bytes), ("hard", book.hard_cap_bytes))
        if cap is not None
        for percent in _reached(used_bytes, cap)
    ]


def _reached(used_bytes: int, cap_bytes: int) -> Iterator[int]:
    marks = [percent for percent in WARN_AT_PERCENT if used_bytes * 100 >= cap_bytes * percent]
    yield from marks[-1:]


def _notice(name: str, cap_bytes: int, percent: int, used_bytes: int, period_start: int) -> CapNotice:
    reached = percent >= WARN_AT_PERCENT[-1]
    title = f"Your {name} cap is reached" if reached else f"{percent} % of your {name} cap are used"
    return CapNotice(
        notice_id=f"cap-{name}-{percent}-{cap_bytes}-{period_start}",
        kind=f"billing_{name}_cap",
        title=title,
        text=f"This period {_gb(used_bytes)} of logs were stored; your {name} cap is {_gb(cap_bytes)}. "
        f"{_follows(name, reached=reached)} GET /v1/usage shows the days, PATCH /v1/billing changes the cap.",
    )


def _follows(name: str, *, reached: bool) -> str:
    if name == "soft":
        return "Nothing else follows: a soft cap only tells, logs are taken as before."
    if reached:
        return (
            "New logs are refused with 402 until the period is over or you raise the cap. What is stored "
            "stays, and searching goes on."
        )
    return "When it is reached, new logs are refused with 402; what is stored stays, and searching goes on."


def _gb(raw_bytes: int) -> str:
    return f"{raw_bytes / GIGABYTE:.1f} GB"
