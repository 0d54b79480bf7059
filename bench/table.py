"""Format bars as a table."""

from bench.measuring import Bar

HEADINGS = ("bar", "what", "ours", "peer", "unit", "ratio", "limit", "verdict")
_NUMBERS = frozenset({"ours", "peer", "ratio", "limit"})


def is_missed(bar: Bar) -> bool:
    """Whether `bar` is judged and its ratio is above the limit."""
    return bar["limit"] is not None and bar["ratio"] > bar["limit"]


def table(bars: list[Bar]) -> str:
    """`bars` in aligned columns under headings, one line each."""
    lines = [HEADINGS, *map(_cells, bars)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def _cells(bar: Bar) -> tuple[str, ...]:
    return (
        bar["bar"],
        bar["what"],
        f"{bar['ours']:,.4g}",
        f"{bar['peer']:,.4g}",
        bar["unit"],
        f"{bar['ratio']:.3g}",
        "–" if bar["limit"] is None else f"{bar['limit']:g}",
        _verdict(bar),
    )


def _verdict(bar: Bar) -> str:
    if bar["limit"] is None:
        return "–"
    return "MISSED" if is_missed(bar) else "ok"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    aligned = (
        cell.rjust(width) if heading in _NUMBERS else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, cells, widths, strict=True)
    )
    return "  ".join(aligned).rstrip()
