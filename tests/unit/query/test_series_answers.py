"""Histograms and fields: what is bound, and what an answer of a customer's server may not be."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.query.counting.counted_fields import counted_statement, decode_counted
from functions.query.counting.intervals import INTERVALS, MAX_BUCKETS, auto_interval, bucket_starts, width_ns
from functions.query.fields import (
    decode_sample,
    decode_size,
    fields_request,
    sample_statement,
    size_statement,
)
from functions.query.histogram import (
    bucket_statement,
    decode_counts,
    decode_values,
    histogram_request,
    value_statement,
)
from functions.query.times import NANOSECONDS
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

POISON = "x') OR 1=1 -- {p0:String}"
DAY_NS = 86_400 * NANOSECONDS
STATISTICS = {"rows_read": 1, "elapsed": 0.1}
ZONES = [UTC, *map(ZoneInfo, ("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"))]
MOMENTS = st.integers(0, int(datetime(2040, 1, 1, tzinfo=UTC).timestamp()) * NANOSECONDS)


@pytest.mark.parametrize("tenant", ["acme", "beta"])
def test_every_statement_reads_its_tenants_rows_and_binds_its_texts(tenant: str) -> None:
    body = {"query": f'"{POISON}"', "services": [POISON], "time_zone": "Europe/Berlin"}
    counted = histogram_request(json.dumps({**body, "split_by": f"`{POISON}`"}).encode())
    assert counted.split_by
    listed = fields_request(json.dumps({**body, "fields": [f"`{POISON}`"]}).encode())
    by_hours = fields_request(json.dumps({"services": [POISON], "fields": ["level", "service"]}).encode())
    for each in (
        value_statement(counted, counted.split_by, TenantId(tenant)),
        bucket_statement(counted, TenantId(tenant), [POISON, None, "b"]),
        size_statement(listed, TenantId(tenant)),
        sample_statement(listed, TenantId(tenant), 5),
        counted_statement(by_hours, TenantId(tenant)),
    ):
        assert "1=1" not in each.sql
        assert each.sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == each.sql.count(
            "FROM events"
        )
        assert each.parameters["tenant_id"] == tenant


@given(since=MOMENTS, length=st.integers(1, 1100 * DAY_NS), interval=st.sampled_from(INTERVALS))
def test_buckets_are_adjacent_aligned_and_contain_the_range(since: int, length: int, interval: Any) -> None:
    starts, width = bucket_starts(interval, since, since + length), width_ns(interval)
    if starts is None:
        assert length > (MAX_BUCKETS - 1) * width
        return
    assert starts == list(range(starts[0], starts[0] + len(starts) * width, width))
    assert starts[0] % width == 0
    assert starts[0] <= since < starts[0] + width
    assert starts[-1] < since + length <= starts[-1] + width
    assert len(starts) <= MAX_BUCKETS


@given(since=MOMENTS, days=st.integers(1, 900), zone=st.sampled_from(ZONES))
def test_days_of_a_zone_begin_on_each_of_its_dates(since: int, days: int, zone: Any) -> None:
    starts = bucket_starts("1d", since, since + days * DAY_NS, zone)
    assert starts
    assert starts[0] <= since < [*starts, since + days * DAY_NS][1]
    dates = [datetime.fromtimestamp(start // NANOSECONDS, zone).date() for start in starts]
    assert dates == [dates[0] + timedelta(days=at) for at in range(len(dates))]
    for start, day in zip(starts, dates, strict=True):
        assert datetime.fromtimestamp(start // NANOSECONDS - 1, zone).date() < day


@given(since=MOMENTS, length=st.integers(40 * NANOSECONDS, 190 * DAY_NS))
def test_auto_makes_a_number_of_buckets_that_a_chart_can_show(since: int, length: int) -> None:
    starts = bucket_starts(auto_interval(since, since + length), since, since + length)
    assert starts
    assert 38 <= len(starts) <= 193


@pytest.mark.parametrize(("length_s", "interval"), [(900, "10s"), (7 * 86_400, "3h"), (30 * 86_400, "12h")])
def test_auto_takes_sixty_to_a_hundred_and_twenty_buckets_where_it_can(length_s: int, interval: str) -> None:
    assert auto_interval(0, length_s * NANOSECONDS) == interval


@pytest.mark.parametrize(
    "row",
    [
        {"c0": 6, "c1": 1},
        {"c0": -1, "c1": 1},
        {"c0": "0", "c1": 1},
        {"c0": 0, "c1": -1},
        {"c0": 0, "c1": "x"},
        {"c0": 0},
    ],
)
def test_counts_of_buckets_or_groups_that_do_not_exist_are_no_answer(row: Any) -> None:
    fine = {"c0": 5, "c1": "7"}
    assert [(each.c0, each.c1) for each in decode_counts(_answer(fine), 3, 1).data] == [(5, "7")]
    with pytest.raises(UnusableAnswerError):
        decode_counts(_answer(fine, row), 3, 1)


@pytest.mark.parametrize(
    ("decode", "content"),
    [
        (decode_values, [{"c0": "a", "c1": -1}]),
        (decode_values, [{"c0": "a", "c1": "many"}]),
        (decode_values, [{"c0": "a", "c1": 1}] * 1001),
        (decode_size, []),
        (decode_size, [{"c0": 1, "c1": 10_001}]),
        (decode_size, [{"c0": -1, "c1": 0}]),
        (decode_sample, [{"timestamp": "yesterday"}]),
        (
            decode_sample,
            [dict.fromkeys(("level", "service", "project_id", "trace_id", "span_id", "metadata"), "")],
        ),
    ],
)
def test_any_other_answer_of_a_server_is_no_answer(decode: Any, content: Any) -> None:
    with pytest.raises(UnusableAnswerError):
        decode(_answer(*content))
    with pytest.raises(UnusableAnswerError):
        decode(b"<html>")


COUNTED = fields_request(b'{"fields": ["level", "service"], "values": 2}')
COUNTED_ROW = {"c0": 1, "c1": "api", "c2": "2", "c3": 1, "c4": 2, "c5": 3}


def test_counts_of_fields_may_be_written_as_text() -> None:
    found = decode_counted(_answer(COUNTED_ROW), COUNTED)
    assert [(row.c0, row.c1, row.c2) for row in found.data] == [(1, "api", 2)]


@pytest.mark.parametrize(
    "rows",
    [
        [{**COUNTED_ROW, "c0": 2}],
        [{**COUNTED_ROW, "c0": -1}],
        [{**COUNTED_ROW, "c1": None}],
        [{**COUNTED_ROW, "c2": -1}],
        [{**COUNTED_ROW, "c2": 4}],
        [{**COUNTED_ROW, "c3": 3}],
        [{**COUNTED_ROW, "c4": 4}],
        [{**COUNTED_ROW, "c5": "many"}],
        [COUNTED_ROW] * 5,
        [{**COUNTED_ROW, "c1": "x" * 20_000_000}],
    ],
)
def test_other_counts_of_fields_are_no_answer(rows: Any) -> None:
    with pytest.raises(UnusableAnswerError):
        decode_counted(_answer(*rows), COUNTED)
    with pytest.raises(UnusableAnswerError):
        decode_counted(b"<html>", COUNTED)


def _answer(*rows: Any) -> bytes:
    return json.dumps({"data": rows, "statistics": STATISTICS}).encode()
