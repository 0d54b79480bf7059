"""Fields of the real engine against a summary in plain Python: one store, both stores, two tenants."""

import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.query_requests import QueryRequests

RANGE = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
TENANTS = ("acme", "globex")
ROWS = 400
COLUMNS = ("level", "service", "project_id", "trace_id", "span_id")
CASES = [
    ("managed_30", {}, ("ours",)),
    ("byoc", {}, ("own", "ours")),
    ("byoc", {"store": "byoc"}, ("own",)),
]

Logged = dict[str, Any]


def generate_events(seed: int) -> list[Logged]:
    random = Random(seed)
    return [
        {
            "service": random.choice(["api", "web", ""]),
            "metadata": {
                "status": random.choice([200, 200.0, 500, "500", None]),
                "ok": random.choice([True, 1, False]),
                "tags": ["eu"],
                "http": {"path": f"/{random.randrange(9)}", "size": number},
                "odd name": "x" * 300,
                "level": f"seed{seed}",
                "empty": {},
                **({"http.path": "flat"} if random.random() < 0.1 else {}),
                **({"rare": "é"} if random.random() < 0.2 else {}),
            },
        }
        for number in range(ROWS)
    ]


EVENTS = {(tenant, store): generate_events(seed) for seed, (tenant, store) in enumerate(
    (tenant, store) for tenant in TENANTS for store in ("ours", "own")
)}  # fmt: skip


def row(tenant: str, logged: Logged, number: int) -> bytes:
    at = f"2026-11-01 12:{number // 60:02d}:{number % 60:02d}.000000000"
    return staged(json.dumps(logged["metadata"]), tenant_id=tenant, service=logged["service"], timestamp=at)


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Warehouse, dict[str, Warehouse]]]:
    with embedded_engine() as engine:
        ours = engine.database("ours")
        own = {tenant: engine.database(f"own_{tenant}") for tenant in TENANTS}
        for (tenant, store), logged in EVENTS.items():
            into = ours if store == "ours" else own[tenant]
            load(into, [row(tenant, each, at) for at, each in enumerate(logged)], f"{tenant}-{store}")
        yield ours, own


@pytest.fixture
def requests(
    databases: tuple[Warehouse, dict[str, Warehouse]], monkeypatch: pytest.MonkeyPatch
) -> QueryRequests:
    return QueryRequests(monkeypatch, *databases)


def values(logged: list[Logged], name: str) -> list[Any]:
    """The values of a field, in the events that have it."""
    nested = {"http.path": ("http", "path"), "http.size": ("http", "size")}
    found: list[Any] = []
    for each in logged:
        metadata = each["metadata"]
        if name == "service":
            found += [each["service"]] if each["service"] else []
        elif name in metadata:
            found.append(metadata[name])
        elif name in nested:
            first, second = nested[name]
            found.append(metadata[first][second])
    return found


def typed(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def expected(logged: list[Logged], name: str, shown: str, top: int) -> dict[str, Any]:
    found = values(logged, name)
    scalars = [each for each in found if not isinstance(each, list | dict)]
    counts = Counter((typed(each), each) for each in scalars)
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0][0], str(item[0][1])))
    short = [(key, count) for key, count in best if len(str(key[1])) <= 256]
    return {
        "name": shown,
        "types": sorted(set(map(typed, found))),
        "share": round(len(found) / len(logged), 4),
        "distinct": len(counts),
        "counts": sorted(count for _, count in short[:top]),
        "values": {
            (kind, str(float(value)) if kind == "number" else str(value)) for (kind, value), _ in best
        },
    }


