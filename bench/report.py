"""`python -m bench.report`: writes what was measured into docs/performance.md and its chart.

`make bench`, `make bench-large` and `make bench-memory` run it, and a test holds the page against the files.
"""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from bench.measuring import Bar
from bench.memory_curve import memory_text
from bench.table import is_missed

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results.json"
LARGE_RESULTS = RESULTS.with_name("results-large.json")
MEMORY = RESULTS.with_name("memory.json")
FORMER = RESULTS.with_name("former.json")
"""Ratios by bar as they were measured before the work on speed began."""
PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance-bars.svg"

Results = Mapping[str, Any]

WIDTH, ROW, TOP, LABEL, FIGURE, SCALE, HIGHEST = 940, 22, 34, 560, 36, 160, 2.0
"""Of the chart, in pixels; SCALE is the length of a bar at its limit, HIGHEST the longest in limits."""

_STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #1f2328 }
    .ok { fill: #1a7f37 } .missed { fill: #b35900 } .limit { stroke: #59636e; stroke-dasharray: 3 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .ok { fill: #3fb950 } .missed { fill: #d29922 } .limit { stroke: #9198a1 }
    }
"""


def write() -> None:
    """Write the page and the chart from the results."""
    results = json.loads(RESULTS.read_text())
    PAGE.write_text(with_results(PAGE.read_text(), blocks()))
    CHART.write_text(chart(results))


def blocks() -> dict[str, str]:
    """The generated parts of the page by name."""
    results, large, former, memory = (
        json.loads(each.read_text()) for each in (RESULTS, LARGE_RESULTS, FORMER, MEMORY)
    )
    return {
        "bars": bars_text(results, former["ratios"]),
        "large": bars_text(large),
        "protocols": protocols_text(results),
        "memory": memory_text(memory),
    }


def with_results(page: str, blocks: Mapping[str, str]) -> str:
    """`page` with what stands between its marks made anew: `<!-- bench: name -->` to `<!-- /bench -->`."""
    for name, text in blocks.items():
        begin, end = f"<!-- bench: {name} -->\n", "<!-- /bench -->"
        before, begun, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise ValueError(f"{PAGE.name} needs a block from {begin!r} to {end!r}")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def bars_text(results: Results, former: Mapping[str, str] | None = None) -> str:
    """The circumstances of the run, and a table of all bars but those of single protocols.

    `former`: ratios of before by bar, for a column of their own.
    """
    before, right = ("", "") if former is None else (" Before |", "---:|")
    lines = [
        f"Measured on {results['measured_on']}: {results['cores']} cores, {results['architecture']}, "
        f"Python {results['python']}, {results['engine']}.",
        "",
        f"| Bar | What | Ours | Peer | |{before} Ratio | Limit | |",
        f"|---|---|---:|---:|---|{right}---:|---:|---|",
        *(_row(each, former) for each in results["bars"] if not _is_of_a_protocol(each)),
    ]
    return "\n".join(lines) + "\n"


def protocols_text(results: Results) -> str:
    """A table of the protocols by the time of an event, the fastest first."""
    found = sorted(filter(_is_of_a_protocol, results["bars"]), key=lambda each: float(each["ours"]))
    rows = [f"| {each['what'].partition(': ')[2]} | {each['ours']:.1f} |" for each in found]
    return "\n".join(["| Protocol | µs |", "|---|---:|", *rows]) + "\n"


def chart(results: Results) -> str:
    """An SVG with a line for each bar that has a limit: how much of the limit is used."""
    judged = [each for each in results["bars"] if each["limit"] is not None]
    height = TOP + ROW * len(judged) + 8
    at = LABEL + SCALE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Each bar of {results["measured_on"]} as a share of its limit">\n'
        f"  <style>{_STYLE}  </style>\n"
        f'  <text x="{at}" y="18" text-anchor="middle">limit</text>\n'
        f'  <line class="limit" x1="{at}" y1="24" x2="{at}" y2="{height - 4}"/>\n'
        f"{''.join(_drawn(each, TOP + ROW * number) for number, each in enumerate(judged))}</svg>\n"
    )


def _is_of_a_protocol(bar: Bar) -> bool:
    return bar["bar"] == "16" and bar["limit"] is None


def _row(bar: Bar, former: Mapping[str, str] | None) -> str:
    limit = "–" if bar["limit"] is None else f"{bar['limit']:g}"
    verdict = "" if bar["limit"] is None else "**missed**" if is_missed(bar) else "ok"
    figures = f"{_figure(bar['ours'])} | {_figure(bar['peer'])} | {bar['unit']}"
    before = "" if former is None else f" {former.get(bar['bar'], '–')} |"
    return f"| {bar['bar']} | {bar['what']} | {figures} |{before} {bar['ratio']:.3g} | {limit} | {verdict} |"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _drawn(bar: Bar, top: int) -> str:
    share = bar["ratio"] / bar["limit"]
    length = min(share, HIGHEST) * SCALE
    kind = "missed" if is_missed(bar) else "ok"
    # The figure stands behind the bar, and not on the line of the limit.
    figure_at = LABEL + (SCALE if SCALE - FIGURE < length < SCALE else length) + 6
    label = escape(f"{bar['bar']}  {bar['what']}")
    return (
        f'  <text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">{label}</text>\n'
        f'  <rect class="{kind}" x="{LABEL}" y="{top + 4}" width="{length:.1f}" height="{ROW - 8}" rx="2"/>\n'
        f'  <text x="{figure_at:.1f}" y="{top + 15}">{share:.2f}</text>\n'
    )


if __name__ == "__main__":
    write()
