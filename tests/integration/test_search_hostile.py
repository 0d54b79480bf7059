"""Hostile searches: what they cost the function, and that they are answered as what they are.

Measured with the real client against the real engine, in a process of its own, against the function's memory.
"""

import json
import math
from collections.abc import Iterator

import pytest

from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse
from infra import topology
from tests.integration.hostile_searches import HOSTILE_ELEMENTS
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse
from tests.measured import Cost, cost_of

MEMORY_MB = topology.function("query").memory_mb
ROWS = 4000


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 30)
        for tenant in ("mallory", "alice"):
            rows = [
                staged(json.dumps({"user": f"u-{n}", "a": {"b": n}, "duration_ms": n}), tenant_id=tenant)
                for n in range(ROWS // 2)
            ]
            load(warehouse, rows, f"{tenant}-1")
        warehouse.close()
        yield address.port


def cost(port: int, name: str, *, within_cpu_seconds: float = math.inf, **more: int) -> Cost:
    return cost_of(
        "tests.integration.hostile_searches:count_answers",
        {"port": port, "name": name, **more},
        memory_mb=MEMORY_MB,
        timeout_seconds=600,
        within_cpu_seconds=within_cpu_seconds,
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("the review's attack", "400 invalid_where"),
        ("a thousand plain values", "200"),
        ("the largest search", "200"),
        ("the largest query", "200"),
        ("a query that is too long", "400 query_too_heavy"),
    ],
)
def test_one_search_stays_far_below_the_functions_memory(port: int, name: str, answer: str) -> None:
    measured = cost(port, name, within_cpu_seconds=5)
    assert measured.result == {answer: 1}
    assert measured.peak_mb < MEMORY_MB / 4, str(measured)
    assert measured.cpu_seconds < 5, str(measured)


def test_every_hostile_body_is_answered_and_none_by_a_server_error(port: int) -> None:
    measured = cost(port, "hostile bodies")
    assert _server_errors(measured) == {}
    assert measured.peak_mb < MEMORY_MB / 2, str(measured)


def test_generated_bodies_meet_no_server_error(port: int) -> None:
    measured = cost(port, "generated", seed=1, count=400)
    assert _server_errors(measured) == {}
    assert measured.result["200"] > 10
    assert measured.peak_mb < MEMORY_MB / 4, str(measured)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_twenty_thousand_generated_bodies_meet_no_server_error(port: int, seed: int) -> None:
    measured = cost(port, "generated", seed=100 + seed, count=2000)
    assert _server_errors(measured) == {}
    assert measured.peak_mb < MEMORY_MB / 4, str(measured)


@pytest.mark.parametrize("name", HOSTILE_ELEMENTS)
def test_the_longest_answer_of_a_customers_server_stays_below_the_functions_memory(name: str) -> None:
    target = "tests.integration.hostile_searches:decoded"
    measured = cost_of(target, {"name": name}, memory_mb=MEMORY_MB, within_cpu_seconds=5)
    assert measured.result == (
        "shown" if name in ("rows", "rows with more in them", "wide text") else "unusable"
    )
    assert measured.peak_mb < 0.75 * MEMORY_MB, str(measured)
    assert measured.cpu_seconds < 5, str(measured)


def _server_errors(measured: Cost) -> dict[str, int]:
    return {answer: count for answer, count in measured.result.items() if answer.startswith("5")}
