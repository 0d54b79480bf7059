"""Stats: what a request becomes, whose rows it reads, and what an answer of any server becomes."""

import json
from typing import Any

import pytest

from functions.query import stats
from functions.query.compile.pipes import TableColumn
from functions.query.results.table_rows import CompiledStats, decode_table
from functions.query.stats import compiled_stats, stats_page, stats_request, store_of
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

POISON = "x') OR 1=1 -- {p0:String}"
COLUMNS = (TableColumn("service", "text"), TableColumn("n", "number"), TableColumn("at", "time"))
MAX_QUERY_SIZE = 262_144


def compiled(query: str, tenant: str = "acme") -> CompiledStats:
    return compiled_stats(stats_request(json.dumps({"query": query}).encode(), 10**18), TenantId(tenant))


POISONED = [
    f'"{POISON}"',
    f'x:"{POISON}"',
    f"`{POISON}`:5",
    f'x:"{POISON}"*"b"',
    f'"{POISON}"*',
    "/x' OR 1=1/",
    f"* | stats count() as `{POISON}` by `{POISON}a`",
    f"* | stats sum(`{POISON}`) | where `sum_{POISON}`:>5",
    f"* | sort `{POISON}`, -`{POISON}b` | limit 5 | dedup `{POISON}` | fields `{POISON}`",
    f"* | top 5 `{POISON}`",
    "* | extract /(?P<a>x' OR 1=1)/ | where a:5",
    f'* | extract pattern "<a>{POISON}" from `{POISON}` | stats avg(a) by a',
]


@pytest.mark.parametrize("tenant", ["acme", "beta"])
@pytest.mark.parametrize("query", POISONED)
def test_a_query_reads_its_tenants_rows_and_its_text_is_bound(query: str, tenant: str) -> None:
    found = compiled(query, tenant).statement
    assert "1=1" not in found.sql
    assert "OR 1" not in found.sql
    assert found.sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == 1
    assert found.sql.count("events") == 1
    assert found.parameters["tenant_id"] == tenant


def test_conditions_of_json_and_the_query_must_all_hold() -> None:
    body = {"query": "service:api | limit 5", "levels": ["error"], "q": "timeout"}
    found = compiled_stats(stats_request(json.dumps(body).encode()), TenantId("acme"))
    assert {"api", "error", "timeout"} <= set(map(str, found.statement.parameters.values()))


def test_a_condition_after_a_limit_applies_to_its_rows() -> None:
    sql = compiled("* | limit 5 | where service:api").statement.sql
    assert sql.index("LIMIT 5") < sql.index("service = ")


LARGE = [
    " ".join(f"a{n}.b:(x{n}* OR >5 OR {n})" for n in range(20)),
    "* | " + " | ".join(f"extract /(?P<f{n}>x)/ from {f'f{n - 1}' if n else 'message'}" for n in range(15)),
    "* | extract /(?P<f>x)/ | where " + " ".join("f:>5" for _ in range(63)),
]


@pytest.mark.parametrize("query", LARGE)
def test_the_longest_queries_are_far_below_what_clickhouse_reads(query: str) -> None:
    assert len(compiled(query).statement.sql) <= stats.MAX_STATEMENT_CHARACTERS < MAX_QUERY_SIZE / 2


def test_a_query_that_becomes_too_long_a_statement_is_refused() -> None:
    sorts = f"sort {', '.join(f'-k{n}.a' for n in range(32))}"
    with pytest.raises(HttpError) as refused:
        compiled(" | ".join(["*", sorts, *["limit 9"] * 15]))
    assert refused.value.code == "query_too_heavy"


def test_a_query_with_too_many_paths_or_bytes_is_refused_whole() -> None:
    for query in (
        "* | "
        + " | ".join(f"fields {', '.join(f'k{n}.a.b.c.d.e.f.g' for n in range(16))}" for _ in range(2)),
        " ".join(f"k{n}.{'.'.join('abcdefgh')}:5" for n in range(20)),
    ):
        with pytest.raises(HttpError) as refused:
            compiled(query)
        assert refused.value.code == "invalid_body"


@pytest.mark.parametrize(
    ("asked", "byoc", "managed", "store"),
    [
        (None, False, True, "managed"),
        (None, True, False, "byoc"),
        ("byoc", True, True, "byoc"),
        ("managed", True, True, "managed"),
        (None, True, True, "two_stores"),
        ("byoc", False, True, "invalid_store"),
        ("managed", True, False, "invalid_store"),
    ],
)
def test_stats_cover_the_one_store_of_an_account_or_the_one_that_it_names(
    asked: str | None, byoc: bool, managed: bool, store: str
) -> None:
    request = stats_request(json.dumps({"store": asked}).encode())
    try:
        found: str = store_of(request, byoc=byoc, managed=managed)
    except HttpError as refused:
        found = refused.code
    assert found == store


def an_answer(*rows: dict[str, Any]) -> bytes:
    return json.dumps(
        {"data": rows, "statistics": {"rows_read": 7, "bytes_read": 70, "elapsed": 0.5}}
    ).encode()


def test_numbers_that_the_engine_writes_as_text_are_numbers_and_times_are_rfc_3339() -> None:
    found = decode_table(
        an_answer(
            {"c0": "api", "c1": "18446744073709551615", "c2": "2026-11-01 12:00:00.000000001"},
            {"c0": None, "c1": 1.5, "c2": None},
        ),
        COLUMNS,
    )
    assert found.rows == [["api", 2**64 - 1, "2026-11-01T12:00:00.000000001Z"], [None, 1.5, None]]
    assert json.loads(stats_page(COLUMNS, found)) == {
        "columns": [
            {"name": "service", "type": "text"},
            {"name": "n", "type": "number"},
            {"name": "at", "type": "time"},
        ],
        "rows": [["api", 2**64 - 1, "2026-11-01T12:00:00.000000001Z"], [None, 1.5, None]],
        "truncated": False,
        "stats": {"rows_read": 7, "bytes_read": 70, "elapsed_ms": 500.0, "partial": False},
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"data":[{}],"statistics":{"rows_read":1,"elapsed":0.1}}',
        an_answer({"c0": 5, "c1": 5, "c2": None}),
        an_answer({"c0": "a", "c1": "five", "c2": None}),
        an_answer({"c0": "a", "c1": 5, "c2": "yesterday"}),
        an_answer({"c0": ["a"], "c1": 5, "c2": None}),
        an_answer({"c" * 100: "a"}),
        b" " * (16 * 1024 * 1024 + 1),
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_table_is_an_error_of_its_server(content: bytes) -> None:
    with pytest.raises(UnusableAnswerError):
        decode_table(content, COLUMNS)


def test_a_table_that_does_not_fit_into_a_response_asks_for_less() -> None:
    found = decode_table(an_answer(*[{"c0": "\\" * 500, "c1": 1, "c2": None}] * 5000), COLUMNS)
    with pytest.raises(HttpError) as refused:
        stats_page(COLUMNS, found)
    assert refused.value.code == "query_too_heavy"
