"""Which results are counted by whole hours: those that need the columns of the projection alone."""

import json
from typing import Any

import pytest

from functions.query import fields, histogram, stats
from functions.query.compile import Statement
from functions.query.compile.counted import hours_of_buckets, hours_of_table
from functions.query.compile.hours import HOUR_NS, WholeHours
from functions.query.language.syntax_tree import EVERYTHING, FieldRef
from functions.query.requests.route_call import Answer, RouteCall
from functions.query.stats import compiled_stats, stats_request
from functions.shared.access import Principal
from functions.shared.tenancy import TenantId

WEEK = {"from": "2026-11-01T00:10:00Z", "to": "2026-11-08T00:10:00Z"}
SINCE, UNTIL = 1_793_491_800 * 10**9, 1_794_096_600 * 10**9
WHOLE = WholeHours(SINCE // HOUR_NS * HOUR_NS + HOUR_NS, UNTIL // HOUR_NS * HOUR_NS)


def hours(query: str, **body: Any) -> WholeHours | None:
    request = stats_request(json.dumps({**WEEK, **body, "query": query}).encode())
    return hours_of_table(request.since, request.until, request.filter, request.pipes)


COUNTED = [
    "* | stats count()",
    "* | stats count() by level",
    "* | stats count() as n, count() as m by project, service, level, bucket(1h)",
    "* | stats count() by bucket(60m)",
    "* | stats count() by bucket(10800s)",
    "* | stats count() by bucket(7d) | sort -count | limit 2 | stats max(count)",
    "-level:debug service:(api* OR /^web/) | where project:shop | top 5 service",
    "* | sort -timestamp | fields message | top level",
    "* | extract /(?P<who>x)/ | stats count() by level",
]
OF_ROWS = [
    "*",
    "* | sort level | limit 5",
    "* | stats count() by bucket(30m)",
    "* | stats count() by bucket(90m)",
    "* | stats count() by level, bucket(1s)",
    "* | stats count(service) by level",
    "* | stats count(), uniq(service)",
    "* | stats max(level)",
    "* | stats count() by trace_id",
    "* | stats count() by region",
    "* | stats count() by @level",
    "* | top 5 service, trace_id",
    "* | limit 5 | stats count() by level",
    "* | dedup level | stats count()",
    "* | extract /(?P<who>x)/ | stats count() by who",
    "* | extract /(?P<who>x)/ | where who:x | stats count()",
    "* | patterns 5",
    "error | stats count()",
    "err* | stats count() by level",
    "msg:/x/ | stats count()",
    "service:api OR @service:api | stats count()",
    "timestamp:>2026-11-02T00:00:00Z | stats count()",
    "* | where region:eu | stats count() by level",
]


@pytest.mark.parametrize("query", COUNTED)
def test_a_table_of_counted_columns_is_counted_by_whole_hours(query: str) -> None:
    assert hours(query) == WHOLE


@pytest.mark.parametrize("query", OF_ROWS)
def test_a_table_that_needs_anything_else_is_made_of_the_rows(query: str) -> None:
    assert hours(query) is None


@pytest.mark.parametrize(
    ("body", "is_counted"),
    [
        ({"to": "2026-11-01T13:00:00Z"}, True),
        ({"to": "2026-11-01T12:59:59Z"}, False),
        ({"from": "2026-11-01T01:00:00.000000001Z", "to": "2026-11-01T13:00:00Z"}, False),
        ({"to": "2107-01-01T00:00:00Z"}, False),
        ({"levels": ["error"], "services": ["api"], "projects": ["shop"]}, True),
        ({"q": "timeout"}, False),
        ({"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}, False),
        ({"where": [{"field": "metadata.region", "op": "eq", "value": "eu"}]}, False),
    ],
)
def test_at_least_twelve_whole_hours_and_conditions_on_counted_columns_are_needed(
    body: dict[str, Any], is_counted: bool
) -> None:
    assert (hours("* | stats count() by level", **body) is not None) is is_counted


@pytest.mark.parametrize(("offset", "is_counted"), [(0, True), (30, False), (45, False), (60, True)])
def test_buckets_that_begin_within_an_hour_of_utc_are_made_of_the_rows(offset: int, is_counted: bool) -> None:
    """As those of India and Nepal."""
    starts = [day * 24 * HOUR_NS + offset * HOUR_NS // 60 for day in range(20_758, 20_766)]
    found = hours_of_buckets(SINCE, UNTIL, EVERYTHING, starts, [FieldRef("column", "level")])
    assert (found == WHOLE) is is_counted


@pytest.mark.parametrize("tenant", ["acme", "beta"])
def test_both_parts_read_the_rows_of_their_tenant(tenant: str) -> None:
    body = {**WEEK, "query": "level:error | where project:shop | top 5 service"}
    found = compiled_stats(stats_request(json.dumps(body).encode()), TenantId(tenant)).statement
    assert found.sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == 2
    assert found.sql.count("events") == 2
    assert found.parameters["tenant_id"] == tenant


@pytest.mark.parametrize(
    ("since", "until", "alone"),
    [
        ("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z", True),
        ("2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", True),
        ("2026-11-01T00:00:00Z", "2026-11-08T00:00:00.000000001Z", False),
        ("2026-11-01T00:10:00Z", "2026-11-08T00:00:00Z", False),
    ],
)
def test_only_whole_hours_of_our_own_table_have_no_edges(since: str, until: str, alone: bool) -> None:
    body = {"from": since, "to": until, "query": "* | top service"}
    request = stats_request(json.dumps(body).encode())
    ours, any_other = (
        hours_of_table(request.since, request.until, request.filter, request.pipes, in_utc=in_utc)
        for in_utc in (True, False)
    )
    assert ours
    assert ours.alone is alone
    assert not (any_other and any_other.alone)


@pytest.mark.parametrize("route", [histogram.answer, stats.answer, fields.answer])
@pytest.mark.parametrize(
    ("plan", "store", "edges"),
    [("managed_30", None, 0), ("byoc", "byoc", 1), ("byoc", "managed", 0)],
)
def test_edges_are_left_out_in_our_clickhouse_alone(
    route: Answer, plan: str, store: str | None, edges: int
) -> None:
    """A customer's table may be in another time zone."""
    selected: list[str] = []

    class AskedError(Exception):
        pass

    def run_in(_store: Any, tenant: str, statement: Statement, *_: Any) -> Any:
        selected.append(statement.sql)
        assert tenant == "acme"
        raise AskedError

    body = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z", "store": store}
    more = {
        histogram.answer: {"interval": "1h", "split_by": "service"},
        stats.answer: {"query": "* | top service"},
        fields.answer: {"fields": ["service"]},
    }[route]
    scopes, until = frozenset({"read"}), 4_000_000_000
    caller = Principal(TenantId("acme"), "k", "p", scopes, 30, 1, "", "key:k", plan, managed_until=until)
    content = json.dumps({**body, **more}).encode()
    call = RouteCall(
        body=content, caller=caller, run_in=run_in, events_of=lambda _: pytest.fail("read"), dry_run=False
    )
    with pytest.raises(AskedError):
        route(call)
    assert [sql.count("UNION ALL") for sql in selected] == [edges]
