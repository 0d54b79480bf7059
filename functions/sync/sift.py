"""Which of many things the warehouse refuses: halves, and halves of halves, down to the culprits."""

from collections.abc import Callable, Sequence


def refused(things: Sequence[bytes], accepts: Callable[[Sequence[bytes]], bool]) -> list[int]:
    """The positions in `things` of those that `accepts` refuses, in order.

    `accepts` is asked of several at once and must say no exactly when one of them is bad; k bad ones among n
    cost about 2·k·log2(n) questions.
    """
    if not things or accepts(things):
        return []
    if len(things) == 1:
        return [0]
    middle = len(things) // 2
    left = refused(things[:middle], accepts)
    right = refused(things[middle:], accepts)
    return left + [middle + position for position in right]
