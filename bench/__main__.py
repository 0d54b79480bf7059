"""`make bench`: measures every bar, prints the table, writes bench/results.json.

    python -m bench [--only 1,3 | --large] [--json] [--report]

Exit status 1 if a bar is missed, unless `--report`. `--only` takes numbers of bars. Bars that are measured
together are printed together. `--only` does not write results.json, which always holds one complete run.
`--large` measures the searches only, on 11.55 million events, and writes results-large.json. VICTORIALOGS
names the binary of a peer, without which its rows are left out.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import ingest, peer_ingest, protocols, searches, storage, sync, uploads
from bench.measuring import Bar
from bench.search_tables import LARGE_EVENTS_A_DAY
from bench.table import is_missed, table
from bench.victorialogs import SKIPPED, binary

RESULTS = Path(__file__).with_name("results.json")
LARGE_RESULTS = RESULTS.with_name("results-large.json")
SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Measurement:
    """Bars that are measured together."""

    bars: frozenset[int]
    run: Callable[[], Iterator[Bar]]


MEASUREMENTS = (
    Measurement(frozenset({1, 2}), ingest.core_bars),
    Measurement(frozenset({3}), ingest.handler_bar),
    Measurement(frozenset({4}), ingest.import_bars),
    Measurement(frozenset({16}), protocols.bars),
    Measurement(frozenset({5}), sync.share_bars),
    Measurement(frozenset({7}), sync.batching_bars),
    Measurement(frozenset({8}), uploads.bars),
    Measurement(frozenset({6, 10, 12, 13}), storage.bars),
    Measurement(frozenset({9, 10}), peer_ingest.bars),
    Measurement(frozenset({6}), sync.drain_bars),
    Measurement(frozenset({11}), searches.bars),
)
LARGE_MEASUREMENTS = (Measurement(frozenset({11}), partial(searches.bars, LARGE_EVENTS_A_DAY)),)


def main(arguments: list[str]) -> int:
    """Measure the bars that `arguments` select; returns the exit status."""
    asked = _parser().parse_args(arguments)
    if not binary():
        print(SKIPPED, file=sys.stderr, flush=True)
    measurements = LARGE_MEASUREMENTS if asked.large else MEASUREMENTS
    found = [
        _rounded(bar) for each in measurements if _is_wanted(each, asked.only) for bar in _measured(each)
    ]
    if not asked.only:
        (LARGE_RESULTS if asked.large else RESULTS).write_text(
            json.dumps({**_circumstances(), "bars": found}, indent=2, ensure_ascii=False) + "\n"
        )
    print(json.dumps(found, indent=2, ensure_ascii=False) if asked.json else table(found))
    return int(not asked.report and any(map(is_missed, found)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure performance against the bars."
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--only", type=_numbers, metavar="1,3", help="measure only these bars")
    part.add_argument("--large", action="store_true", help="measure searches of 11.55 million events")
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    parser.add_argument("--report", action="store_true", help="exit with 0 even if a bar is missed")
    return parser


def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(",")))


def _is_wanted(measurement: Measurement, only: frozenset[int] | None) -> bool:
    return not only or bool(measurement.bars & only)


def _measured(measurement: Measurement) -> list[Bar]:
    numbers = ", ".join(map(str, sorted(measurement.bars)))
    print(f"measuring {numbers} …", file=sys.stderr, flush=True)
    # The functions under test write their log to standard output.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        return list(measurement.run())


def _rounded(bar: Bar) -> Bar:
    return {
        name: float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value
        for name, value in bar.items()
    }


def _circumstances() -> dict[str, Any]:
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "engine": f"chdb {version('chdb')}",
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
