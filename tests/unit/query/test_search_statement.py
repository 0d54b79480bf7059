"""The SQL of a search: whose rows it reads, and that nothing a caller sends is part of its text."""

import json
from typing import Any

import pytest
from clickhouse_connect.driver.binding import bind_query

from functions.query.compile import statement
from functions.query.compile.words import MAX_INDEXED_WORDS
from functions.query.limits import budget
from functions.query.requests.request import search
from functions.query.searching.one_pass import LAZY_READS
from functions.query.tokens import value_tokens
from functions.shared.tenancy import TenantId

MAX_QUERY_SIZE = 262_144
MAX_FIELD_BYTES = 131_072
"""ClickHouse's limits unless configured otherwise: of a statement, of one value of a form."""

ACME = TenantId("acme")
POISON = "x') OR 1=1 -- {p0:String}"


def compiled(**body: Any) -> tuple[str, dict[str, Any]]:
    found = statement(search(json.dumps(body).encode(), 10**18), ACME)
    return found.sql, found.parameters


@pytest.mark.parametrize(
    "body",
    [
        {"q": POISON},
        {"projects": [POISON]},
        {"services": [POISON]},
        {"trace_id": POISON},
        *(
            {"where": [{"field": field, "op": op, "value": [POISON] if op == "in" else POISON}]}
            for field in ("metadata.a", "message")
            for op in ("eq", "ne", "lt", "gte", "in", "contains")
        ),
        *({"where": [{"field": f"metadata.{POISON}", "op": op, "value": 1}]} for op in ("eq", "lt")),
    ],
)
def test_what_a_caller_sends_is_bound_and_never_sql(body: dict[str, Any]) -> None:
    sql, parameters = compiled(**body)
    assert "OR 1=1" not in sql
    assert "or 1=1" not in sql
    assert "1=1" in repr(parameters)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_every_read_of_events_starts_from_the_tenant(order: str) -> None:
    body = {"order": order, "q": "word", "where": [{"field": "metadata.a", "op": "ne", "value": 1}]}
    found = statement(search(json.dumps(body).encode(), 10**18), ACME)
    assert found.one_pass
    for sql, reads in ((found.sql, 2), (found.one_pass.sql, 1)):
        assert sql.count("FROM events") == reads
        assert sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == reads
    assert found.parameters["tenant_id"] == "acme"


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_hours_are_counted_in_the_rows_of_the_tenant(order: str) -> None:
    week = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z", "order": order}
    for body, reads in (
        (week, 2),
        ({**week, "levels": ["error"], "query": "-service:a*"}, 2),
        ({**week, "q": "word"}, 1),
        ({**week, "services": ["a"]}, 1),
        ({**week, "query": "level:error OR region:eu"}, 1),
        ({**week, "to": "2026-11-02T00:00:00Z"}, 1),
        ({**week, "from": "2200-01-01T00:00:00Z", "to": "2201-01-01T00:00:00Z"}, 1),
    ):
        one_pass = statement(search(json.dumps(body).encode(), 10**18), ACME).one_pass
        assert one_pass
        assert one_pass.sql.count("FROM events") == reads
        assert one_pass.sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == reads


def test_no_placeholder_of_a_search_can_replace_the_tenants() -> None:
    _, parameters = compiled(q="a b c", services=["tenant_id"], trace_id="tenant_id")
    assert parameters["tenant_id"] == "acme"


def test_a_value_of_few_forms_is_asked_of_the_index_alone() -> None:
    sql, parameters = compiled(where=[{"field": "metadata.region", "op": "eq", "value": "eu-west-1"}])
    assert "JSON" not in sql
    assert '=region="eu-west-1"' in parameters.values()


def test_an_identifier_is_looked_for_in_the_metadata_itself() -> None:
    sql, _ = compiled(where=[{"field": "metadata.user", "op": "eq", "value": "u4711-0815"}])
    assert "JSONExtractRaw" in sql
    assert "multiSearchAny" in sql


def test_the_bytes_of_an_identifier_are_checked_before_its_words() -> None:
    """The engine checks rows from left to right, and the words prune by the index wherever they stand."""
    sql, _ = compiled(where=[{"field": "metadata.user", "op": "eq", "value": "u4711-0815"}])
    assert sql.index("multiSearchAny") < sql.index("JSONExtractRaw") < sql.index("hasToken")


def test_the_engine_optimizes_the_largest_page() -> None:
    """Its optimizations of the first rows have a limit, which one pass of a page must not exceed."""
    largest = statement(search(json.dumps({"limit": 1000}).encode(), 10**18), ACME).one_pass
    assert largest
    limits = [value for name, value in LAZY_READS.items() if "max_limit" in name]
    assert len(limits) == 2
    assert largest.limit <= min(limits)


