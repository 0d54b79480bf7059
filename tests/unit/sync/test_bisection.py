"""Halving finds every culprit and asks few questions."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from functions.sync.row_quarantine import rejected_positions


@given(st.lists(st.booleans(), max_size=300))
def test_every_rejected_item_is_found_and_no_other(good: list[bool]) -> None:
    things = [b"good" if each else b"bad" for each in good]
    found = rejected_positions(things, lambda some: b"bad" not in some)
    assert found == [position for position, each in enumerate(good) if not each]


def test_one_culprit_among_many_costs_few_questions() -> None:
    asked = 0

    def accepts(some: Sequence[bytes]) -> bool:
        nonlocal asked
        asked += 1
        return b"bad" not in some

    things = [b"good"] * 77_777 + [b"bad"] + [b"good"] * 22_222
    assert rejected_positions(things, accepts) == [77_777]
    assert asked <= 2 * 17 + 1
