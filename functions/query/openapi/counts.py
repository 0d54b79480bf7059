"""Documentation of the routes that count: tables, histograms, fields and patterns; by POST, and by GET."""

from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.query.counting.intervals import Interval
from functions.query.fields import FieldsBody, FieldsPage
from functions.query.histogram import MAX_GROUPS, HistogramBody, HistogramPage
from functions.query.openapi.shapes import EVENT, QUERY_ERRORS, QUERY_PROBLEM, STATS, TIMES
from functions.query.patterns import MAX_PATTERNS, FoundPattern, PatternsBody, PatternsPage
from functions.query.requests.url_bodies import PARAMETERS, POSTED
from functions.query.results.cursor import Store
from functions.query.results.page import FoundEvent
from functions.query.results.statistics import SearchStats
from functions.query.results.table_rows import Cell
from functions.query.stats import StatsBody
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Parameter,
    Reply,
)


class PatternReply(FoundPattern):
    """A pattern of messages; `<*>` in the template stands for what varies.

    `count` is estimated when the sample has not all events; `share` is of all that match. `query` is a filter
    that finds the examples; null when none is proven. `before` is the count in the compared range, and
    `change` is from it to `count`, by the lengths of the ranges; null without one.
    """

    examples: list[FoundEvent]  # type: ignore[assignment]


class PatternsReply(PatternsPage):
    """Patterns, and of how many events; `before_rows` and `before_sampled_rows` are of the compared range."""

    patterns: list[PatternReply]  # type: ignore[assignment]


class StatsColumn(Struct):
    """A column of a table."""

    name: str
    type: Literal["text", "number", "time"]


class StatsTable(Struct):
    """The table that a query makes; `truncated`: it had more rows than a response has."""

    columns: list[StatsColumn]
    rows: list[list[Cell]]
    truncated: bool
    stats: SearchStats


_POSTED_OPERATIONS: Operations = {
    "POST /v1/stats": Operation(
        "stats",
        "Count, group and list events with a query",
        "read",
        {
            200: Reply(
                "A table.",
                StatsTable,
                {
                    "columns": [{"name": "service", "type": "text"}, {"name": "n", "type": "number"}],
                    "rows": [["api", 2]],
                    "truncated": False,
                    "stats": STATS,
                },
            )
        },
        body=Body.json(StatsBody, {"query": "level:error | stats count() as n by service | sort -n"}),
        errors=("unknown_parameter", "two_stores", *QUERY_ERRORS),
        details=QUERY_PROBLEM,
        page="api.md#post-v1stats",
    ),
    "POST /v1/histogram": Operation(
        "countEvents",
        "Count events by time, and by the values of a field",
        "read",
        {
            200: Reply(
                "The counts of each bucket; empty buckets have 0.",
                HistogramPage,
                {
                    "interval": "30m",
                    "from": "2026-11-23T10:00:00Z",
                    "to": "2026-11-23T11:00:00Z",
                    "starts": ["2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z"],
                    "series": [{"value": "error", "counts": [3, 0]}],
                    "other": [10, 0],
                    "total": 13,
                    "stats": STATS,
                },
            )
        },
        body=Body.json(
            HistogramBody, {"query": "service:api", "split_by": "level", "groups": 5}, required=False
        ),
        errors=("unknown_parameter", *QUERY_ERRORS),
        details=QUERY_PROBLEM,
        page="api.md#post-v1histogram",
    ),
    "POST /v1/fields": Operation(
        "listFields",
        "List the fields of events",
        "read",
        {
            200: Reply(
                "The fields of the newest events.",
                FieldsPage,
                {
                    "fields": [
                        {
                            "name": "status",
                            "types": ["number"],
                            "share": 0.98,
                            "distinct": 2,
                            "top": [{"value": 200, "count": 95}, {"value": 500, "count": 3}],
                        }
                    ],
                    "truncated": False,
                    "rows": 100,
                    "sampled_rows": 100,
                    "stats": STATS,
                },
            )
        },
        body=Body.json(
            FieldsBody, {"query": "service:api", "fields": ["status"], "values": 2}, required=False
        ),
        errors=("unknown_parameter", *QUERY_ERRORS),
        details=QUERY_PROBLEM,
        page="api.md#post-v1fields",
    ),
    "POST /v1/patterns": Operation(
        "patterns",
        "Find the templates of messages",
        "read",
        {
            200: Reply(
                "Patterns, the most frequent first, or with two ranges those that changed most.",
                PatternsReply,
                {
                    "patterns": [
                        {
                            "template": "order <*> shipped",
                            "count": 512,
                            "share": 0.4,
                            "query": 'message:"order "*" shipped"',
                            "examples": [EVENT],
                            "before": 498,
                            "change": "same",
                        }
                    ],
                    "rows": 1280,
                    "sampled_rows": 1280,
                    "before_rows": 1210,
                    "before_sampled_rows": 1210,
                    "stats": STATS,
                },
            )
        },
        body=Body.json(
            PatternsBody, {"levels": ["error"], "from": "-1h", "compare_from": "-2h"}, required=False
        ),
        errors=("unknown_parameter", *QUERY_ERRORS),
        details=QUERY_PROBLEM,
        page="api.md#post-v1patterns",
    ),
}

_URL_PARAMETERS: dict[str, Parameter] = {
    each.name: each
    for each in (
        Parameter("q", "A query; that of stats may have pipes.", example="level:>=warn"),
        Parameter("from", f"The first moment; 24 hours before `to` by default. {TIMES}", example="-1h"),
        Parameter("to", f"The moment after the last; now by default. {TIMES}"),
        Parameter("time_zone", "The IANA name of the zone of days and dates; UTC by default."),
        Parameter("store", "One of two stores that have logs of the account.", Store),
        Parameter("interval", "The width of a bucket.", Literal["auto", Interval]),
        Parameter("split_by", "The field whose values are counted."),
        Parameter("groups", "How many values have a series.", Annotated[int, Meta(ge=1, le=MAX_GROUPS)]),
        Parameter("fields", "Names of fields, separated by commas; all by default."),
        Parameter("values", "The most frequent values of a field.", Annotated[int, Meta(ge=0, le=100)]),
        Parameter("limit", "How many patterns.", Annotated[int, Meta(ge=1, le=MAX_PATTERNS)]),
        Parameter("compare_from", f"The first moment of a second range. {TIMES}"),
        Parameter("compare_to", "Its end; by default it is as long as the first range."),
    )
}


def _in_url(route: str) -> Operation:
    """The operation of POSTED with its body as parameters of the URL."""
    whole = _POSTED_OPERATIONS[POSTED[route]]
    return replace(
        whole,
        id=f"{whole.id}ByUrl",
        summary=f"{whole.summary}, by parameters in the URL",
        body=None,
        parameters=tuple(_URL_PARAMETERS[name] for name in PARAMETERS[route]),
        errors=("invalid_<field>", *(each for each in whole.errors if each not in INVALID_BODY)),
    )


OPERATIONS: Operations = {**_POSTED_OPERATIONS, **{route: _in_url(route) for route in POSTED}}
