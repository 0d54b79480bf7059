"""The benchmarks against VictoriaLogs say when they are skipped; with the binary they are run on few events.

Bar 11 runs in a process of its own, because a process has one engine.
"""

import pytest

from bench.__main__ import main
from bench.peer_questions import COUNTS, within
from bench.victorialogs import SKIPPED, VARIABLE, binary
from tests.measured import cost_of

EVENTS_A_DAY = 20_000
PAGES = 15
HISTOGRAMS = 1


def compared(program: str) -> list[str]:
    """The rows of bar 11 against the server of `program`; each has found the same on both sides."""
    from pathlib import Path

    from bench.in_process import embedded_engine
    from bench.peer_searches import peer_bars
    from bench.search_tables import tables

    with embedded_engine() as room:
        _, week = tables(room, EVENTS_A_DAY)
        return [each["what"] for each in peer_bars(week, Path(program))]


def test_without_the_peer_its_rows_are_left_out_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(["--only", "9", "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "[]\n"
    assert SKIPPED in printed.err.splitlines()


def test_a_question_has_the_same_range_of_time_for_both() -> None:
    assert within({"from": "2026-11-01", "to": "2026-11-02T00:10:00Z"}, "*") == (
        "_time:[2026-11-01T00:00:00Z, 2026-11-02T00:10:00Z) *"
    )


# The peer is not part of the project: docs/performance.md says how to build it.
@pytest.mark.skipif(binary() is None, reason=SKIPPED)
def test_both_find_the_same() -> None:
    cost = cost_of(
        "tests.integration.test_bench_victorialogs:compared", {"program": str(binary())}, memory_mb=4096
    )
    assert len(set(cost.result)) == PAGES + HISTOGRAMS + len(COUNTS)