def test_one_pass_has_no_hash_of_rows_in_a_table_with_identities() -> None:
    request = search(json.dumps({"q": "word"}).encode(), 10**18)
    for with_identity in (True, False):
        found = statement(request, ACME, with_identity=with_identity)
        assert found.one_pass
        assert found.one_pass.hashed is not with_identity
        assert ("sipHash64" in found.one_pass.sql) is not with_identity
        assert "sipHash64" in found.sql


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (False, ("=k=false",)),
        ("false", ('=k="false"',)),
        (0, ("=k=0", "=k=-0")),
        (None, ("=k=null",)),
        (200, ("=k=200",)),
        (200.0, ("=k=200",)),
        (-7, ("=k=-7",)),
        (1000, ()),
        (1.5, ()),
        ("v1.2.3", ('=k="v1.2.3"',)),
        ("v1.2.34", ()),
        ("é", ()),
        ('quote"', ()),
        ("back\\slash", ()),
        ("new\nline", ()),
        ("x" * 30, ('=k="' + "x" * 30 + '"',)),
        ("x" * 31, ()),
    ],
)
def test_only_values_of_few_forms_have_tokens(value: Any, tokens: tuple[str, ...]) -> None:
    assert value_tokens("k", value) == tokens


def test_a_key_too_long_for_the_index_has_no_tokens() -> None:
    assert value_tokens("k" * 129, 1) == ()
    assert value_tokens("é" * 65, 1) == ()
    assert value_tokens("k" * 128, 1) != ()


def test_a_thousand_values_are_one_parameter_of_each_type() -> None:
    values = [
        *range(5000, 5300),
        *(f"id-{n:05}-x" for n in range(300)),
        *(f"v{n}" for n in range(200)),
        2**60,
    ]
    for field in ("metadata.a", "metadata.a.b"):
        sql, parameters = compiled(where=[{"field": field, "op": "in", "value": values}])
        arrays = [value for value in parameters.values() if isinstance(value, list)]
        assert len(arrays) <= 4
        assert len(sql) < 4000
        assert len(parameters) < 20


@pytest.mark.parametrize("field", ["message", "trace_id", "timestamp", "received_at"])
def test_a_thousand_values_of_a_column_are_one_parameter(field: str) -> None:
    values = [f"2026-11-01T12:00:00.{n:06}Z" for n in range(1000)]
    sql, parameters = compiled(where=[{"field": field, "op": "in", "value": values}])
    (array,) = (value for value in parameters.values() if isinstance(value, list))
    assert len(array) == 1000
    assert len(sql) < 1500


def test_a_path_is_bound_once_however_often_it_is_looked_at() -> None:
    values = [None, True, 1.5, 2**60, "é", "x" * 40]
    _, parameters = compiled(where=[{"field": "metadata.first.second.third", "op": "in", "value": values}])
    for part in ("first", "second", "third", "first.second.third"):
        assert list(parameters.values()).count(part) == 1


def test_a_phrase_of_many_words_asks_the_index_for_few() -> None:
    phrase = " ".join(f"w{n}" for n in range(600))
    sql, parameters = compiled(q=f'"{phrase}"')
    assert sql.count("hasToken") == 2 * MAX_INDEXED_WORDS
    assert phrase in parameters.values()


def the_largest_search() -> dict[str, Any]:
    """Everything at its limit at once, as far as the limits let it."""
    path = "metadata." + ".".join(["part"] * (budget.MAX_ALL_PATH_PARTS // 32))
    mixed: list[Any] = ["x.y.z-0815", "é", 10**17, 1.5, True]
    return {
        "q": " ".join(f"-a{n}/b/c/d/e/f/g" for n in range(32)),
        "services": [f"service-{n}" for n in range(500)],
        "where": [{"field": path, "op": "in", "value": mixed * 20} for _ in range(32)],
        "cursor": None,
    }


def test_the_largest_search_is_well_below_what_clickhouse_takes() -> None:
    sql, parameters = compiled(**the_largest_search())
    assert len(sql) < MAX_QUERY_SIZE / 2
    assert max(len(str(value)) for value in parameters.values()) < MAX_FIELD_BYTES / 2
    assert len(parameters) < 1000


@pytest.mark.parametrize("text", ["'", "\\", "\t", "é", "x", "\U0001f600"])
def test_no_value_that_passes_is_longer_than_a_field_may_be(text: str) -> None:
    """As ClickHouse's client writes it: lists escape what they hold twice."""
    size_bytes = {"'": 4, "\\": 4, "\t": 4}.get(text, len(text.encode()))
    values = [text * (budget.MAX_TEXT_BYTES // 1000 // size_bytes - 2) for _ in range(1000)]
    _, parameters = compiled(where=[{"field": "metadata.some.path", "op": "in", "value": values}])
    _, bound = bind_query(
        "{p:Array(String)}", {"p": max(parameters.values(), key=lambda each: len(str(each)))}
    )
    assert len(bound["param_p"].encode()) < MAX_FIELD_BYTES
