"""Find the items that ClickHouse rejects, by bisection."""

from collections.abc import Callable, Sequence


def rejected_positions(things: Sequence[bytes], accepts: Callable[[Sequence[bytes]], bool]) -> list[int]:
    """The positions of the items in `things` that `accepts` rejects, in order.

    `accepts` gets several items at once and must return False exactly when one of them is bad; k bad items
    among n cost about 2·k·log2(n) calls.
    """
    if not things or accepts(things):
        return []
    if len(things) == 1:
        return [0]
    middle = len(things) // 2
    left = rejected_positions(things[:middle], accepts)
    right = rejected_positions(things[middle:], accepts)
    return left + [middle + position for position in right]
