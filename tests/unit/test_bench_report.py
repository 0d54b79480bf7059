"""docs/performance.md and its chart say what bench/results.json has."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from bench.report import CHART, PAGE, RESULTS, bars_text, blocks, chart, protocols_text, with_results


def bar(number: str, what: str, ratio: float, limit: float | None) -> dict[str, Any]:
    return {
        "bar": number,
        "what": what,
        "ours": ratio,
        "peer": 1.0,
        "unit": "s",
        "ratio": ratio,
        "limit": limit,
        "method": "",
    }


SOME = {
    "measured_on": "2026-11-30",
    "python": "3.11.7",
    "engine": "chdb 4",
    "architecture": "x86_64",
    "cores": 2,
    "bars": [
        bar("1", "a & b < c", 3.0, 2.0),
        bar("2", "held", 0.5, 2.0),
        bar("6 drain", "not judged", 9.0, None),
        bar("16", "ingest core: slow", 9.0, None),
        bar("16", "ingest core: fast", 1.0, None),
    ],
}


def test_the_page_and_its_chart_are_those_of_the_results() -> None:
    page = PAGE.read_text()
    assert with_results(page, blocks()) == page, "run: python -m bench.report"
    assert CHART.read_text() == chart(json.loads(RESULTS.read_text())), "run: python -m bench.report"
    assert f"]({CHART.name})" in page


def test_each_bar_has_its_verdict() -> None:
    verdicts = [line.split(" | ")[-1].strip(" |") for line in bars_text(SOME).splitlines()[4:]]
    assert verdicts == ["**missed**", "ok", ""]


def test_a_bar_has_its_ratio_of_before_and_a_new_one_has_none() -> None:
    heading, _, *rows = bars_text(SOME, {"1": "4.0"}).splitlines()[2:]
    assert "Before" in heading
    assert [line.split(" | ")[5] for line in rows] == ["4.0", "–", "–"]


def test_protocols_are_listed_the_fastest_first() -> None:
    assert protocols_text(SOME).splitlines()[2:] == ["| fast | 1.0 |", "| slow | 9.0 |"]


def test_the_chart_has_the_judged_bars_as_shares_of_their_limits() -> None:
    drawn = ET.fromstring(chart(SOME))  # noqa: S314 - our own text
    kind = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in drawn.iter(f"{kind}text")]
    assert texts == ["limit", "1  a & b < c", "1.50", "2  held", "0.25"]
    bars = list(drawn.iter(f"{kind}rect"))
    assert [each.attrib["class"] for each in bars] == ["missed", "ok"]
    assert float(bars[0].attrib["width"]) == 6 * float(bars[1].attrib["width"])


def test_a_page_without_a_place_for_the_results_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a block"):
        with_results("# Performance\n", {"bars": bars_text(SOME)})
