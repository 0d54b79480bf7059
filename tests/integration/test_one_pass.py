"""A page in one pass has the rows of the page in two passes, whatever the table holds.

Tables are generated: few times, so that many rows have equal ones; rows with and without identity; rows that
are equal in every column; copies in two stores; parts in any order; two tenants, our ClickHouse and the
tenants' own. A referee in Python says which rows a search has, in the order of their times and identities.
"""
# ruff: noqa: S608 - the statements are of this module alone

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bench.in_process import EmbeddedEngine, embedded_engine
from functions.query.compile import statement
from functions.query.errors import QUERY_TOO_HEAVY
from functions.query.requests.request import search
from functions.query.results import row_order
from functions.query.results.rows import SearchResult
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.query.searching.one_pass import LAZY_SINCE
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.query_requests import QueryRequests

TENANTS = ("acme", "globex")
EVER = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
OLDER = (26, 1)
MEBIBYTE = 1 << 20
FILTERS: tuple[dict[str, Any], ...] = ({}, {"levels": ["error"]}, {"q": "word"}, {"services": ["x"]})

Row = dict[str, Any]


class Recording:
    """A warehouse that keeps the statements it ran; its engine says that it has `version`."""

    def __init__(self, warehouse: Warehouse, version: tuple[int, int] = LAZY_SINCE) -> None:
        self.warehouse = warehouse
        self.version = version
        self.passes: Counter[int] = Counter()
        """How many statements had one pass, and how many two."""

    def engine_version(self) -> tuple[int, int]:
        return self.version

    def select_json(self, sql: str, parameters: Any, settings: dict[str, Any]) -> bytes:
        self.passes[2 if "(timestamp) FROM (SELECT timestamp" in sql else 1] += 1
        return self.warehouse.select_json(sql, parameters, settings)


class Stores:
    """Our ClickHouse and the tenants' own, with the rows that a test writes."""

    def __init__(self, room: EmbeddedEngine) -> None:
        self.warehouses = {name: room.database(name) for name in ("ours", *TENANTS)}

    def write(self, rows: list[Row], random: Random) -> None:
        """Replace all rows; each store gets two parts."""
        for name, warehouse in self.warehouses.items():
            warehouse.command("TRUNCATE TABLE events")
            there = [each for each in rows if each["store"] == name]
            random.shuffle(there)
            for half in (there[::2], there[1::2]):
                if half:
                    warehouse.command(_insert(half))

    def requests(
        self, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
    ) -> tuple[QueryRequests, list[Recording]]:
        """The query function over stores whose engines say that they have `version`."""
        ours, *own = [Recording(each, version) for each in self.warehouses.values()]
        by_tenant: dict[str, Any] = dict(zip(TENANTS, own, strict=True))
        return QueryRequests(monkeypatch, ours, by_tenant), [ours, *own]  # type: ignore[arg-type]


def _insert(rows: list[Row]) -> str:
    names = [name for name in rows[0] if name != "store"]
    values = ", ".join(f"({', '.join(repr(row[name]) for name in names)}, 'b', '2030-01-01')" for row in rows)
    return f"INSERT INTO events ({', '.join(names)}, batch_id, expires_on) VALUES {values}"


def _generated(random: Random, identified: float = 0.5) -> list[Row]:
    """Rows of both tenants, some `identified`. The tenants' own stores have rows of their tenant alone."""
    rows: list[Row] = []
    for number in range(40):
        tenant = random.choice(TENANTS)
        has_identity = random.random() < identified
        at = f"2026-11-01 00:00:0{random.randrange(3)}.00000000{random.randrange(2)}"
        row: Row = {
            "store": random.choice(["ours", tenant]),
            "tenant_id": tenant,
            "project_id": "p",
            "timestamp": at,
            "received_at": at[:-3],
            "level": random.choice(["info", "error"]),
            "service": random.choice(["x", "y"]),
            "message": f"word {tenant} {number if has_identity else random.randrange(3)}",
            "metadata": "{}",
            "object_id": f"o{random.randrange(3)}" if has_identity else "",
            "position": number if has_identity else 0,
        }
        rows.append(row)
        if random.random() < 0.1:
            rows.append({**row, "store": tenant if row["store"] == "ours" else "ours"})
    return rows


