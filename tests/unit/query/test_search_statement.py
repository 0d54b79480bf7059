"""The SQL of a search: whose rows it reads, and that nothing a caller sends is part of its text."""

import json
from typing import Any

import pytest

from functions.query.compile import statement
from functions.query.request import search
from functions.query.tokens import value_tokens
from functions.shared.tenancy import TenantId

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
        {"levels": [POISON]},
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
    sql, parameters = compiled(order=order, q="word", where=[{"field": "metadata.a", "op": "ne", "value": 1}])
    assert sql.count("FROM events") == 2
    assert sql.count("FROM events WHERE tenant_id = {tenant_id:String} AND ") == 2
    assert parameters["tenant_id"] == "acme"


def test_no_placeholder_of_a_search_can_replace_the_tenants() -> None:
    _, parameters = compiled(q="a b c", services=["tenant_id"], trace_id="tenant_id")
    assert parameters["tenant_id"] == "acme"


def test_a_value_of_few_forms_is_asked_of_the_index_alone() -> None:
    sql, parameters = compiled(where=[{"field": "metadata.region", "op": "eq", "value": "eu-west-1"}])
    assert "JSON" not in sql
    assert '=region="eu-west-1"' in parameters.values()


def test_an_identifier_is_looked_for_in_the_metadata_itself() -> None:
    sql, _ = compiled(where=[{"field": "metadata.user", "op": "eq", "value": "u4711-0815"}])
    assert "JSONExtractString" in sql
    assert "multiSearchAny" in sql


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