def checked(entry: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare an entry; of values that are equally frequent any may be among the top ones."""
    assert {key: entry[key] for key in ("name", "types", "share", "distinct")} == {
        key: wanted[key] for key in ("name", "types", "share", "distinct")
    }
    assert sorted(each["count"] for each in entry["top"]) == wanted["counts"]
    kinds = [(typed(each["value"]), each["value"]) for each in entry["top"]]
    texts = {(kind, str(float(value)) if kind == "number" else str(value)) for kind, value in kinds}
    assert len(texts) == len(kinds)
    assert texts <= wanted["values"]


NAMES = {
    "status": "status", "ok": "ok", "tags": "tags", "http.path": "http.path", "http.size": "http.size",
    "odd name": "`odd name`", "level": "@level", "empty": "empty", "rare": "rare", "service": "service",
}  # fmt: skip


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "named", "stores"), CASES)
def test_each_field_of_the_tenants_events_has_its_types_share_and_values(
    requests: QueryRequests, tenant: str, plan: str, named: Any, stores: tuple[str, ...]
) -> None:
    status, result = requests.post("/v1/fields", tenant, plan, values=5, **RANGE, **named)
    assert status == 200, result
    logged = [each for store in stores for each in EVENTS[tenant, store]]
    assert (result["rows"], result["sampled_rows"], result["truncated"]) == (len(logged), len(logged), False)
    entries = {each["name"]: each for each in result["fields"]}
    assert entries.keys() == {*NAMES.values(), *COLUMNS}
    for name, shown in NAMES.items():
        checked(entries[shown], expected(logged, name, shown, 5))
    assert result["stats"]["rows_read"] >= len(logged)


@pytest.mark.parametrize("tenant", TENANTS)
def test_named_fields_come_in_their_order_and_absent_ones_are_empty(
    requests: QueryRequests, tenant: str
) -> None:
    names = ["http.path", "service", "http", "absent", "`odd name`", "http.path"]
    status, result = requests.post("/v1/fields", tenant, fields=names, values=3, query="rare:*", **RANGE)
    assert status == 200, result
    logged = [each for each in EVENTS[tenant, "ours"] if "rare" in each["metadata"]]
    assert [each["name"] for each in result["fields"]] == names[:-1]
    first, second, nested, absent, odd = result["fields"]
    checked(first, expected(logged, "http.path", "http.path", 3))
    checked(second, expected(logged, "service", "service", 3))
    assert (nested["types"], nested["share"], nested["top"]) == (["object"], 1.0, [])
    assert absent == {"name": "absent", "types": [], "share": 0.0, "distinct": 0, "top": []}
    assert (odd["distinct"], odd["top"]) == (1, [])
    assert result["rows"] == len(logged)


def test_each_discovered_name_can_be_searched_split_and_named(requests: QueryRequests) -> None:
    _, result = requests.post("/v1/fields", **RANGE)
    for entry in result["fields"]:
        name, events = entry["name"], round(entry["share"] * ROWS)
        _, counted = requests.post("/v1/histogram", split_by=name, query=f"{name}:*", **RANGE)
        assert counted["total"] == events, name
        _, again = requests.post("/v1/fields", fields=[name], **RANGE)
        assert again["fields"] == [entry]


def test_no_events_have_fields_of_no_share(requests: QueryRequests) -> None:
    for plan in ("managed_30", "byoc"):
        for named in ({}, {"fields": ["level", "project_id"]}):
            status, result = requests.post("/v1/fields", "initech", plan, store="managed", **named, **RANGE)
            assert (status, result["rows"], result["sampled_rows"]) == (200, 0, 0)
            assert {(each["share"], each["distinct"]) for each in result["fields"]} == {(0.0, 0)}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"fields": ["timestamp"]}, "invalid_fields", "'fields[0]' must not be timestamp"),
        ({"fields": ["a", "msg"]}, "invalid_fields", "'fields[1]' must not be message"),
        ({"fields": ["a|b"]}, "invalid_fields", "in backticks"),
        ({"fields": ["a"] * 51}, "invalid_fields", "at most 50"),
        ({"values": 101}, "invalid_values", "from 0 to 100"),
        ({"levels": ["errr"]}, "invalid_levels", "one of trace, debug"),
        ({"query": "a | limit 5"}, "invalid_query", "pipes belong to POST"),
        ({"sample": 5}, "unknown_field", "Allowed fields: from, to"),
    ],
)
def test_what_fields_do_not_take_is_an_error_that_says_what_they_take(
    requests: QueryRequests, body: Any, code: str, said: str
) -> None:
    status, result = requests.post("/v1/fields", **body)
    assert (status, result["code"]) == (400, code)
    assert said in result["error"]


def test_the_sample_is_the_newest_rows_and_says_how_many(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    rows = [
        staged(
            json.dumps({"new": number >= 2000}),
            tenant_id="large",
            timestamp=f"2026-11-01 {number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000000000",
        )
        for number in range(12_000)
    ]
    load(databases[0], rows, "large")
    for since in ("2026-11-01T00:00:00Z", "2026-10-01T00:30:00Z"):
        status, result = requests.post("/v1/fields", "large", **{**RANGE, "from": since})
        assert (status, result["rows"], result["sampled_rows"]) == (200, 12_000, 10_000)
        (new,) = [each for each in result["fields"] if each["name"] == "new"]
        assert new["top"] == [{"value": True, "count": 10_000}]
    status, result = requests.post("/v1/fields", "large", fields=["level", "service"], **RANGE)
    assert (status, result["rows"], result["sampled_rows"]) == (200, 12_000, 12_000)
    assert [each["top"] for each in result["fields"]] == [
        [{"value": value, "count": 12_000}] for value in ("info", "gateway")
    ]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "named", "stores"), CASES)
def test_level_service_and_project_alone_are_the_same_as_among_other_fields(
    requests: QueryRequests, tenant: str, plan: str, named: Any, stores: tuple[str, ...]
) -> None:
    body = {"values": 2, **RANGE, **named}
    status, result = requests.post("/v1/fields", tenant, plan, fields=["service", "level"], **body)
    _, among = requests.post("/v1/fields", tenant, plan, fields=["service", "level", "trace_id"], **body)
    assert status == 200, result
    assert result["fields"] == among["fields"][:2]
    assert (result["rows"], result["sampled_rows"]) == (among["rows"], among["sampled_rows"])
    logged = [each for store in stores for each in EVENTS[tenant, store]]
    assert result["rows"] == len(logged)
    checked(result["fields"][0], expected(logged, "service", "service", 2))
    if len(stores) == 1:
        assert result["stats"]["rows_read"] < among["stats"]["rows_read"]


@pytest.mark.parametrize(("tenant", "fields"), [("acme", ["service"]), ("globex", ["service", "ok"])])
def test_fields_read_no_more_rows_than_a_dry_run_says(
    requests: QueryRequests, tenant: str, fields: list[str]
) -> None:
    body: dict[str, Any] = {"from": "2026-10-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "fields": fields}
    estimated = requests.estimate("/v1/fields", tenant, **body)
    _, result = requests.post("/v1/fields", tenant, **body)
    assert 0 < result["stats"]["rows_read"] <= estimated["rows"]


def test_empty_and_long_values_of_a_counted_column_are_not_listed(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    services = [*["é" * 257] * 5, *["é" * 256] * 3, *[""] * 4, "b", "a", "c", "c"]
    for tenant in ("long", "longer"):
        rows = [staged(tenant_id=tenant, service=each, level="") for each in services]
        load(databases[0], rows, tenant)
    for values in (0, 2, 9):
        _, result = requests.post("/v1/fields", "long", fields=["service", "level"], values=values, **RANGE)
        service, level = result["fields"]
        assert (service["distinct"], service["share"]) == (5, round(12 / 16, 4))
        top = [("é" * 256, 3), ("c", 2), ("a", 1), ("b", 1)]
        assert [(each["value"], each["count"]) for each in service["top"]] == top[:values]
        assert level == {"name": "level", "types": [], "share": 0.0, "distinct": 0, "top": []}


def test_thousands_of_names_in_each_event_are_a_small_sample_within_limits(
    requests: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    rows = [
        staged(
            json.dumps({f"key{number}.{at}" if number % 2 else f"k{at}": at for at in range(5000)}),
            tenant_id="names",
        )
        for number in range(300)
    ]
    load(databases[0], rows, "names")
    tracemalloc.start()
    began = time.process_time()
    status, result = requests.post("/v1/fields", "names", values=100, **RANGE)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == 200, result
    assert (result["rows"], result["truncated"], len(result["fields"])) == (300, True, 205)
    assert 0 < result["sampled_rows"] <= 40, "200,000 fields at 5,000 an event"
    assert len(json.dumps(result)) < 1_000_000
    assert peak < 250 * 1024 * 1024
    assert seconds < 30
