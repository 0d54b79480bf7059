"""Bar 11: searches against the same searches in their former form, their growth, and against VictoriaLogs.

Run in a separate process (`python -m bench.searches EVENTS_A_DAY`), whose CPU is the engine's and ours: from
the request's body to the JSON of the response, without HTTP. Counts are in bench.counts, the
peer in bench.peer_searches.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bench.answers import finder
from bench.counts import count_bars
from bench.in_process import EmbeddedEngine, embedded_engine
from bench.measuring import Bar, bar, in_turns
from bench.peer_searches import peer_bars
from bench.search_tables import ALL_DAYS, DAYS, EVENTS_A_DAY, LAST_DAY, METHOD, ROUNDS, tables
from bench.victorialogs import binary
from functions.shared.warehouse import Warehouse

SEARCHES: dict[str, dict[str, Any]] = {
    "latest 100": {},
    "latest 1,000": {"limit": 1000},
    "last 100 errors": {"levels": ["error"]},
    "latest 100 of a service": {"services": ["checkout"]},
    "a common word": {"q": "for"},
    "a value in metadata": {"query": 'region:"eu-west-1"'},
}


def bars(events_a_day: int = EVENTS_A_DAY) -> Iterator[Bar]:
    """The rows of bar 11, measured in a separate process."""
    command = [sys.executable, "-m", "bench.searches", str(events_a_day)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield from map(json.loads, process.stdout)
    if process.wait():
        raise RuntimeError("the search bench failed")


def measured(room: EmbeddedEngine, events_a_day: int) -> Iterator[Bar]:
    """All rows, one after the other."""
    for each in _compared(*tables(room, events_a_day)):
        yield {**each, "method": f"{events_a_day:,} events a day, {each['method']}"}


def _compared(day: Warehouse, week: Warehouse) -> Iterator[Bar]:
    for name, asked in SEARCHES.items():
        yield _against_two_passes(f"{name}, 24 h of {DAYS} days", week, {**LAST_DAY, **asked})
    for name in ("latest 100", "last 100 errors", "latest 100 of a service"):
        yield _against_two_passes(f"{name} of {DAYS} days", week, {**ALL_DAYS, **SEARCHES[name]})
    for name, asked in SEARCHES.items():
        yield _growth(name, day, week, {**LAST_DAY, **asked})
    yield from count_bars(day, week)
    if program := binary():
        yield from peer_bars(week, program)


def _against_two_passes(what: str, table: Warehouse, body: dict[str, Any]) -> Bar:
    ours, former = finder(table, body), finder(table, body, one_pass=False)
    found = in_turns({"ours": ours, "peer": former}, ROUNDS)
    if json.loads(ours())["events"] != json.loads(former())["events"]:
        raise RuntimeError(f"{what}: two forms of a page differ")
    return bar("11", f"{what}: one pass against two", found["ours"], found["peer"], 1.1, METHOD, "CPU s")


def _growth(name: str, day: Warehouse, week: Warehouse, body: dict[str, Any]) -> Bar:
    found = in_turns({"ours": finder(week, body), "peer": finder(day, body)}, ROUNDS)
    what = f"{name}: 24 h of {DAYS} days against 24 h alone"
    return bar("11 growth", what, found["ours"], found["peer"], 1.2, METHOD, "CPU s")


if __name__ == "__main__":
    with embedded_engine() as here:
        for each in measured(here, int(sys.argv[1])):
            print(json.dumps(each), flush=True)
