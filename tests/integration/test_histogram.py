"""Histograms of the real engine against counts in plain Python: one store, both stores, two tenants."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.in_process import embedded_engine
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.query_requests import QueryRequests

BEGIN = datetime(2026, 10, 24, 21, 17, tzinfo=UTC)
SPAN_SECONDS = 3 * 86_400
"""Around the end of summer time in Europe, on 2026-10-25."""

RANGE = {"from": "2026-10-24T21:17:00Z", "to": "2026-10-27T21:17:00Z"}
TENANTS = ("acme", "globex")
LEVELS = ("info", "info", "info", "warn", "error")
ROWS = 3000

Logged = dict[str, Any]


def generate_events(seed: int) -> list[Logged]:
    """Events with a rare level, a field that some lack, and one of many values."""
    random = Random(seed)
    return [
        {
            "at": BEGIN + timedelta(seconds=random.randrange(SPAN_SECONDS), microseconds=number),
            "level": random.choice(LEVELS),
            "metadata": {
                "many": number,
                "none": None,
                **({"user": random.choice(["ada", "bob", "", 7])} if random.random() < 0.7 else {}),
            },
        }
        for number in range(ROWS)
    ]


EVENTS = {(tenant, store): generate_events(at) for at, (tenant, store) in enumerate(
    (tenant, store) for tenant in TENANTS for store in ("ours", "own")
)}  # fmt: skip


def row(tenant: str, logged: Logged) -> bytes:
    at = f"{logged['at']:%Y-%m-%d %H:%M:%S.%f}000"
    return staged(json.dumps(logged["metadata"]), tenant_id=tenant, level=logged["level"], timestamp=at)


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Warehouse, dict[str, Warehouse]]]:
    with embedded_engine() as engine:
        ours = engine.database("ours")
        own = {tenant: engine.database(f"own_{tenant}") for tenant in TENANTS}
        for (tenant, store), logged in EVENTS.items():
            into = ours if store == "ours" else own[tenant]
            load(into, [row(tenant, each) for each in logged], f"{tenant}-{store}")
        yield ours, own


@pytest.fixture
def requests(
    databases: tuple[Warehouse, dict[str, Warehouse]], monkeypatch: pytest.MonkeyPatch
) -> QueryRequests:
    return QueryRequests(monkeypatch, *databases)


def events(tenant: str, *stores: str) -> list[Logged]:
    return [each for store in stores for each in EVENTS[tenant, store]]


def counts(logged: list[Logged], starts: list[str]) -> list[int]:
    """The events in each bucket."""
    times = [datetime.fromisoformat(start) for start in starts]
    found: Counter[int] = Counter()
    for each in logged:
        found[sum(start <= each["at"] for start in times) - 1] += 1
    return [found[at] for at in range(len(times))]


def shown(logged: Logged, field: str) -> str | None:
    value = logged["level"] if field == "level" else logged["metadata"].get(field)
    return value if value is None or isinstance(value, str) else str(value)


CASES = [
    ("managed_30", {}, ("ours",)),
    ("byoc", {}, ("own", "ours")),
    ("byoc", {"store": "byoc"}, ("own",)),
    ("byoc", {"store": "managed"}, ("ours",)),
]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "named", "stores"), CASES)
@pytest.mark.parametrize("interval", ["30m", "1h", "3h", "12h", "1d", "auto"])
def test_each_bucket_counts_the_events_of_its_tenant_in_its_time(
    requests: QueryRequests, tenant: str, plan: str, named: Any, stores: tuple[str, ...], interval: str
) -> None:
    status, result = requests.post("/v1/histogram", tenant, plan, interval=interval, **RANGE, **named)
    assert status == 200, result
    assert result["series"] == [{"value": None, "counts": counts(events(tenant, *stores), result["starts"])}]
    assert (result["other"], result["total"]) == (None, ROWS * len(stores))
    assert result["stats"]["rows_read"] >= ROWS


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "named", "stores"), CASES)
@pytest.mark.parametrize("field", ["level", "user", "many", "none", "absent"])
def test_a_split_has_the_most_frequent_values_and_the_rest_together(
    requests: QueryRequests, tenant: str, plan: str, named: Any, stores: tuple[str, ...], field: str
) -> None:
    logged = events(tenant, *stores)
    body = {**RANGE, **named, "interval": "3h", "split_by": field, "groups": 2}
    status, result = requests.post("/v1/histogram", tenant, plan, **body)
    assert status == 200, result
    totals = Counter(shown(each, field) for each in logged)
    best = sorted(totals, key=lambda value: (-totals[value], value is None, value or ""))[:2]
    assert [each["value"] for each in result["series"]] == best
    for each in result["series"]:
        expected = [event for event in logged if shown(event, field) == each["value"]]
        assert each["counts"] == counts(expected, result["starts"])
    others = [each for each in logged if shown(each, field) not in best]
    assert result["other"] == counts(others, result["starts"])
    assert result["total"] == len(logged)


@pytest.mark.parametrize("tenant", TENANTS)
def test_levels_take_one_statement_and_other_fields_two(
    requests: QueryRequests,
    databases: tuple[Warehouse, dict[str, Warehouse]],
    monkeypatch: pytest.MonkeyPatch,
    tenant: str,
) -> None:
    statements: list[str] = []
    select = databases[0].select_json

    def counting(sql: str, *arguments: Any) -> bytes:
        statements.append(sql)
        return select(sql, *arguments)

    monkeypatch.setattr(databases[0], "select_json", counting)
    for field, number in ((None, 1), ("level", 1), ("user", 2)):
        statements.clear()
        assert requests.post("/v1/histogram", tenant, split_by=field, **RANGE)[0] == 200
        assert len(statements) == number


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("groups", [1, 3, 20])
def test_a_table_of_a_customer_may_have_levels_of_its_own(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]], tenant: str, groups: int
) -> None:
    own = [{"at": BEGIN + timedelta(hours=hour), "level": level, "metadata": {}}
           for hour in range(40) for level in ("notice", "notice", "")]  # fmt: skip
    databases[1][tenant].command("CREATE TABLE kept AS events")
    databases[1][tenant].command("INSERT INTO kept SELECT * FROM events")
    load(databases[1][tenant], [row(tenant, each) for each in own], "own levels")
    body = {**RANGE, "interval": "1h", "split_by": "level", "groups": groups}
    try:
        status, result = requests.post("/v1/histogram", tenant, "byoc", **body)
    finally:
        databases[1][tenant].command("EXCHANGE TABLES kept AND events")
        databases[1][tenant].command("DROP TABLE kept")
    assert status == 200, result
    logged = [*events(tenant, "own", "ours"), *own]
    totals = Counter(each["level"] for each in logged)
    best = sorted(totals, key=lambda level: (-totals[level], level))[:groups]
    assert [each["value"] for each in result["series"]] == best
    for each in result["series"]:
        wanted = [event for event in logged if event["level"] == each["value"]]
        assert each["counts"] == counts(wanted, result["starts"])
    rest = [event for event in logged if event["level"] not in best]
    assert result["other"] == counts(rest, result["starts"])


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_days_start_at_midnight_of_the_time_zone(requests: QueryRequests, zone: str) -> None:
    _, result = requests.post("/v1/histogram", interval="1d", time_zone=zone, **RANGE)
    local = [datetime.fromisoformat(start).astimezone(ZoneInfo(zone)) for start in result["starts"]]
    assert {(each.hour, each.minute) for each in local} == {(0, 0)}
    assert len({each.date() for each in local}) == len(local) >= 4
    assert result["series"][0]["counts"] == counts(events("acme", "ours"), result["starts"])


@pytest.mark.parametrize("first_day", ["2026-10-24", "2026-10-23", "2026-10-25"])
@pytest.mark.parametrize("field", [None, "level"])
def test_the_last_bucket_has_all_25_hours_of_the_day_on_which_the_clock_goes_back(
    requests: QueryRequests, first_day: str, field: str | None
) -> None:
    body = {"from": first_day, "to": "2026-10-26", "time_zone": "Europe/Berlin", "interval": "1d"}
    status, result = requests.post("/v1/histogram", split_by=field, **body)
    assert status == 200, result
    end = datetime(2026, 10, 25, 23, tzinfo=UTC)
    within = [
        each for each in events("acme", "ours") if datetime.fromisoformat(result["from"]) <= each["at"] < end
    ]
    assert any(each["at"] >= end - timedelta(hours=1) for each in within)
    assert [sum(each) for each in zip(*(every["counts"] for every in result["series"]), strict=True)] == (
        counts(within, result["starts"])
    )


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_day_may_begin_before_1970(requests: QueryRequests, zone: str) -> None:
    body = {"from": 0, "to": "1970-01-20T00:00:00Z", "time_zone": zone, "interval": "1d"}
    status, result = requests.post("/v1/histogram", **body)
    assert (status, result.get("total")) == (200, 0), result
    assert result["starts"][0].startswith("1969-12-31T")


def test_a_filter_and_empty_buckets_are_kept(requests: QueryRequests) -> None:
    body: dict[str, Any] = {
        "from": "2026-10-20T00:00:00Z",
        "to": RANGE["to"],
        "interval": "1h",
        "levels": ["error"],
    }
    _, result = requests.post("/v1/histogram", query="user:ada", **body)
    wanted = [
        each
        for each in events("acme", "ours")
        if each["level"] == "error" and each["metadata"].get("user") == "ada"
    ]
    assert result["series"][0]["counts"][:96] == [0] * 96
    assert result["series"][0]["counts"] == counts(wanted, result["starts"])
    assert result["total"] == len(wanted) > 0


def test_an_empty_range_has_no_buckets(requests: QueryRequests) -> None:
    status, result = requests.post("/v1/histogram", **{"from": RANGE["to"], "to": RANGE["to"]})
    assert (status, result["starts"], result["total"]) == (200, [], 0)


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"interval": "1s", **RANGE}, "invalid_interval", "259,200 buckets of 1s, more than 1,000"),
        ({"interval": "1d", "from": "1970-01-01T00:00:00Z"}, "invalid_interval", "narrow 'from' and 'to'"),
        ({"interval": "2h"}, "invalid_interval", "auto"),
        ({"split_by": "timestamp"}, "invalid_split_by", "must not be timestamp"),
        ({"split_by": "a b"}, "invalid_split_by", "in backticks"),
        ({"split_by": ".".join("a" * 17)}, "invalid_split_by", "16 parts"),
        ({"groups": 21}, "invalid_groups", "from 1 to 20"),
        ({"levels": ["errr"]}, "invalid_levels", "one of trace, debug"),
        ({"query": "a | limit 5"}, "invalid_query", "pipes belong to POST"),
        ({"time_zone": "Mars/Base"}, "invalid_time_zone", "Europe/Berlin"),
        ({"time_zone": "../../etc/passwd"}, "invalid_time_zone", "Europe/Berlin"),
        ({"store": "byoc"}, "invalid_store", "must be managed"),
        ({"limit": 5}, "unknown_field", "Allowed fields: from, to"),
    ],
)
def test_what_a_histogram_does_not_take_is_an_error_that_says_what_it_takes(
    requests: QueryRequests, body: Any, code: str, said: str
) -> None:
    status, result = requests.post("/v1/histogram", **body)
    assert (status, result["code"]) == (400, code)
    assert said in result["error"]


def test_a_hundred_thousand_values_have_twenty_groups_and_a_small_answer(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    long = "x" * 2000
    rows = [
        staged(json.dumps({"id": f"{number}-{long if number < 500 else ''}"}), tenant_id="wide")
        for number in range(100_000)
    ]
    load(databases[0], rows, "wide")
    body: dict[str, Any] = {
        "from": "2026-11-01T11:30:00Z",
        "to": "2026-11-01T12:30:00Z",
        "interval": "5s",
        "groups": 20,
    }
    status, result = requests.post("/v1/histogram", "wide", split_by="id", **body)
    assert status == 200, result
    assert (len(result["series"]), sum(result["other"]), result["total"]) == (20, 99_980, 100_000)
    assert all(len(each["value"]) <= 256 for each in result["series"])
    assert len(json.dumps(result)) < 100_000


def test_a_day_of_seven_reads_the_granules_of_that_day(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    granule, day_rows = 8192, 2 * 8192
    for day in range(1, 8):
        rows = [
            staged(
                tenant_id="week",
                service=f"s{number % 2}",
                timestamp=f"{datetime(2026, 11, day) + timedelta(seconds=number)}.0",
            )
            for number in range(day_rows)
        ]
        load(databases[0], rows, f"week-{day}")
    databases[0].command("SYSTEM START MERGES events")
    databases[0].command("OPTIMIZE TABLE events FINAL")
    databases[0].command("SYSTEM STOP MERGES events")
    counted: dict[str, Any] = {"from": "2026-11-04", "to": "2026-11-05", "interval": "1h"}
    status, hours = requests.post("/v1/histogram", "week", **counted)
    assert (status, hours["total"]) == (200, day_rows)
    assert hours["stats"]["rows_read"] <= day_rows / 10
    body = {**counted, "q": "hello"}
    status, result = requests.post("/v1/histogram", "week", **body)
    assert (status, result["total"]) == (200, day_rows)
    # Each of two services may begin and end within a granule.
    assert result["stats"]["rows_read"] <= day_rows + 4 * granule
    _, whole = requests.post("/v1/histogram", "week", **{**body, "from": "2026-11-01", "to": "2026-11-08"})
    assert (whole["total"], whole["stats"]["rows_read"] >= 7 * day_rows) == (7 * day_rows, True)
    assert result["stats"]["rows_read"] < whole["stats"]["rows_read"] / 2