def _expected(rows: list[Row], tenant: str, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """Times and ids of what a search has; `levels` and `services` are its only conditions."""
    found = [
        (row["timestamp"], row["object_id"], row["position"])
        for row in rows
        if row["tenant_id"] == tenant
        and row["level"] in asked.get("levels", [row["level"]])
        and row["service"] in asked.get("services", [row["service"]])
    ]
    found.sort(reverse=asked["order"] == "desc")
    return [(at, f"{object_id}-{position}" if object_id else "") for at, object_id, position in found]


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    with embedded_engine() as room:
        yield Stores(room)


@pytest.mark.parametrize("seed", range(9))
def test_pages_in_one_pass_are_those_in_two_passes(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    monkeypatch.setattr(row_order, "MORE_ROWS", [0, 2, 20][seed % 3])
    rows = _generated(random, [0.0, 0.5, 1.0][seed // 3])
    stores.write(rows, random)
    for order in ("asc", "desc"):
        body = {**EVER, **random.choice(FILTERS), "order": order, "limit": random.choice([2, 3, 7, 100])}
        for tenant in TENANTS:
            found = {}
            for version in (LAZY_SINCE, OLDER):
                requests, recordings = stores.requests(monkeypatch, version)
                found[version] = requests.pages(tenant, "byoc", **body)
                passes = sum((each.passes for each in recordings), Counter())
                assert (passes[1] > 0) is (version == LAZY_SINCE)
            assert found[LAZY_SINCE] == found[OLDER]
            shown = [(each["timestamp"].replace("T", " ")[:-1], each["id"] or "") for each in found[OLDER]]
            assert shown == _expected(rows, tenant, body)


@pytest.mark.parametrize("identified", [True, False])
@pytest.mark.parametrize(
    ("count", "times", "passes"), [(30, 30, {1: 6}), (20, 1, {1: 4}), (30, 1, {1: 6, 2: 6}), (30, 10, {1: 6})]
)
def test_a_page_takes_two_passes_if_its_order_is_not_known_after_one(
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    identified: bool,
    count: int,
    times: int,
    passes: dict[int, int],
) -> None:
    """It ends between many rows of equal time, or it has rows without identity, whose order needs a hash."""
    row = next(each for each in _generated(Random(1)) if each["tenant_id"] == "acme")
    many = [
        {
            **row,
            "store": "ours",
            "timestamp": f"2026-11-01 00:00:00.0000000{number % times:02}",
            "message": f"m{number}",
            "object_id": "o" if identified else "",
            "position": number if identified else 0,
        }
        for number in range(count)
    ]
    stores.write(many, Random(0))
    requests, (ours, *_) = stores.requests(monkeypatch, LAZY_SINCE)
    events = requests.pages("acme", **EVER, limit=5)
    assert sorted(each["message"] for each in events) == sorted(each["message"] for each in many)
    assert ours.passes == (passes if identified else {1: passes[1], 2: passes[1]})


@pytest.fixture(scope="module")
def huge(stores: Stores) -> Warehouse:
    """A thousand messages of a megabyte."""
    warehouse = stores.warehouses["globex"]
    warehouse.command(
        "INSERT INTO events (tenant_id, timestamp, service, message, metadata, batch_id, expires_on, "
        "object_id, position) SELECT 'globex', toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + number, 's', "
        "concat('word ', repeat(hex(cityHash64(number)), 62000)), '{}', 'huge', '2030-01-01', 'o', number "
        "FROM numbers(1000) SETTINGS max_block_size = 50"
    )
    return warehouse


def _find(warehouse: Warehouse, memory_mb: int, version: tuple[int, int], **body: Any) -> SearchResult:
    limits = SearchLimits(60, memory_mb * MEBIBYTE, 64 * MEBIBYTE, 2)
    recording = Recording(warehouse, version)
    compiled = statement(search(json.dumps({**EVER, **body}).encode()), TenantId("globex"))
    return EventSearch(recording, limits).find(compiled)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_large_messages_that_are_filtered_need_no_more_memory_than_in_two_passes(
    huge: Warehouse, order: str
) -> None:
    """One pass holds the messages of all candidates: with 256 MB it fails, and two passes answer."""
    body = {"q": "word", "order": order, "limit": 40}
    result = _find(huge, 256, LAZY_SINCE, **body)
    assert [row.position for row in result.rows] == (
        list(range(41)) if order == "asc" else list(range(999, 958, -1))
    )
    assert result.rows == _find(huge, 1024, LAZY_SINCE, **body).rows


@pytest.mark.parametrize("version", [LAZY_SINCE, OLDER])
@pytest.mark.parametrize("query", [{}, {"q": "word"}])
def test_a_page_that_is_too_large_is_an_error_and_never_a_part_of_it(
    huge: Warehouse, version: tuple[int, int], query: dict[str, Any]
) -> None:
    with pytest.raises(HttpError) as stopped:
        _find(huge, 1024, version, **query, limit=1000)
    assert stopped.value.code == QUERY_TOO_HEAVY
