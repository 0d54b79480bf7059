"""The query language through the real engine, against an oracle in plain Python."""

import json
from collections.abc import Iterator
from math import isclose
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given

from functions.query.results.table_rows import TableRows, decode_table
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.query.stats import STATS_SETTINGS, compiled_stats, stats_request
from functions.query.templates.table import merged_patterns
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.examples import examples
from tests.integration.loading import load, staged
from tests.integration.query_oracle import Line, answer, text_of
from tests.integration.query_strategies import (
    KEYS,
    LEVELS,
    MESSAGES,
    SERVICES,
    TRACES,
    VALUES,
    queries,
)
from tests.integration.warehouse_process import clickhouse

LIMITS = SearchLimits(max_seconds=60, max_memory_bytes=1 << 31, max_result_bytes=1 << 26, max_threads=2)
TENANTS = ("acme", "beta")
EVER = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}


def lines(count: int, seed: int = 11) -> list[Line]:
    """Lines of one hour, of two tenants, each with its own time."""
    random = Random(seed)
    made = []
    for number in range(count):
        keys = random.sample(KEYS, random.randrange(4))
        members = [f"{json.dumps(key)}: {random.choice(VALUES)}" for key in keys]
        if random.random() < 0.2:
            members.append(f'"a": {{"b": {random.choice(VALUES)}}}')
        at = random.randrange(3600)
        made.append(
            Line(
                tenant_id=random.choice(TENANTS),
                timestamp=f"2026-11-01T12:{at // 60:02d}:{at % 60:02d}.{number:09d}Z",
                received_at="2026-11-01T13:00:00.000000Z",
                level=random.choice(LEVELS),
                service=random.choice(SERVICES),
                project_id=random.choice(["shop", "blog"]),
                message=random.choice(MESSAGES),
                trace_id=random.choice(TRACES),
                metadata="{" + ", ".join(members) + "}",
            )
        )
    return made


def row(line: Line) -> bytes:
    columns = ("tenant_id", "level", "service", "project_id", "message", "trace_id")
    return staged(
        line.metadata,
        timestamp=line.timestamp.replace("T", " ").rstrip("Z"),
        received_at=line.received_at.replace("T", " ").rstrip("Z"),
        **{name: getattr(line, name) for name in columns},
    )


class Corpus:
    """Lines, and an engine that has them."""

    def __init__(self, warehouse: Warehouse, made: list[Line]) -> None:
        self.lines = made
        self._search = EventSearch(warehouse, LIMITS)
        for number in range(0, len(made), 10_000):
            load(warehouse, [row(line) for line in made[number : number + 10_000]], f"batch-{number}")

    def asked(self, tenant: str, text: str) -> TableRows:
        request = stats_request(json.dumps({**EVER, "query": text}).encode())
        compiled = compiled_stats(request, TenantId(tenant))
        found = self._search.answer(
            compiled.statement, lambda content: decode_table(content, compiled.columns), STATS_SETTINGS
        )
        return merged_patterns(compiled, found)[1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    yield from _corpus(tmp_path_factory, 2_000)


@pytest.fixture(scope="module")
def large_corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    yield from _corpus(tmp_path_factory, 100_000)


def _corpus(factory: pytest.TempPathFactory, count: int) -> Iterator[Corpus]:
    with clickhouse(factory.mktemp("clickhouse")) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 60)
        yield Corpus(warehouse, lines(count))
        warehouse.close()


def check(corpus: Corpus, tenant: str, tree: Any, pipes: list[Any]) -> None:
    text = text_of(tree, pipes)
    found = corpus.asked(tenant, text)
    expected = answer(corpus.lines, tenant, tree, pipes)
    assert len(found.rows) == min(len(expected), 10_000), text
    assert found.truncated is (len(expected) > 10_000), text
    for one, other in zip(found.rows, expected, strict=False):
        assert len(one) == len(other), text
        assert all(map(_same, one, other)), (text, one, other)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


@examples(200, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_a_query_finds_what_the_oracle_finds_and_nothing_of_another_tenant(
    corpus: Corpus, query: tuple[Any, list[Any]]
) -> None:
    for tenant in TENANTS:
        check(corpus, tenant, *query)


@pytest.mark.soak
@pytest.mark.parametrize("tenant", TENANTS)
@examples(500, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_a_thousand_queries_of_a_hundred_thousand_lines_agree_with_the_oracle(
    large_corpus: Corpus, tenant: str, query: tuple[Any, list[Any]]
) -> None:
    """Five hundred for each tenant, so that two workers need half of the time."""
    check(large_corpus, tenant, *query)
