"""Bar 11 against VictoriaLogs: pages and counts of the table of seven days.

Ours is CPU from the JSON of a request to the JSON of the response, without HTTP; the peer's is CPU of its
server, HTTP included. `method` has the clock of both. They take turns, and must find the same.
"""
# ruff: noqa: S608 - the statements are of this module alone

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.answers import answerer, finder
from bench.events import expiry
from bench.measuring import Bar, bar, cpu_seconds
from bench.peer_answers import our_buckets, our_rows, our_times, their_buckets, their_rows, their_times
from bench.peer_questions import COUNTS, HALF_A_DAY, MINUTES, Count, Page, example, pages, within
from bench.search_tables import DAYS, FIRST, LAST_DAY, ROUNDS
from bench.victorialogs import VictoriaLogs, victoria_logs
from functions.query import histogram, stats
from functions.shared.warehouse import Warehouse

HOUR = timedelta(hours=1)
_AS_SENT = (
    'concat(\'{"project_id":\', toJSONString(project_id), \',"timestamp":"\', '
    "replaceOne(toString(timestamp), ' ', 'T'), 'Z\",\"level\":', toJSONString(level), "
    "',\"service\":', toJSONString(service), ',\"message\":', toJSONString(message), "
    "',\"trace_id\":', toJSONString(trace_id), ',\"span_id\":', toJSONString(span_id), "
    "',\"metadata\":', metadata, '}')"
)
"""SQL: the JSON of an event as a client sends it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question to both products, one after the other."""

    ours: Callable[[], bytes]
    theirs: Callable[[], bytes]
    server: VictoriaLogs

    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds of CPU and of the clock of both."""
        return {
            "ours": _cost(self.ours, cpu_seconds),
            "theirs": _cost(self.theirs, self.server.cpu_seconds),
        }


def _cost(run: Callable[[], object], cpu: Callable[[], float]) -> tuple[float, float]:
    before, began = cpu(), time.monotonic()
    run()
    return cpu() - before, time.monotonic() - began


def peer_bars(week: Warehouse, program: Path) -> Iterator[Bar]:
    """All rows, of the table of seven days of bench.search_tables."""
    with victoria_logs(program) as server:
        for day in range(DAYS):
            for hour in range(24):
                server.insert(_sent(week, day, hour))
        server.settle()
        for page in pages(_example(week)):
            yield _page_bar(week, server, page)
        yield _histogram_bar(week, server)
        for count in COUNTS:
            yield _count_bar(week, server, count)


def _sent(week: Warehouse, day: int, hour: int) -> bytes:
    """The events of an hour as NDJSON."""
    since = FIRST + timedelta(days=day) + hour * HOUR
    rows = week.select(
        f"SELECT arrayStringConcat(groupArray({_AS_SENT}), '\n') AS sent FROM events "
        "WHERE expires_on = {day:Date} "
        "AND timestamp >= {since:DateTime64(9, 'UTC')} AND timestamp < {until:DateTime64(9, 'UTC')}",
        {"day": _expires(day), "since": _plain(since), "until": _plain(since + HOUR)},
    ).rows
    return str(rows[0]["sent"]).encode()


def _expires(day: int) -> str:
    expires: date = expiry(days=day)
    return expires.isoformat()


def _plain(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _example(week: Warehouse) -> Mapping[str, Any]:
    """An event of the last day that has everything a search for one event may ask for."""
    rows = week.select(
        "SELECT message, trace_id, metadata FROM events WHERE expires_on = {day:Date} "
        "AND service = 'checkout' AND startsWith(message, 'cart ') AND trace_id != '' "
        "AND JSONHas(metadata, 'user_id') ORDER BY timestamp LIMIT 1 OFFSET 100",
        {"day": _expires(DAYS - 1)},
    ).rows
    return example(**rows[0])


def _page_bar(week: Warehouse, server: VictoriaLogs, page: Page) -> Bar:
    query = within(LAST_DAY, page.theirs)
    ours = finder(week, {**LAST_DAY, **page.ours})
    turn = Turn(ours, lambda: server.select("query", query=query, limit=page.events), server)
    what = f"{page.name}, 24 h of {DAYS} days"
    return _row(what, turn, (our_times(ours()), their_times(turn.theirs())), page.limit)


def _histogram_bar(week: Warehouse, server: VictoriaLogs) -> Bar:
    query = within(HALF_A_DAY, "*")
    ours = answerer(week, histogram.answer, MINUTES)
    turn = Turn(ours, lambda: server.select("hits", query=query, step="1m", field="level"), server)
    what = "minute × level histogram of 12 h"
    return _row(what, turn, (our_buckets(ours()), their_buckets(turn.theirs())), 1.0)


def _count_bar(week: Warehouse, server: VictoriaLogs, count: Count) -> Bar:
    query = within(count.ours, count.theirs)
    ours = answerer(week, stats.answer, count.ours)
    turn = Turn(ours, lambda: server.select("query", query=query), server)
    return _row(count.name, turn, (our_rows(ours()), their_rows(turn.theirs(), count.named)), count.limit)


def _row(what: str, turn: Turn, found: tuple[Any, Any], limit: float) -> Bar:
    """The row of `turn`, from ROUNDS rounds after one that warms up.

    Raises
    ------
    RuntimeError: the two have `found` different things, or nothing.
    """
    if found[0] != found[1] or not found[0]:
        raise RuntimeError(f"{what}: VictoriaLogs finds something else: {str(found)[:1000]}")
    cpu, clock = {}, {}
    rounds = [turn.costs() for _ in range(ROUNDS + 1)][1:]
    for name in ("ours", "theirs"):
        cpu[name] = median(each[name][0] for each in rounds)
        clock[name] = median(each[name][1] for each in rounds)
    method = (
        f"medians of {ROUNDS} rounds in turns; "
        f"clock {clock['ours'] * 1000:.1f} ms without HTTP against {clock['theirs'] * 1000:.1f} ms with it"
    )
    return bar("11", f"{what}, against VictoriaLogs", cpu["ours"], cpu["theirs"], limit, method, "CPU s")
