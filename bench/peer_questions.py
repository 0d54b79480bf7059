"""The questions of bar 11 in the words of both products: requests of our API, and LogsQL.

Metadata are fields of VictoriaLogs with a prefix, and a service is a stream, which is its fastest form.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bench.counts import UNALIGNED
from bench.search_tables import ALL_DAYS, DAYS, FIRST, LAST_DAY

PAGE_EVENTS = 100
HALF_A_DAY = {**LAST_DAY, "to": f"{FIRST + timedelta(days=DAYS - 1, hours=12):%Y-%m-%dT%H:%M:%SZ}"}
MINUTES = {**HALF_A_DAY, "interval": "1m", "split_by": "level", "groups": 20}
"""A histogram has at most 1,000 buckets."""
_HEX = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Page:
    """A search of 24 hours in the words of both, and the highest ratio allowed."""

    name: str
    ours: Mapping[str, Any]
    theirs: str
    limit: float
    events: int = PAGE_EVENTS


@dataclass(frozen=True, slots=True)
class Count:
    """A count in the words of both; `named` are columns of the peer's answer: keys, and the count last."""

    name: str
    ours: Mapping[str, Any]
    theirs: str
    limit: float
    named: tuple[str, ...]


COUNTS = (
    Count(
        f"level counts, whole hours, {DAYS} days",
        {**ALL_DAYS, "query": "* | stats count() by level"},
        "* | stats by (level) count() n",
        3,
        ("level", "n"),
    ),
    Count(
        f"level counts, unaligned, {DAYS - 1} days",
        {**UNALIGNED, "query": "* | stats count() by level"},
        "* | stats by (level) count() n",
        3,
        ("level", "n"),
    ),
    Count(
        f"top services, {DAYS} days",
        {**ALL_DAYS, "query": "* | top 10 service"},
        "* | top 10 by (service)",
        3,
        ("service", "hits"),
    ),
    Count(
        "top values of a key in metadata, 24 h",
        {**LAST_DAY, "query": "* | top 10 region"},
        '* | top 10 by ("metadata.region")',
        4,
        ("metadata.region", "hits"),
    ),
    Count(
        "events that match an expression, 24 h",
        {**LAST_DAY, "query": "/timed out after [0-9]+/ | stats count()"},
        '~"timed out after [0-9]+" | stats count() n',
        4,
        ("n",),
    ),
)


def pages(one: Mapping[str, Any]) -> list[Page]:
    """The pages; `one` is an event that some of them search for, with its metadata."""
    request, user = one["request_id"], one["user_id"]
    return [
        Page("a value in metadata", {"query": 'region:"eu-west-1"'}, '"metadata.region":="eu-west-1"', 1.0),
        Page("a key in metadata exists", {"query": "user_id:*"}, '"metadata.user_id":*', 1.0),
        Page("a range on a promoted key", {"query": "duration_ms:>900"}, '"metadata.duration_ms":>900', 1.0),
        Page("a common word", {"q": "for"}, '"for"', 1.0),
        Page("a phrase", {"query": '"timed out after"'}, '"timed out after"', 1.0),
        Page("last 100 errors", {"levels": ["error"]}, 'level:="error"', 1.0),
        Page("latest 100 of a service", {"services": ["checkout"]}, '{service="checkout"}', 0.5),
        Page("latest 100", {}, "*", 0.5),
        Page("latest 1,000", {"limit": 1000}, "*", 0.5, 1000),
        Page("a range on a plain key", {"query": "status:>=500"}, '"metadata.status":>=500', 2),
        Page("a part of a word", {"query": "msg:*ection rese*"}, '~"ection rese"', 3),
        Page("a needle", {"q": one["hex"]}, f'"{one["hex"]}"', 6),
        Page("a trace id", {"trace_id": one["trace_id"]}, f'trace_id:="{one["trace_id"]}"', 6),
        Page(
            "a request_id in metadata",
            {"query": f'request_id:"{request}"'},
            f'"metadata.request_id":="{request}"',
            6,
        ),
        Page("a user_id in metadata", {"query": f'user_id:"{user}"'}, f'"metadata.user_id":="{user}"', 6),
    ]


def example(message: str, trace_id: str, metadata: str) -> Mapping[str, Any]:
    """What identifies an event: the hexadecimal word of `message`, the trace, and its metadata."""
    found = _HEX.search(message)
    assert found
    return {"hex": found[0], "trace_id": trace_id, **json.loads(metadata)}


def within(body: Mapping[str, Any], query: str) -> str:
    """`query`, which is LogsQL, of the events from `body`'s `from` up to its `to`."""
    since, until = (each if "T" in each else f"{each}T00:00:00Z" for each in (body["from"], body["to"]))
    return f"_time:[{since}, {until}) {query}"
